"""The states of all shoppers: one table, a row each, turned into a `ProfileState` when asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import polars as pl

from huaxiang.errors import ArtefactError, UnknownShopperError
from huaxiang.profile.state import LIGHT, STRONG, ProfileState, StateEvent, Totals

FORMAT_VERSION = 1
_VERSION, _ORDER_ONLY = "huaxiang.states", "huaxiang.order_only"

TOTAL_COLUMNS: Mapping[str, Any] = dict.fromkeys(Totals._fields, pl.Int64)
EVENT_COLUMNS: Mapping[str, Any] = {
    "occurred_ms": pl.Int64,
    "key": pl.Int64,
    "type": pl.UInt8,
    "item_no": pl.Int32,
    "rating": pl.UInt8,
    "quantity": pl.Int64,
    "content": pl.Int64,
    "offset_quarters": pl.Int8,
    "channel": pl.UInt8,
}
BOUGHT_COLUMNS: Mapping[str, Any] = {"bought_item_no": pl.Int32, "bought_ms": pl.Int64}
SCHEMA: Mapping[str, Any] = {
    "shopper_id": pl.String,
    **TOTAL_COLUMNS,
    **{name: pl.List(kind) for name, kind in {**EVENT_COLUMNS, **BOUGHT_COLUMNS}.items()},
}
"""One row per shopper in the order of their ids; events oldest first, and so are the bought items."""


class States:
    """Every shopper's state; about 40 bytes for each event kept.

    A state put in later lies beside the table until `save` joins them.

    Parameters
    ----------
    table
        Columns as in `SCHEMA`.
    order_only
        The shop knows in which order things happened, not when.

    Examples
    --------
    >>> state = ProfileState(light=(StateEvent(1_000, 7, 2, item_no=3),))
    >>> states = States.of({"ann": state})
    >>> states.state("ann") == state, "bob" in states
    (True, False)
    """

    def __init__(self, table: pl.DataFrame, *, order_only: bool) -> None:
        self._table = table
        self._changed: dict[str, ProfileState | None] = {}
        self.order_only = order_only

    @classmethod
    def of(cls, states: Mapping[str, ProfileState], *, order_only: bool = False) -> Self:
        """Return the given states, shopper by shopper."""
        rows = [_row(shopper_id, states[shopper_id]) for shopper_id in sorted(states)]
        return cls(pl.DataFrame(rows, schema=dict(SCHEMA), orient="row"), order_only=order_only)

    def __len__(self) -> int:
        return len(self.shopper_ids)

    def __contains__(self, shopper_id: object) -> bool:
        if shopper_id in self._changed:
            return self._changed[str(shopper_id)] is not None
        return shopper_id in self._row_of

    @property
    def shopper_ids(self) -> list[str]:
        """Everyone who has a state, in the order of their ids."""
        if not self._changed:
            return list(self._row_of)
        return sorted(shopper_id for shopper_id in {*self._row_of, *self._changed} if shopper_id in self)

    def state(self, shopper_id: str) -> ProfileState:
        """Return one shopper's state.

        Raises
        ------
        UnknownShopperError
            When there is none.
        """
        if shopper_id not in self:
            raise UnknownShopperError("no such shopper", value=shopper_id, remedy="check the id")
        changed = self._changed.get(shopper_id)
        return changed if changed is not None else self._stored(self._row_of[shopper_id])

    def states(self, shopper_ids: Iterable[str]) -> list[ProfileState]:
        """Return the states of several shoppers, in the order asked for."""
        return [self.state(shopper_id) for shopper_id in shopper_ids]

    def empty(self) -> ProfileState:
        """Return the state of a shopper of this shop who has done nothing yet."""
        return ProfileState(order_only=self.order_only)

    def put(self, shopper_id: str, state: ProfileState) -> None:
        """Let this be the shopper's state from now on."""
        self._changed[shopper_id] = state

    def remove(self, shopper_id: str) -> None:
        """Forget a shopper; unknown ones are no error."""
        self._changed[shopper_id] = None

    def table(self) -> pl.DataFrame:
        """Return all states as one table (`SCHEMA`)."""
        if not self._changed:
            return self._table
        untouched = self._table.filter(~pl.col("shopper_id").is_in(list(self._changed)))
        changed = {name: state for name, state in self._changed.items() if state is not None}
        return pl.concat([untouched, type(self).of(changed)._table]).sort("shopper_id")

    def save(self, file: Path) -> None:
        """Write all states as Parquet."""
        metadata = {_VERSION: str(FORMAT_VERSION), _ORDER_ONLY: str(self.order_only)}
        self.table().write_parquet(file, metadata=metadata)

    @classmethod
    def load(cls, file: Path) -> Self:
        """Return the states that `save` wrote.

        Raises
        ------
        ArtefactError
            When the file is absent, truncated, something else, or of a newer version.
        """
        try:
            metadata = pl.read_parquet_metadata(file)
            table = pl.read_parquet(file)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise _unreadable(file, "states can't be read") from error
        version = metadata.get(_VERSION, "")
        if not version.isdecimal() or dict(table.schema) != SCHEMA and int(version) <= FORMAT_VERSION:
            raise _unreadable(file, "not a file of states")
        if int(version) > FORMAT_VERSION:
            raise _unreadable(file, "states were stored by a newer version", remedy="upgrade huaxiang")
        return cls(table, order_only=metadata.get(_ORDER_ONLY) == "True")

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {shopper_id: row for row, shopper_id in enumerate(self._table["shopper_id"])}

    def _stored(self, row: int) -> ProfileState:
        events = list(map(StateEvent._make, zip(*self._lists(row, EVENT_COLUMNS), strict=True)))
        return ProfileState(
            strong=tuple(event for event in events if event.type in STRONG),
            light=tuple(event for event in events if event.type in LIGHT),
            bought=dict(zip(*self._lists(row, BOUGHT_COLUMNS), strict=True)),
            totals=Totals(*(self._columns[name][row] for name in Totals._fields)),
            order_only=self.order_only,
        )

    def _lists(self, row: int, names: Iterable[str]) -> list[list[int]]:
        return [self._columns[name][row].to_list() for name in names]

    @cached_property
    def _columns(self) -> dict[str, pl.Series]:
        return {series.name: series for series in self._table}


def _row(shopper_id: str, state: ProfileState) -> tuple[Any, ...]:
    events = [list(column) for column in zip(*state.events(), strict=True)] or [[] for _ in EVENT_COLUMNS]
    bought = sorted((occurred_ms, item_no) for item_no, occurred_ms in state.bought.items())
    item_nos, times = [item_no for _, item_no in bought], [occurred_ms for occurred_ms, _ in bought]
    return (shopper_id, *state.totals, *events, item_nos, times)


def _unreadable(file: Path, message: str, *, remedy: str = "build the run again") -> ArtefactError:
    return ArtefactError(message, file=str(file), remedy=remedy)
