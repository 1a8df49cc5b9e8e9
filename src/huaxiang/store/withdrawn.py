"""Who may not be learnt from: what was answered, under any of the ids that are one shopper."""

from __future__ import annotations

from sqlalchemy import Connection

from huaxiang.store.base import Head
from huaxiang.store.shoppers import heads_where


def joined_or_asked(tx: Connection, shop_id: str) -> list[Head]:
    """Return what is known of the ids that were joined with others, or were asked for consent."""
    return heads_where(tx, shop_id, "(group_id IS NOT NULL OR consent IS NOT NULL)")
