"""A profile from words and a picture, with no history: a description is a state of up to two events."""

from __future__ import annotations

from datetime import datetime

from huaxiang.errors import InputError
from huaxiang.profile.contents import Contents
from huaxiang.profile.derive import NO_VERSION, derive_profile
from huaxiang.profile.population import Population
from huaxiang.profile.state import ProfileState, StateEvent, Totals
from huaxiang.profile.update import milliseconds
from huaxiang.profile.weights import Config
from huaxiang.records import EventType, Matrix, Profile, Vector, Version
from huaxiang.shop.catalogue import Catalogue

_STATE = EventType.STATE.code
TEXT_KEY, IMAGE_KEY = 1, 2


def describe(  # noqa: PLR0913 - what is described, and all that a profile is a function of
    *,
    catalogue: Catalogue,
    population: Population,
    item_vectors_ID: Matrix,
    now: datetime | None,
    text: str | None = None,
    text_vector: Vector | None = None,
    image: str | None = None,
    image_vector: Vector | None = None,
    version: Version = NO_VERSION,
    config: Config | None = None,
    contents: Contents | None = None,
) -> Profile:
    """Return the profile that a text, a photo or both describe.

    Wishes in the text become stated facets, with the words as evidence; what the photo's look-alikes have in
    common becomes inferred ones, with the photo as evidence. The profile's `state` holds the two events, so
    that lists are made from it as from any other.

    Parameters
    ----------
    text_vector, image_vector
        In the fused space of `item_vectors_ID`; None or zero where there is none.
    image
        A name for the photo, shown as evidence; needed where `image_vector` is given.
    contents
        Where text and photo are remembered, so that `state` can be read later; None makes a new one.

    Raises
    ------
    InputError
        When neither a text nor a photo is given.
    """
    if not (text and text.strip()) and image is None:
        raise InputError("nothing was described", remedy="give a text, a photo or both")
    contents = Contents() if contents is None else contents
    return derive_profile(
        described_state(contents, now=now, text=text, image=image, vectors=(text_vector, image_vector)),
        catalogue=catalogue,
        population=population,
        contents=contents,
        item_vectors_ID=item_vectors_ID,
        now=now,
        version=version,
        config=config,
        described=True,
    )


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
