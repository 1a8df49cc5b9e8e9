"""Texts that stand on both sides of a split: what is tested on was learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from huaxiang.shop.quality.duplicates import Config, near_pairs
from huaxiang.shop.quality.shingles import plain_text


@dataclass(frozen=True, kw_only=True)
class Leak:
    """A row whose text stands in `other`, a row of another side."""

    row: int
    other: int
    similarity: float
    is_exact: bool


def leaks_between(
    texts: Sequence[str | None], sides: Sequence[str], *, config: Config | None = None, seed: int = 0
) -> list[Leak]:
    """Return for each row the most alike text of another side, if it is the same or nearly so.

    Parameters
    ----------
    sides
        Which part of the split each text belongs to.

    Examples
    --------
    >>> texts = ["Red dress", "Blue hat", "red dress!", "Green shoe"]
    >>> [(leak.row, leak.other) for leak in leaks_between(texts, ["train", "train", "test", "test"])]
    [(0, 2), (2, 0)]
    """
    plain = [plain_text(text) for text in texts]
    first_of: dict[str, dict[str, int]] = {}
    for row, one in enumerate(plain):
        if one:
            first_of.setdefault(one, {}).setdefault(sides[row], row)
    near = _near_others(first_of, config=config, seed=seed)
    found = []
    for row, one in enumerate(plain):
        other = next((other for side, other in first_of.get(one, {}).items() if side != sides[row]), None)
        if other is not None:
            found.append(Leak(row=row, other=other, similarity=1.0, is_exact=True))
        elif (one, sides[row]) in near:
            similarity, other = near[one, sides[row]]
            found.append(Leak(row=row, other=other, similarity=similarity, is_exact=False))
    return found


def _near_others(
    first_of: dict[str, dict[str, int]], *, config: Config | None, seed: int
) -> dict[tuple[str, str], tuple[float, int]]:
    """Return (text, side) → how alike the most alike text of another side is, and its row."""
    different = list(first_of)
    best: dict[tuple[str, str], tuple[float, int]] = {}
    for pair, similarity in near_pairs(different, config=config, seed=seed).items():
        for one, other in (pair, pair[::-1]):
            rows_of_other = first_of[different[other]]
            for side in first_of[different[one]]:
                row = next((row for where, row in rows_of_other.items() if where != side), None)
                key = (different[one], side)
                if row is not None and similarity > best.get(key, (0.0, 0))[0]:
                    best[key] = (similarity, row)
    return best
