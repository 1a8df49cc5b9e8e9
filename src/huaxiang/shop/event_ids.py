"""Event ids for lines that have none: a hash of file and line, the same at each reading."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import polars as pl
from numpy.typing import NDArray

_N_DIGITS = 16


def line_ids(file: str, lines: pl.Series) -> pl.Series:
    """Return one id of 16 hexadecimal digits per line; different within a file for certain.

    Parameters
    ----------
    file
        The file's name in the shop folder, not its path: a moved folder keeps its ids.
    lines
        Line numbers, (E,).

    Examples
    --------
    >>> first, again = (line_ids("events.csv", pl.Series([2, 3])) for _ in range(2))
    >>> first.to_list() == again.to_list(), first.n_unique(), first.str.len_chars().to_list()
    (True, 2, [16, 16])

    Source
    ------
    The mixing is the finaliser of SplitMix64: Steele, Lea and Flood, Fast Splittable Pseudorandom Number
    Generators, OOPSLA 2014. It is one-to-one, so lines of a file never collide.
    """
    seed = np.frombuffer(blake2b(file.encode("utf-8"), digest_size=8).digest(), dtype=np.uint64)
    mixed_E = _mixed(lines.to_numpy().astype(np.uint64) + seed)
    digits = np.frombuffer(mixed_E.astype(">u8").tobytes().hex().encode("ascii"), dtype=f"S{_N_DIGITS}")
    return pl.Series("event_id", digits, dtype=pl.Binary).cast(pl.String)


def _mixed(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
