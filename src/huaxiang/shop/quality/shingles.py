"""Texts as sets of hashed shingles: every stretch of a few characters, found for all texts at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SHINGLE = 4
"""Letters in a shingle; a Chinese character counts for two, as it says about as much."""

Hashes = NDArray[np.uint64]
Rows = NDArray[np.int64]

_MIXERS = tuple(np.uint64(number) for number in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_SECOND_HALF = np.uint32(1 << 21)
"""Added to a Chinese character for its second half: beyond the last code point."""


def plain_text(text: str | None) -> str:
    """Return what texts are compared by: letters and digits in lower case, everything else left out.

    Examples
    --------
    >>> plain_text("Red  DRESS, size 8!"), plain_text("红色，连衣裙。")
    ('reddresssize8', '红色连衣裙')
    """
    return "".join(filter(str.isalnum, (text or "").casefold()))


def shingles_of(plain: Sequence[str]) -> tuple[Hashes, Rows]:
    """Return the hashes of all texts' shingles one after the other, and where each text's begin.

    A text shorter than a shingle is one shingle; an empty one is one too, so that none is without.

    Parameters
    ----------
    plain
        Texts by `plain_text`.

    Returns
    -------
    hashes_S, starts_N
        Text n has `hashes_S[starts_N[n] : starts_N[n + 1]]`; hashes may repeat within a text.

    Examples
    --------
    >>> hashes, starts = shingles_of(["abcde", "bcdef", "红色"])
    >>> starts.tolist(), bool(hashes[1] == hashes[2])
    ([0, 2, 4], True)
    """
    codes, lengths = _codes(plain)
    ends = np.cumsum(lengths)
    mixed = codes.astype(np.uint64) + np.uint64(1)
    hashes = np.zeros(len(codes), np.uint64)
    for place in range(SHINGLE):
        hashes *= _MIXERS[0]
        hashes[: len(codes) - place or None] += mixed[place:]
    places_of = np.arange(len(codes)) - np.repeat(ends - lengths, lengths)
    is_whole = places_of < np.repeat(np.maximum(lengths - SHINGLE + 1, 1), lengths)
    counts = np.maximum(lengths - SHINGLE + 1, 1)
    return _mixed(hashes[is_whole]), np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)


def _codes(plain: Sequence[str]) -> tuple[NDArray[np.uint32], Rows]:
    """Return the code points of all texts, padded to a shingle, and each text's number of them.

    The padding keeps a short text's one shingle from reaching into the next text.
    """
    single = np.frombuffer("".join(plain).encode("utf-32-le", "surrogatepass"), np.uint32)
    lengths = np.fromiter(map(len, plain), np.int64, len(plain))
    is_han = (single >= 0x3400) & (single <= 0x9FFF) | (single >= 0x20000)
    doubled = np.repeat(single, 1 + is_han)
    second = np.cumsum(1 + is_han) - 1
    doubled[second[is_han]] += _SECOND_HALF
    row = np.repeat(np.arange(len(plain)), lengths)
    n_codes = lengths + np.bincount(row, weights=is_han, minlength=len(plain)).astype(np.int64)
    padded = np.maximum(n_codes, SHINGLE)
    codes = np.zeros(int(padded.sum()), np.uint32)
    starts = np.cumsum(padded) - padded
    inside = np.arange(len(doubled)) - np.repeat(np.cumsum(n_codes) - n_codes, n_codes)
    codes[np.repeat(starts, n_codes) + inside] = doubled
    return codes, padded


def _mixed(hashes: Hashes) -> Hashes:
    """Return hashes in which each bit depends on all (the end of SplitMix64)."""
    hashes ^= hashes >> np.uint64(30)
    hashes *= _MIXERS[1]
    hashes ^= hashes >> np.uint64(27)
    hashes *= _MIXERS[2]
    return hashes ^ (hashes >> np.uint64(31))
