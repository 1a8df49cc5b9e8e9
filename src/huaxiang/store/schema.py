"""The tables. Every primary key begins with the shop; times are milliseconds since 1970, in UTC."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
)

TABLES = MetaData()

meta = Table("meta", TABLES, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))

shops = Table(
    "shops",
    TABLES,
    Column("shop_id", Text, primary_key=True),
    Column("created_ms", BigInteger, nullable=False),
    Column("settings", Text, nullable=False),
)

log_heads = Table(
    "log_heads",
    TABLES,
    Column("shop_id", Text, primary_key=True),
    Column("partition", SmallInteger, primary_key=True),
    Column("count", BigInteger, nullable=False),
)

events = Table(
    "events",
    TABLES,
    Column("shop_id", Text, primary_key=True),
    Column("shopper_id", Text, primary_key=True),
    Column("event_key", BigInteger, primary_key=True, autoincrement=False),
    Column("event_id", Text, primary_key=True),
    Column("partition", SmallInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("type", SmallInteger, nullable=False),
    Column("item_no", Integer),
    Column("item_id", Text),
    Column("text", Text),
    Column("image", Text),
    Column("content", BigInteger, nullable=False),
    Column("occurred_ms", BigInteger),
    Column("received_ms", BigInteger),
    Column("quantity", Float, nullable=False),
    Column("price_minor", BigInteger),
    Column("currency", Text),
    Column("rating", Float),
    Column("session_id", Text),
    Column("order_id", Text),
    Column("new_order", Boolean, nullable=False),
    Column("utc_offset_minutes", SmallInteger, nullable=False),
    Column("slate_id", Text),
    Column("context", Text),
    Column("excluded", Boolean, nullable=False, default=False),
    Index("events_by_position", "shop_id", "partition", "position"),
    sqlite_with_rowid=False,
    postgresql_partition_by="HASH (shopper_id)",
)
_order = events.c.order_id.is_not(None)
Index(
    "events_by_order",
    events.c.shop_id,
    events.c.shopper_id,
    events.c.order_id,
    sqlite_where=_order,
    postgresql_where=_order,
)
_said = events.c.content != 0
Index("events_by_content", events.c.shop_id, events.c.content, sqlite_where=_said, postgresql_where=_said)
_listed = events.c.slate_id.is_not(None)
Index("events_by_slate", events.c.shop_id, events.c.slate_id, sqlite_where=_listed, postgresql_where=_listed)

shoppers = Table(
    "shoppers",
    TABLES,
    Column("shop_id", Text, primary_key=True),
    Column("shopper_id", Text, primary_key=True),
    Column("n_events", BigInteger, nullable=False),
    Column("n_state_events", BigInteger, nullable=False),
    Column("last_position", BigInteger, nullable=False),
    Column("group_id", Text),
    Column("consent", Text),
    Column("traits", Text),
    sqlite_with_rowid=False,
)
_joined = shoppers.c.group_id.is_not(None)
Index(
    "shoppers_by_group",
    shoppers.c.shop_id,
    shoppers.c.group_id,
    sqlite_where=_joined,
    postgresql_where=_joined,
)

links = Table(
    "links",
    TABLES,
    Column("shop_id", Text, primary_key=True),
    Column("low_id", Text, primary_key=True),
    Column("high_id", Text, primary_key=True),
    Column("is_linked", Boolean, nullable=False),
    Column("decided_ms", BigInteger, nullable=False),
    Column("decided_key", BigInteger, nullable=False),
    Index("links_by_high", "shop_id", "high_id"),
)

items = Table(
    "items",
    TABLES,
    Column("shop_id", Text, primary_key=True),
    Column("item_no", Integer, primary_key=True, autoincrement=False),
    Column("item_id", Text, nullable=False),
    Column("record", Text, nullable=False),
    Column("is_deleted", Boolean, nullable=False),
    Column("change", BigInteger, nullable=False),
    Index("items_by_id", "shop_id", "item_id", unique=True),
    Index("items_by_change", "shop_id", "change"),
)

contents = Table(
    "contents",
    TABLES,
    Column("shop_id", Text, primary_key=True),
    Column("content", BigInteger, primary_key=True, autoincrement=False),
    Column("space", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("said", Text, nullable=False),
    Column("vector", LargeBinary),
)

keys = Table(
    "keys",
    TABLES,
    Column("shop_id", Text, primary_key=True),
    Column("key_id", Text, primary_key=True),
    Column("hash", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("is_public", Boolean, nullable=False),
    Column("origins", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger),
    Column("revoked_ms", BigInteger),
    Index("keys_by_id", "key_id", unique=True),
)

slates = Table(
    "slates",
    TABLES,
    Column("shop_id", Text, primary_key=True),
    Column("slate_id", Text, primary_key=True),
    Column("shopper_id", Text),
    Column("model", Text, nullable=False),
    Column("placement", Text, nullable=False),
    Column("shown_ms", BigInteger, nullable=False),
    Column("of", Text, nullable=False),
    Column("items", Text, nullable=False),
    Column("n_candidates", Integer, nullable=False),
    Index("slates_by_shopper", "shop_id", "shopper_id"),
    Index("slates_by_time", "shop_id", "shown_ms"),
)

audit = Table(
    "audit",
    TABLES,
    Column("shop_id", Text, primary_key=True),
    Column("line", Text, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text),
    Column("purpose", Text),
    Column("outcome", Text, nullable=False),
)
_of_one = audit.c.subject.is_not(None)
Index(
    "audit_by_subject",
    audit.c.shop_id,
    audit.c.subject,
    audit.c.line,
    sqlite_where=_of_one,
    postgresql_where=_of_one,
)

dead_letters = Table(
    "dead_letters",
    TABLES,
    Column("shop_id", Text, primary_key=True),
    Column("letter_id", Text, primary_key=True),
    Column("shopper_id", Text),
    Column("item_id", Text),
    Column("reason", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Index("dead_letters_by_item", "shop_id", "item_id"),
)

models = Table(
    "models",
    TABLES,
    Column("shop_id", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("folder", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("metrics", Text, nullable=False),
    Column("decision", Text),
    Column("created_ms", BigInteger, nullable=False),
    Column("change", BigInteger, nullable=False),
)

tombstones = Table(
    "tombstones",
    TABLES,
    Column("shop_id", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("erased_ms", BigInteger, nullable=False),
)

budget = Table(
    "budget",
    TABLES,
    Column("shop_id", Text, primary_key=True),
    Column("day", Text, primary_key=True),
    Column("epsilon", Float, nullable=False),
)
