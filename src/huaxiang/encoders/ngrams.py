"""Texts → hashed n-grams of characters and words, with no vocabulary to keep."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray

Offsets = NDArray[np.int64]
Buckets = NDArray[np.int64]

_UNIT = re.compile(r"[a-z]+|[0-9]+|[^\W_]")
_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_FOLD = np.uint64(31)


def hashed_ngrams(texts: Sequence[str], *, n_buckets: int, longest: int = 4) -> tuple[Buckets, Offsets]:
    """Return the bucket of every n-gram of every text: text `i` has `buckets[offsets[i]:offsets[i + 1]]`.

    A unit is a run of Latin letters, a run of digits, or any other single letter, so that Chinese is read
    by characters and English by words. An n-gram is up to `longest` units in a row.

    Parameters
    ----------
    texts
        Cleaned texts; letter case is ignored.
    n_buckets
        How many different n-grams can be told apart, ≥ 1.

    Examples
    --------
    >>> buckets, offsets = hashed_ngrams(["红色 dress", ""], n_buckets=1000, longest=2)
    >>> offsets.tolist()  # 红, 色, dress, 红色, 色 dress
    [0, 5, 5]
    """
    units_per_text = [_units(text) for text in texts]
    lengths = np.array([len(units) for units in units_per_text], np.int64)
    units = np.fromiter(chain.from_iterable(units_per_text), np.uint64, int(lengths.sum()))
    text_rows = np.repeat(np.arange(len(texts)), lengths)
    hashes, rows = _ngrams(units, text_rows, longest=longest)
    order = np.argsort(rows, kind="stable")
    offsets = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(texts)))]).astype(np.int64)
    return (hashes[order] % np.uint64(n_buckets)).astype(np.int64), offsets


def _ngrams(
    units: NDArray[np.uint64], text_rows: NDArray[np.int64], *, longest: int
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    hashes, rows = [_mixed(units)], [text_rows]
    running = units
    for n in range(2, longest + 1):
        running = running[:-1] * _STEP + units[n - 1 :]
        is_inside = text_rows[: len(running)] == text_rows[n - 1 :]
        hashes.append(_mixed(running[is_inside] + np.uint64(n)))
        rows.append(text_rows[: len(running)][is_inside])
    return np.concatenate(hashes), np.concatenate(rows)


def _mixed(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    spread = (hashes ^ (hashes >> _FOLD)) * _MIX
    return spread ^ (spread >> _FOLD)


def _units(text: str) -> list[int]:
    return [ord(unit) if len(unit) == 1 else _word(unit) for unit in _UNIT.findall(text.lower())]


@lru_cache(maxsize=65_536)
def _word(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")
