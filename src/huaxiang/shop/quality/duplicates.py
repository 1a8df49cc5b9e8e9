"""Texts that are the same or nearly so, found among all without comparing each with each.

Exact ones share their plain text. For near ones each text's set of shingles is shortened to MinHashes; texts
of which a band of MinHashes agrees are compared exactly, by the Jaccard similarity of their sets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from huaxiang.errors import SettingsError
from huaxiang.shop.quality.shingles import Hashes, Rows, plain_text, shingles_of

Pairs = NDArray[np.int64]

_SHORT = 80
"""Letters of a text below which another number is another thing."""
_AT_ONCE = 4_000_000
"""Characters whose shingles are in memory at once, unless one text has more."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """How alike is nearly the same, and how hard it is looked for.

    Parameters
    ----------
    similarity
        Least share of shingles that two texts have in common, of those that either has; above 0 to 1.
    bands, rows
        MinHashes are compared in `bands` groups of `rows`; ≥ 1. A pair of similarity s is found with
        probability 1 − (1 − s^rows)^bands: .998 at .8, .04 at .35 as they are.
    all_pairs_up_to
        Texts that share a band are compared each with each up to this many; beyond, each with the first
        and with its neighbours, so that a template in a thousand texts takes no million comparisons; ≥ 2.
    """

    similarity: float = 0.8
    bands: int = 20
    rows: int = 6
    all_pairs_up_to: int = 24

    def __post_init__(self) -> None:
        allowed = {
            "similarity": 0 < self.similarity <= 1,
            "bands": self.bands >= 1,
            "rows": self.rows >= 1,
            "all_pairs_up_to": self.all_pairs_up_to >= 2,
        }
        for name, is_allowed in allowed.items():
            if not is_allowed:
                raise SettingsError(
                    "setting is out of range",
                    column=f"duplicates.{name}",
                    value=str(getattr(self, name)),
                    remedy="give a share above 0 to 1" if name == "similarity" else "give a larger number",
                )


@dataclass(frozen=True, kw_only=True)
class Alike:
    """A text that repeats an earlier one: `similarity` is 1 where their words are the same."""

    row: int
    first: int
    similarity: float
    is_exact: bool


def repeated_texts(
    texts: Sequence[str | None], *, config: Config | None = None, seed: int = 0
) -> list[Alike]:
    """Return the texts that repeat an earlier one which repeats none itself; texts without words never do.

    Each is alike to the very text it is said to repeat, never only through others between.

    Examples
    --------
    >>> texts = ["A lovely soft red dress for summer days.", "soft", "A lovely soft red dress for summer day",
    ...          "Soft!"]
    >>> [(one.row, one.first, round(one.similarity, 2), one.is_exact) for one in repeated_texts(texts)]
    [(2, 0, 0.97, False), (3, 1, 1.0, True)]
    """
    plain = [plain_text(text) for text in texts]
    first_of: dict[str, int] = {}
    exact = [
        Alike(row=row, first=first_of[one], similarity=1.0, is_exact=True)
        for row, one in enumerate(plain)
        if one and first_of.setdefault(one, row) != row
    ]
    kept = np.array(sorted(first_of.values()), np.int64)
    leader_of = _leaders(near_pairs([plain[row] for row in kept], config=config, seed=seed))
    near = {
        int(kept[row]): Alike(
            row=int(kept[row]), first=int(kept[first]), similarity=similarity, is_exact=False
        )
        for row, (first, similarity) in leader_of.items()
    }
    through = [_through(one, near) for one in exact]
    return sorted([*through, *near.values()], key=lambda one: one.row)


def _through(one: Alike, near: Mapping[int, Alike]) -> Alike:
    """Return an exact repeat of a text that repeats another as a near repeat of that other."""
    other = near.get(one.first)
    if other is None:
        return one
    return Alike(row=one.row, first=other.first, similarity=other.similarity, is_exact=False)


def _leaders(pairs: Mapping[tuple[int, int], float]) -> dict[int, tuple[int, float]]:
    """Return row → the earliest row it is alike to that is alike to none before, and how alike."""
    leader_of: dict[int, tuple[int, float]] = {}
    for first, row in sorted(pairs, key=lambda pair: (pair[1], pair[0])):
        if row not in leader_of and first not in leader_of:
            leader_of[row] = (first, pairs[first, row])
    return leader_of


def near_pairs(
    plain: Sequence[str], *, config: Config | None = None, seed: int = 0
) -> dict[tuple[int, int], float]:
    """Return pairs of rows (the earlier first) → their similarity, where it reaches `config.similarity`.

    Short texts that differ in a digit are not nearly the same.

    Parameters
    ----------
    plain
        Texts by `plain_text`, each of them once.
    """
    config = config or Config()
    if len(plain) < 2:
        return {}
    candidates = _candidates(_signatures(plain, n=config.bands * config.rows, seed=seed), config)
    similarities = _similarities(plain, candidates)
    is_alike = (similarities >= config.similarity) & ~_differ_in_number(plain, candidates)
    return {
        (int(first), int(row)): float(similarity)
        for (first, row), similarity in zip(candidates[is_alike], similarities[is_alike], strict=True)
    }


def _signatures(plain: Sequence[str], *, n: int, seed: int) -> NDArray[np.uint32]:
    """Return the MinHashes of all texts, made for some at a time so that memory is bounded."""
    ends = np.cumsum([len(one) for one in plain])
    cuts = np.unique(np.searchsorted(ends, np.arange(_AT_ONCE, ends[-1], _AT_ONCE)))
    bounds = [0, *cuts[cuts > 0].tolist(), len(plain)]
    parts = (plain[start:end] for start, end in pairwise(bounds) if end > start)
    return np.concatenate([minhashes(*shingles_of(part), n=n, seed=seed) for part in parts])


def _differ_in_number(plain: Sequence[str], pairs: Pairs) -> NDArray[np.bool_]:
    """Return which pairs of short texts have other digits: "door sign 3" is not "door sign 4"."""
    digits = {
        row: "".join(filter(str.isdigit, plain[row])) if len(plain[row]) < _SHORT else None
        for row in np.unique(pairs).tolist()
    }
    told = [(digits[first], digits[row]) for first, row in pairs.tolist()]
    return np.array([None not in both and both[0] != both[1] for both in told], dtype=np.bool_)


def minhashes(hashes_S: Hashes, starts_N: Rows, *, n: int, seed: int) -> NDArray[np.uint32]:
    """Return for each text the least of its hashes under each of `n` hash functions, shape (N, n).

    Source
    ------
    Broder, On the resemblance and containment of documents, 1997; hashing by multiply and shift
    (Dietzfelbinger et al., 1997).
    """
    rng = np.random.default_rng(seed)
    factors = rng.integers(0, 2**63, n, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    least = np.empty((len(starts_N), n), np.uint32)
    for number, factor in enumerate(factors):
        shuffled = ((hashes_S * factor) >> np.uint64(32)).astype(np.uint32)
        least[:, number] = np.minimum.reduceat(shuffled, starts_N)
    return least


def _candidates(signatures: NDArray[np.uint32], config: Config) -> Pairs:
    """Return the pairs of rows that share a band, each once, the earlier row first."""
    found = [
        pair
        for band in range(config.bands)
        for pair in _pairs_in_band(signatures[:, band * config.rows : (band + 1) * config.rows], config)
    ]
    if not found:
        return np.empty((0, 2), np.int64)
    return np.unique(np.concatenate(found), axis=0)


def _pairs_in_band(band: NDArray[np.uint32], config: Config) -> Iterator[Pairs]:
    packed = np.ascontiguousarray(band).view(np.dtype((np.void, band.shape[1] * 4))).ravel()
    _, bucket = np.unique(packed, return_inverse=True)
    order = np.argsort(bucket, kind="stable")
    sizes = np.bincount(bucket)
    ends = np.cumsum(sizes)
    for number in np.flatnonzero(sizes > 1):
        members = order[ends[number] - sizes[number] : ends[number]]
        yield _pairs_of(members, config.all_pairs_up_to)


def _pairs_of(members: Rows, all_pairs_up_to: int) -> Pairs:
    if len(members) <= all_pairs_up_to:
        first, second = np.triu_indices(len(members), k=1)
        return np.column_stack([members[first], members[second]])
    with_first = np.column_stack([np.full(len(members) - 1, members[0]), members[1:]])
    neighbours = np.column_stack([members[:-1], members[1:]])
    return np.concatenate([with_first, neighbours])


def _similarities(plain: Sequence[str], pairs: Pairs) -> NDArray[np.float64]:
    """Return the Jaccard similarity of the shingle sets of each pair."""
    sets = {row: np.unique(shingles_of([plain[row]])[0]) for row in np.unique(pairs).tolist()}
    return np.array([_jaccard(sets[first], sets[second]) for first, second in pairs.tolist()])


def _jaccard(one: Hashes, other: Hashes) -> float:
    both = len(np.intersect1d(one, other, assume_unique=True))
    return both / (len(one) + len(other) - both)
