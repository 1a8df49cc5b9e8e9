"""The few directions in which a shopper's events point.

The events' vectors are joined step by step where that costs the least variance (Ward), into at most five
clusters; a cluster weighs what its events do, decayed, and it is shown by its most typical item.

Source
------
Pal et al., PinnerSage, KDD 2020, sections 3.2 and 3.3. We cluster the heaviest 64 things instead of all, and
cut at a number of clusters instead of at a distance, so that every event belongs to some interest.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import linkage

from huaxiang.profile.acts import Acts
from huaxiang.profile.contents import Contents
from huaxiang.profile.weights import Config
from huaxiang.records import Matrix, Vector

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SAME_DIRECTION = 0.5
"""Ward distance below which two clusters of unit vectors are one interest whatever the number."""


class Things(NamedTuple):
    """The different things (T) that events are about, heaviest first, and the importance of each.

    `item_T` is the item row, -1 for words and photos; `rows_T` holds each one's events, newest last.
    """

    vectors_TD: Matrix
    item_T: Ints
    importance_T: Floats
    rows_T: list[list[int]]


class Direction(NamedTuple):
    """One interest before it is named: its vector, weight, most typical item and events, heaviest first."""

    vector: Vector
    weight: float
    item: int
    rows: list[int]
    items: Ints
    n_events: int


def importance(acts: Acts, config: Config) -> Floats:
    """Return what each event adds to an interest: its liking weight, decayed as categories are."""
    return np.asarray(acts.like_E * np.exp2(-acts.age_E / config.half_life("category")))


def things_of(
    acts: Acts, contents: Contents, importance_E: Floats, *, item_vectors_ID: Matrix, most: int
) -> Things:
    """Return the heaviest things among the events that have a vector."""
    weighs = np.flatnonzero(importance_E > 0)
    thing = np.where(acts.item_E >= 0, acts.item_E, -1 - acts.content_E)[weighs]
    kept, row = np.unique(thing, return_inverse=True)
    mass = np.asarray(np.bincount(row, importance_E[weighs], minlength=len(kept)), np.float64)
    order = np.argsort(-mass, kind="stable")[:most]
    vectors = _vectors(kept[order], contents, item_vectors_ID)
    has = np.flatnonzero(np.einsum("td,td->t", vectors, vectors) > 0.5)
    order = order[has]
    members = weighs[np.argsort(row, kind="stable")]
    ends = np.cumsum(np.bincount(row, minlength=len(kept)))
    rows_T = [members[ends[k] - n : ends[k]].tolist() for k, n in _sizes(order, ends)]
    return Things(vectors[has], np.where(kept[order] >= 0, kept[order], -1), mass[order], rows_T)


def _sizes(order: Ints, ends: Ints) -> list[tuple[int, int]]:
    counts = np.diff(ends, prepend=0)
    return [(int(k), int(counts[k])) for k in order]


def _vectors(things: Ints, contents: Contents, item_vectors_ID: Matrix) -> Matrix:
    vectors_TD = np.zeros((len(things), item_vectors_ID.shape[1]), np.float32)
    is_item = things >= 0
    vectors_TD[is_item] = item_vectors_ID[things[is_item]]
    for t in np.flatnonzero(~is_item).tolist():
        vector = contents.vector(int(-1 - things[t]))
        if vector is not None:
            vectors_TD[t] = vector
    return vectors_TD


def directions(things: Things, *, config: Config) -> list[Direction]:
    """Return at most `config.interests` directions, heaviest first; their weights sum to 1."""
    if not len(things.importance_T):
        return []
    label_T = _clusters(things.vectors_TD, most=config.interests)
    weight_C = np.bincount(label_T, things.importance_T)
    total = float(weight_C.sum())
    return [
        _direction(things, np.flatnonzero(label_T == c), total, most=config.evidence_per_facet)
        for c in np.argsort(-weight_C, kind="stable").tolist()
        if weight_C[c] > 0
    ]


def _clusters(vectors_TD: Matrix, *, most: int) -> Ints:
    """Return the cluster of each thing, numbered from 0."""
    n_things = len(vectors_TD)
    cluster = list(range(n_things))
    if n_things > 1:
        merges = linkage(_distances(vectors_TD), method="ward").tolist()
        members = {thing: [thing] for thing in range(n_things)}
        for step, (left, right, distance, _) in enumerate(merges):
            if n_things - step <= most and distance > SAME_DIRECTION:
                break
            members[n_things + step] = members.pop(int(left)) + members.pop(int(right))
        for number, things in enumerate(members.values()):
            for thing in things:
                cluster[thing] = number
    return np.array(cluster, np.int64)


def _distances(vectors_TD: Matrix) -> Floats:
    """Return the Euclidean distances of unit rows, condensed as scipy wants them."""
    cosines = (vectors_TD @ vectors_TD.T)[_upper(len(vectors_TD))].astype(np.float64)
    return np.asarray(np.sqrt(np.maximum(2 - 2 * cosines, 0)))


@lru_cache(maxsize=512)
def _upper(n_things: int) -> tuple[Ints, ...]:
    return np.triu_indices(n_things, 1)


def _direction(things: Things, members: Ints, total: float, *, most: int) -> Direction:
    importance_M = things.importance_T[members]
    vectors_MD = things.vectors_TD[members]
    centre = importance_M.astype(np.float32) @ vectors_MD
    centre /= max(float(np.linalg.norm(centre)), 1e-12)
    items = things.item_T[members]
    typical = _medoid(vectors_MD @ centre, items)
    rows = list(things.rows_T[members[typical]])
    for m in members.tolist():
        rows += [row for row in reversed(things.rows_T[m]) if row not in rows][: max(0, most - len(rows))]
    return Direction(
        vector=centre,
        weight=float(importance_M.sum()) / total,
        item=int(items[typical]),
        rows=rows,
        items=items[items >= 0],
        n_events=sum(len(things.rows_T[m]) for m in members.tolist()),
    )


def _medoid(closeness_M: Floats | Vector, items: Ints) -> int:
    """Return the member nearest to the centre: an item where the cluster has one, else words or a photo."""
    closeness = np.where(items >= 0, closeness_M, closeness_M - 4 * bool((items >= 0).any()))
    return int(closeness.argmax())
