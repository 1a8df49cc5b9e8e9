"""What shoppers say about themselves through the service, as events: corrections and consent."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime

from huaxiang.errors import InputError
from huaxiang.records import Event, EventType
from huaxiang.serve.settings import PURPOSES

SIDES = ("liked", "disliked", "withdrawn")


def correction(
    shopper_hash: str, *, dimension: str, value: str, side: str, now: datetime, shop_id: str
) -> Event:
    """Return the event that sets a value outright, or withdraws that.

    Raises
    ------
    InputError
        For a side that is none of liked, disliked and withdrawn.
    """
    if side not in SIDES:
        raise InputError(
            "no such side", column="side", value=side, remedy=f"choose one of {', '.join(SIDES)}"
        )
    said = {"dimension": dimension, "value": value, "side": side}
    return _event(shopper_hash, EventType.CORRECT, said, now=now, shop_id=shop_id)


def consent(
    shopper_hash: str, answers: Mapping[str, bool], *, source: str, now: datetime, shop_id: str
) -> Event:
    """Return the event of what a shopper allows and refuses.

    Raises
    ------
    InputError
        For a purpose that is not known.

    Examples
    --------
    >>> from datetime import UTC
    >>> moment = datetime(2026, 1, 1, tzinfo=UTC)
    >>> consent("hash", {"ads": False}, source="banner", now=moment, shop_id="default").context
    {'consent': {'ads': False}, 'source': 'banner'}
    """
    for purpose in answers:
        if purpose not in PURPOSES:
            remedy = f"purposes are {', '.join(PURPOSES)}"
            raise InputError("no such purpose", column="purposes", value=purpose, remedy=remedy)
    said = {"consent": dict(answers), "source": source}
    return _event(shopper_hash, EventType.CONSENT, said, now=now, shop_id=shop_id)


def _event(
    shopper_hash: str, kind: EventType, context: Mapping[str, object], *, now: datetime, shop_id: str
) -> Event:
    return Event(
        event_id=f"{kind}-{secrets.token_hex(12)}",
        shopper_id=shopper_hash,
        type=kind,
        occurred_at=now,
        received_at=now,
        context=dict(context),
        shop_id=shop_id,
    )
