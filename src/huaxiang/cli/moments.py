"""Moments that options say."""

from __future__ import annotations

from datetime import UTC, datetime

from huaxiang.errors import InputError


def moment(text: str | None, *, option: str) -> datetime | None:
    """Return the moment that an option says; without an offset it is UTC."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            "not a time", column=option, value=text, remedy="write it as 2026-11-11T20:00:00+08:00"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
