"""Products with the same title stay together: a copy of what was learnt is no test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class PhotoSplit:
    """Rows that are learnt, those by which the best weights are chosen, and those that are reported."""

    train: Rows
    validation: Rows
    test: Rows


def split_by_title(
    titles: Sequence[str | None], *, validation_share: float, test_share: float, seed: int
) -> PhotoSplit:
    """Return rows by shares of the distinct titles; a product without one has a title of its own.

    Case and spaces make no other title. The draw depends on titles and seed alone, not on their order,
    where every product has one.

    Examples
    --------
    >>> split = split_by_title(["a", "b", "A ", "c"], validation_share=0.34, test_share=0.34, seed=0)
    >>> sorted(len(rows) for rows in (split.train, split.validation, split.test))
    [1, 1, 2]
    """
    keys = np.array([_key(title, row) for row, title in enumerate(titles)])
    names, group_N = np.unique(keys, return_inverse=True)
    place_N = np.random.default_rng(seed).permutation(len(names))[group_N]
    n_test, n_validation = (round(len(names) * share) for share in (test_share, validation_share))
    is_test, is_validation = place_N < n_test, place_N >= len(names) - n_validation
    return PhotoSplit(
        train=np.flatnonzero(~is_test & ~is_validation),
        validation=np.flatnonzero(is_validation & ~is_test),
        test=np.flatnonzero(is_test),
    )


def _key(title: str | None, row: int) -> str:
    words = " ".join((title or "").casefold().split())
    return words or f"\0{row}"
