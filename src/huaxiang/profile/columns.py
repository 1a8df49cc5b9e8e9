"""Columns of integers in few bytes: a base, low bits for all, high bits for the few that need them.

Item numbers, gaps between events, quantities: most values of a column are small and a few are not. Packing
all of them as wide as the widest wastes most of it, so the width is split where the sum is least.

Source
------
Zukowski et al., Super-Scalar RAM-CPU Cache Compression, ICDE 2006 (patched frame of reference); here the
exceptions are marked by a bitmap.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from huaxiang.errors import ArtefactError

WIDEST = 63
"""Bits of the largest difference within a column."""
SHORT = 64
"""Columns up to this long are read as one large integer."""
LONGEST = 1 << 16
"""The most values a column may claim to have, so that damaged bytes can't ask for all the memory."""


def packed_number(value: int) -> bytes:
    """Return an integer of either sign, shorter the nearer it is to zero (zigzag, then seven bits a byte).

    Examples
    --------
    >>> packed_number(-3).hex(), packed_number(300).hex()
    ('05', 'd804')
    """
    left = value << 1 if value >= 0 else (-value << 1) - 1
    parts = bytearray()
    while left >= 0x80:
        parts.append(left & 0x7F | 0x80)
        left >>= 7
    parts.append(left)
    return bytes(parts)


def packed_column(values: Sequence[int]) -> bytes:
    """Return the column as bytes; `Reader.column` needs its length to read it back.

    Examples
    --------
    >>> len(packed_column([7] * 100)), len(packed_column([0] * 99 + [2**40]))
    (2, 22)
    """
    base = min(values, default=0)
    rest = np.array(values, dtype=np.int64) - base
    width = int(rest.max(initial=0)).bit_length()
    start = packed_number(base) + bytes([width])
    if width == 0:
        return start
    low = _cheapest_split(rest, width)
    whole = start + bytes([low]) + _bits(rest & ((1 << low) - 1), low)
    if low == width:
        return whole
    high = rest >> low
    return whole + _bits(np.asarray(high > 0, dtype=np.int64), 1) + _bits(high[high > 0], width - low)


class Reader:
    """Reads numbers and columns back, in the order in which they were packed.

    Raises
    ------
    ArtefactError
        From every method, when the bytes end early or can't have been written by this module.
    """

    def __init__(self, stored: bytes) -> None:
        self._stored = stored
        self._position = 0

    def take(self, n_bytes: int) -> bytes:
        """Return the next bytes as they are."""
        taken = self._stored[self._position : self._position + n_bytes]
        if len(taken) < n_bytes:
            raise _broken("a stored state is truncated")
        self._position += n_bytes
        return taken

    def number(self) -> int:
        """Return the next `packed_number`."""
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        signed = value >> 1 if value & 1 == 0 else -(value >> 1) - 1
        if signed.bit_length() > WIDEST:
            raise _broken("a stored state is damaged")
        return signed

    def count(self) -> int:
        """Return the next `packed_number`, which is a length."""
        length = self.number()
        if not 0 <= length <= LONGEST:
            raise _broken("a stored state is damaged")
        return length

    def column(self, length: int) -> list[int]:
        """Return the next `packed_column`, `length` integers."""
        base, width = self.number(), self.take(1)[0]
        if width == 0:
            return [base] * length
        low = self.take(1)[0]
        if low > width or width > WIDEST:
            raise _broken("a stored state is damaged")
        values = self._numbers(length, low)
        if low < width:
            wide = [row for row, is_high in enumerate(self._numbers(length, 1)) if is_high]
            for row, high in zip(wide, self._numbers(len(wide), width - low), strict=True):
                values[row] |= high << low
        return [value + base for value in values]

    def finish(self) -> None:
        """Check that nothing is left over."""
        if self._position != len(self._stored):
            raise _broken("a stored state has bytes left over")

    def _numbers(self, length: int, width: int) -> list[int]:
        taken = self.take((length * width + 7) // 8)
        if length <= SHORT:  # the usual state: arrays would cost more than they save
            whole, mask = int.from_bytes(taken, "little"), (1 << width) - 1
            return [whole >> at & mask for at in range(0, length * width, width)] if width else [0] * length
        bits = np.unpackbits(np.frombuffer(taken, dtype=np.uint8), count=length * width, bitorder="little")
        weights = np.int64(1) << np.arange(width, dtype=np.int64)
        numbers: list[int] = (bits.reshape(length, width).astype(np.int64) @ weights).tolist()
        return numbers


def _cheapest_split(rest: NDArray[np.int64], width: int) -> int:
    """Return how many low bits to store for every value, so that all bits together are fewest."""
    n_wider = len(rest) - np.cumsum(np.bincount([int(value).bit_length() for value in rest]))
    low = np.arange(width + 1)
    marked = np.where(n_wider > 0, len(rest) + n_wider * (width - low), 0)
    return int(np.argmin(len(rest) * low + marked))


def _bits(values: NDArray[np.int64], width: int) -> bytes:
    places = np.arange(width, dtype=np.int64)
    return np.packbits(((values[:, None] >> places) & 1).astype(np.uint8), bitorder="little").tobytes()


def _broken(message: str) -> ArtefactError:
    return ArtefactError(message, remedy="build the states again from the events")
