"""The log and what belongs to it: items, keys, slates, contents, and the states made from it.

`open_store` takes an address, SQLite's or PostgreSQL's. Everything else is plain functions that take a
connection first, so that several of them make one transaction. The log (`log.py`) is the only truth; states
(`states/`) can be lost and are built again.
"""

from huaxiang.store.base import Appended, Content, Head, LoggedEvent, SlateRow
from huaxiang.store.connect import Store, open_store
from huaxiang.store.contents import add_contents, contents_of
from huaxiang.store.items import (
    StoredItem,
    delete_items,
    item_numbers,
    items_after,
    items_of,
    lock_items,
    newest_change,
    numbers_after,
    put_items,
)
from huaxiang.store.keys import (
    ApiKey,
    add_key,
    find_key,
    is_secret_of,
    list_keys,
    listed_origins,
    new_key,
    revoke_key,
    split_key,
)
from huaxiang.store.log import append, event_ids, of_shopper, of_shopper_between, positions, read_after
from huaxiang.store.shoppers import group, head
from huaxiang.store.slates import add_slates

__all__ = [
    "ApiKey",
    "Appended",
    "Content",
    "Head",
    "LoggedEvent",
    "SlateRow",
    "Store",
    "StoredItem",
    "add_contents",
    "add_key",
    "add_slates",
    "append",
    "contents_of",
    "delete_items",
    "event_ids",
    "find_key",
    "group",
    "head",
    "is_secret_of",
    "item_numbers",
    "items_after",
    "items_of",
    "list_keys",
    "listed_origins",
    "lock_items",
    "new_key",
    "newest_change",
    "numbers_after",
    "of_shopper",
    "of_shopper_between",
    "open_store",
    "positions",
    "put_items",
    "read_after",
    "revoke_key",
    "split_key",
]
