"""Who may not be learnt from: what was answered, by whom, and who was erased."""

from __future__ import annotations

from sqlalchemy import Connection

from huaxiang.store.base import Head
from huaxiang.store.shoppers import heads_where
from huaxiang.store.sql import rows_of


def joined_or_asked(tx: Connection, shop_id: str) -> list[Head]:
    """Return what is known of the ids that were joined with others, or were asked for consent."""
    return heads_where(tx, shop_id, "(group_id IS NOT NULL OR consent IS NOT NULL)")


def erased_subjects(tx: Connection, shop_id: str) -> list[str]:
    """Return the tombstones of those who were erased, in order."""
    query = "SELECT subject FROM tombstones WHERE shop_id = ? ORDER BY subject"
    return [subject for (subject,) in rows_of(tx, query, shop_id)]
