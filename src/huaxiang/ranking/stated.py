"""What the shopper asked for or refused, in words or by correcting the profile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huaxiang.knowledge.graph.tree import CATEGORY, FAMILY, tree_of
from huaxiang.profile.constraints import stated_constraints
from huaxiang.profile.prices import PRICE_LIMIT
from huaxiang.records import Facet, Profile, Vector
from huaxiang.shop.catalogue import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One value that was asked for or refused, and the event that says so (None for a described profile)."""

    dimension: str
    value: str
    event_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """Everything that was asked for and refused; a price limit in minor units."""

    liked: tuple[Said, ...] = ()
    refused: tuple[Said, ...] = ()
    min_minor: int | None = None
    max_minor: int | None = None
    limit_event_id: str | None = None

    @property
    def has_limit(self) -> bool:
        """Whether a price limit was stated."""
        return self.min_minor is not None or self.max_minor is not None


NOTHING_STATED = Stated()


def stated_in(profile: Profile) -> Stated:
    """Return what the stated and corrected facets of a profile ask of a list; inferred ones ask nothing."""
    asked = stated_constraints(profile)
    event_of = {
        (facet.dimension, facet.value): _event_of(facet)
        for facet in profile.facets
        if facet.source != "inferred"
    }
    limits = [event for (dimension, _), event in event_of.items() if dimension == PRICE_LIMIT]
    return Stated(
        liked=_said(asked.wanted, event_of),
        refused=_said(asked.excluded, event_of),
        min_minor=asked.price_min_minor,
        max_minor=asked.price_max_minor,
        limit_event_id=next(iter(limits), None),
    )


def has_value(catalogue: Catalogue, said: Said) -> Vector:
    """Return how far each item has the value, 0 to 1, (I,); 0 throughout for one the catalogue lacks."""
    shares_I = np.zeros(catalogue.n_items, dtype=np.float32)
    if said.dimension == FAMILY:
        return _has_family(catalogue, said.value)
    dimension = catalogue.dimensions.get(said.dimension)
    row = dimension.row_of.get(said.value) if dimension else None
    if dimension is None or row is None:
        return shares_I
    entries = np.flatnonzero(dimension.value_rows == row)
    items = np.searchsorted(dimension.offsets, entries, side="right") - 1
    shares_I[items] = dimension.weights[entries]
    return shares_I


def _has_family(catalogue: Catalogue, value: str) -> Vector:
    """Return how far each item has a category of a family, 0 to 1, (I,)."""
    tree, shares_I = tree_of(catalogue), np.zeros(catalogue.n_items, dtype=np.float32)
    if value in tree.row_of:
        for category in tree.categories_of(tree.row_of[value]).tolist():
            shares_I += has_value(catalogue, Said(dimension=CATEGORY, value=tree.categories[category]))
    return np.minimum(shares_I, 1.0)


def is_refused(catalogue: Catalogue, stated: Stated) -> NDArray[np.bool_]:
    """Return which items have a refused value, (I,)."""
    refused_I = np.zeros(catalogue.n_items, dtype=bool)
    for said in stated.refused:
        refused_I |= has_value(catalogue, said) > 0
    return refused_I


def is_beyond_limit(catalogue: Catalogue, stated: Stated) -> NDArray[np.bool_]:
    """Return which items miss the price limit, (I,); those without a price do."""
    if not stated.has_limit:
        return np.zeros(catalogue.n_items, dtype=bool)
    price_I = catalogue.price_minor
    too_dear = price_I > stated.max_minor if stated.max_minor is not None else False
    too_cheap = price_I < stated.min_minor if stated.min_minor is not None else False
    return np.asarray((price_I < 0) | too_dear | too_cheap)


def likes_met(catalogue: Catalogue, stated: Stated) -> Vector:
    """Return how much of what was asked for each item has, 0 to 1, (I,).

    What it is counts more than how it looks: who asks for red running shoes would sooner take blue ones than
    a red hat.
    """
    dimensions = dict.fromkeys(said.dimension for said in stated.liked)
    met_I = np.zeros(catalogue.n_items, dtype=np.float32)
    for dimension in dimensions:
        values = [has_value(catalogue, said) for said in stated.liked if said.dimension == dimension]
        met_I += _WORTH.get(dimension, 1.0) * np.minimum(np.sum(values, axis=0), 1.0)
    worth = sum(_WORTH.get(dimension, 1.0) for dimension in dimensions)
    return np.asarray(met_I / (worth or 1.0), dtype=np.float32)


_WORTH: Mapping[str, float] = {"category": 4.0, "family": 3.0, "brand": 2.0}


def _said(
    pairs: Iterable[tuple[str, str]], event_of: Mapping[tuple[str, str], str | None]
) -> tuple[Said, ...]:
    return tuple(
        Said(dimension=dimension, value=value, event_id=event_of.get((dimension, value)))
        for dimension, value in sorted(pairs)
    )


def _event_of(facet: Facet) -> str | None:
    return next((evidence.event_id for evidence in facet.evidence if evidence.event_id), None)
