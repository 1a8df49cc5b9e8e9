"""Profiles from a model: of words and a photo, and as much of a shopper's as a list reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from huaxiang.encoders.base import ImageInput
from huaxiang.model.known import Known
from huaxiang.profile.asked import asked_facets
from huaxiang.profile.contents import Contents
from huaxiang.profile.derive import Background
from huaxiang.profile.describe import described_state
from huaxiang.records import Profile, Version

if TYPE_CHECKING:
    from huaxiang.model.whole import Model


def background(model: Model, contents: Contents, *, now: datetime | None, position: int) -> Background:
    """Return what profiles are read against."""
    return Background(
        catalogue=model.catalogue,
        population=model.population,
        contents=contents,
        item_vectors_ID=model.vectors["fused"],
        now=now,
        version=_version(model, position),
        config=model.settings.profile,
        reference=model.reference,
    )


def described(model: Model, *, text: str | None, image: ImageInput, now: datetime | None) -> Profile:
    """Return the profile of words, a photo, or both; see `Model.describe`."""
    contents = Contents()
    said, read = model.text_vector(text) if text else (None, None)
    shown, seen = model.image_vector(image) if image is not None else (None, None)
    photo = _name_of(image) if shown is not None and shown.any() else None
    state = described_state(contents, now=now, text=text, image=photo, vectors=(said, shown))
    profile = model.derive(Known(state=state, contents=contents), shopper_id=None, now=now)
    notes = tuple(note for note in (read, seen) if note)
    return replace(profile, degraded=(*profile.degraded, *notes))


def asked(
    model: Model,
    known: Known,
    *,
    shopper_id: str | None,
    now: datetime | None,
    position: int,
    consent: Mapping[str, bool],
) -> Profile:
    """Return as much of a profile as a list reads; see `Model.derive_asked`."""
    facets, notes = asked_facets(
        known.state,
        population=model.population,
        contents=known.contents,
        item_vectors_ID=model.vectors["fused"],
        now=now,
        shopper_id=shopper_id,
        config=model.settings.profile,
    )
    return Profile(
        shopper_id=shopper_id,
        as_of=now,
        version=_version(model, position),
        n_events=known.state.totals.n_events,
        facets=facets,
        interests=(),
        intent=None,
        activity=None,
        portrait={},
        vector=np.zeros(0, dtype=np.float32),
        consent=consent,
        degraded=notes,
        state=known,
    )


def _version(model: Model, position: int) -> Version:
    return Version(position=position, model=model.name, catalogue=model.catalogue.version)


def _name_of(image: ImageInput) -> str | None:
    if image is None:
        return None
    return "photo" if isinstance(image, bytes) else Path(image).name
