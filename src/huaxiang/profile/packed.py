"""A state as bytes: what a cache holds, at most 400 for thirty events.

Layout, after two letters and a version: flags, the unit of the times, the events column by column, the items
bought earlier, and the sums as differences from what the events already say.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import gcd

import numpy as np

from huaxiang.errors import ArtefactError
from huaxiang.profile.columns import Reader, packed_column, packed_number
from huaxiang.profile.state import LIGHT, STRONG, ProfileState, StateEvent, Totals

FORMAT_VERSION = 1
_MAGIC = b"HX"
_KEY_BYTES = 5
_UNITS_MS = (60_000, 1_000, 1)


def packed_state(state: ProfileState) -> bytes:
    """Return the state as bytes, the same for equal states."""
    events = state.events()
    bought = sorted((occurred_ms, item_no) for item_no, occurred_ms in state.bought.items())
    unit_ms = _unit_ms([event.occurred_ms for event in events] + [occurred_ms for occurred_ms, _ in bought])
    head = _MAGIC + bytes([FORMAT_VERSION, state.order_only, _UNITS_MS.index(unit_ms)])
    return b"".join(
        [
            head,
            _packed_events(events, unit_ms),
            _packed_bought(bought, unit_ms),
            _packed_totals(state.totals, _expected(events)),
        ]
    )


def unpacked_state(stored: bytes) -> ProfileState:
    """Return the state that `packed_state` wrote.

    Raises
    ------
    ArtefactError
        When the bytes are not a state, are cut short, or were written by a newer version.
    """
    reader = Reader(stored)
    order_only, unit_ms = _read_head(reader)
    events = _read_events(reader, unit_ms)
    bought = _read_bought(reader, unit_ms)
    totals = _read_totals(reader, _expected(events))
    reader.finish()
    return ProfileState(
        strong=tuple(event for event in events if event.type in STRONG),
        light=tuple(event for event in events if event.type in LIGHT),
        bought=bought,
        totals=totals,
        order_only=order_only,
    )


def _read_head(reader: Reader) -> tuple[bool, int]:
    """Return whether times are ordinals, and the unit of the times."""
    if reader.take(2) != _MAGIC:
        raise ArtefactError(
            "bytes are not a shopper's state", remedy="build the states again from the events"
        )
    version, order_only, unit = reader.take(3)
    if version > FORMAT_VERSION:
        raise ArtefactError(
            "a state was stored by a newer version",
            value=str(version),
            remedy=f"upgrade huaxiang; this one reads up to {FORMAT_VERSION}",
        )
    if unit >= len(_UNITS_MS):
        raise ArtefactError("a stored state is damaged", remedy="build the states again from the events")
    return bool(order_only), _UNITS_MS[unit]


def _unit_ms(times_ms: Sequence[int]) -> int:
    """Return the longest unit in which all the times are whole: minutes, seconds or milliseconds."""
    common = gcd(*times_ms)
    return next(unit for unit in _UNITS_MS if common % unit == 0)


def _packed_events(events: Sequence[StateEvent], unit_ms: int) -> bytes:
    columns = list(zip(*events, strict=True)) or [()] * len(StateEvent._fields)
    keys = b"".join(key.to_bytes(_KEY_BYTES, "big") for key in columns[1])
    rest = b"".join(packed_column(column) for column in columns[2:])
    return packed_number(len(events)) + _packed_times(columns[0], unit_ms) + keys + rest


def _read_events(reader: Reader, unit_ms: int) -> list[StateEvent]:
    n_events = reader.count()
    times = _read_times(reader, n_events, unit_ms)
    keys = [int.from_bytes(reader.take(_KEY_BYTES), "big") for _ in range(n_events)]
    columns = [reader.column(n_events) for _ in StateEvent._fields[2:]]
    return [StateEvent(*fields) for fields in zip(times, keys, *columns, strict=True)]


def _packed_bought(bought: Sequence[tuple[int, int]], unit_ms: int) -> bytes:
    times = _packed_times([occurred_ms for occurred_ms, _ in bought], unit_ms)
    return packed_number(len(bought)) + times + packed_column([item_no for _, item_no in bought])


def _read_bought(reader: Reader, unit_ms: int) -> dict[int, int]:
    n_items = reader.count()
    times = _read_times(reader, n_items, unit_ms)
    return dict(zip(reader.column(n_items), times, strict=True))


def _packed_times(times_ms: Sequence[int], unit_ms: int) -> bytes:
    """Pack ascending times as the first one and the gaps between them."""
    first_ms = times_ms[0] if times_ms else 0
    gaps = np.diff(np.array(times_ms, dtype=np.int64) // unit_ms).tolist()
    return packed_number(first_ms // unit_ms) + packed_column(gaps)


def _read_times(reader: Reader, length: int, unit_ms: int) -> list[int]:
    first = reader.number()
    gaps = reader.column(max(length - 1, 0))
    times = [moment * unit_ms for moment in accumulate(gaps, initial=first)]
    return times[:length]


def _expected(events: Sequence[StateEvent]) -> Totals:
    """Return the sums that the kept events alone suggest: near the true ones, so cheap to correct."""
    if not events:
        return Totals()
    return Totals(events[0].occurred_ms, events[-1].occurred_ms, n_events=len(events))


def _packed_totals(totals: Totals, expected: Totals) -> bytes:
    return b"".join(packed_number(value - near) for value, near in zip(totals, expected, strict=True))


def _read_totals(reader: Reader, expected: Totals) -> Totals:
    return Totals(*(reader.number() + near for near in expected))
