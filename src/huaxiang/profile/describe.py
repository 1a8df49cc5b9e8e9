"""Words and a picture with no history: a description is a state of up to two events."""

from __future__ import annotations

from datetime import datetime

from huaxiang.profile.contents import Contents
from huaxiang.profile.state import ProfileState, StateEvent, Totals
from huaxiang.profile.update import milliseconds
from huaxiang.records import EventType, Vector

_STATE = EventType.STATE.code
TEXT_KEY, IMAGE_KEY = 1, 2


def described_state(
    contents: Contents,
    *,
    now: datetime | None,
    text: str | None = None,
    image: str | None = None,
    vectors: tuple[Vector | None, Vector | None] = (None, None),
) -> ProfileState:
    """Return a description as a state, and remember its text and photo in `contents`.

    Examples
    --------
    >>> len(described_state(Contents(), now=None, text="running shoes").events())
    1
    """
    said = []
    if text and text.strip():
        said.append((TEXT_KEY, contents.add_text(text), vectors[0]))
    if image is not None:
        said.append((IMAGE_KEY, contents.add_image(image), vectors[1]))
    occurred_ms = 0 if now is None else milliseconds(now)
    for _, content, vector in said:
        if vector is not None:
            contents.add_vectors([content], vector[None, :])
    events = tuple(StateEvent(occurred_ms, key, _STATE, content=content) for key, content, _ in said)
    totals = Totals(occurred_ms, occurred_ms, n_events=len(events))
    return ProfileState(strong=events, totals=totals, order_only=now is None)
