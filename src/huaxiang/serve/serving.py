"""What requests read: one model with the catalogue of the moment, swapped as a whole.

Requests take the reference once and keep it to their end. So a change of model or catalogue never touches a
request in flight, and no answer mixes two of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from huaxiang.model import Model
from huaxiang.profile.state import NO_ITEM, ProfileState, StateEvent

_item_no = attrgetter("item_no")


@dataclass(frozen=True, kw_only=True)
class Serving:
    """A model, and how the log's item numbers are its rows.

    Parameters
    ----------
    row_of_no
        Row of each item number, `NO_ITEM` where the model lacks it; None where they are the same.
    no_of_row
        Item number of each row; None where they are the same.
    change
        All changes to the items up to this number are in the catalogue.
    ahead
        Item number and change of what is in the catalogue beyond that: stock and prices don't wait for words.
    """

    model: Model
    row_of_no: NDArray[np.int32] | None = None
    no_of_row: NDArray[np.int32] | None = None
    change: int = 0
    ahead: frozenset[tuple[int, int]] = frozenset()

    @classmethod
    def of(
        cls,
        model: Model,
        item_no_of: Mapping[str, int],
        *,
        change: int = 0,
        ahead: frozenset[tuple[int, int]] = frozenset(),
    ) -> Serving:
        """Return the model with its rows matched to the item numbers of the log."""
        item_ids = model.catalogue.item_ids
        no_of_row = np.array([item_no_of[item_id] for item_id in item_ids], dtype=np.int32)
        if np.array_equal(no_of_row, np.arange(len(item_ids))):
            return cls(model=model, change=change, ahead=ahead)
        row_of_no = np.full(max(item_no_of.values(), default=-1) + 1, NO_ITEM, dtype=np.int32)
        row_of_no[no_of_row] = np.arange(len(item_ids), dtype=np.int32)
        return cls(model=model, row_of_no=row_of_no, no_of_row=no_of_row, change=change, ahead=ahead)

    def has(self, item_no: int, change: int) -> bool:
        """Return whether a change of an item is in the catalogue."""
        return change <= self.change or (item_no, change) in self.ahead

    def in_rows(self, state: ProfileState) -> ProfileState:
        """Return a state whose items are rows of the model; items that the model lacks become none."""
        n_items = self.model.catalogue.n_items
        if self.row_of_no is None and _all_below(state, n_items):
            return state
        row_of_no = np.arange(n_items, dtype=np.int32) if self.row_of_no is None else self.row_of_no

        def row(item_no: int) -> int:
            return int(row_of_no[item_no]) if 0 <= item_no < len(row_of_no) else NO_ITEM

        def moved(events: Sequence[StateEvent]) -> tuple[StateEvent, ...]:
            return tuple(event._replace(item_no=row(event.item_no)) for event in events)

        bought = {row(item_no): bought_ms for item_no, bought_ms in state.bought.items()}
        bought.pop(NO_ITEM, None)
        return ProfileState(moved(state.strong), moved(state.light), bought, state.totals, state.order_only)

    def row_of(self, item_no: int) -> int:
        """Return the row of an item number, `NO_ITEM` where the model lacks it."""
        if self.row_of_no is None:
            return item_no if item_no < self.model.catalogue.n_items else NO_ITEM
        return int(self.row_of_no[item_no]) if 0 <= item_no < len(self.row_of_no) else NO_ITEM

    def numbers(self, item_rows: Sequence[int]) -> list[int]:
        """Return the item numbers of rows."""
        if self.no_of_row is None:
            return [int(row) for row in item_rows]
        return [int(number) for number in self.no_of_row[list(item_rows)]]


def _all_below(state: ProfileState, n_items: int) -> bool:
    numbers = chain(map(_item_no, state.strong), map(_item_no, state.light), state.bought)
    return max(numbers, default=-1) < n_items
