"""Probabilities that another model has given, read from columns `prob_<label>` and checked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from huaxiang.errors import InputError
from huaxiang.shop.quality.given import Given, numbers_in, said_in

PREFIX = "prob_"
_TOLERANCE = 0.02


def scored_probabilities(
    scored: Given, row_ids: Sequence[str], *, row_id: str | None = None
) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Return the labels and, for each of `row_ids`, their probabilities, each row's sum 1.

    Rows are matched by the column `row_id`, else by their order.

    Raises
    ------
    InputError
        There are fewer than two such columns, rows don't match, or numbers are no probabilities.
    """
    columns = [column for column in scored.words.columns if column.startswith(PREFIX)]
    if len(columns) < 2:
        remedy = f"write one column {PREFIX}<label> for each label"
        raise InputError(
            "fewer than two columns of probabilities", file=scored.name, column=PREFIX, remedy=remedy
        )
    probabilities = np.column_stack([_column(scored, column) for column in columns])
    off = np.flatnonzero(np.abs(probabilities.sum(axis=1) - 1) > _TOLERANCE)
    if len(off):
        value = f"{probabilities[off[0]].sum():.3f}"
        remedy = "give the probabilities of all labels"
        line = scored.lines[off[0]]
        raise InputError(
            "probabilities don't sum to 1",
            file=scored.name,
            line=line,
            column=f"{PREFIX}*",
            value=value,
            remedy=remedy,
        )
    rows = _matched(scored, row_ids, row_id=row_id)
    labels = tuple(column.removeprefix(PREFIX) for column in columns)
    return labels, probabilities[rows]


def _column(scored: Given, column: str) -> NDArray[np.float64]:
    numbers = numbers_in(scored, column)[0].fill_null(float("nan")).to_numpy()
    wrong = np.flatnonzero(~((numbers >= 0) & (numbers <= 1)))
    if len(wrong):
        line, value = scored.lines[wrong[0]], scored.words[column][int(wrong[0])]
        remedy = "give a number from 0 to 1 in each row"
        raise InputError(
            "not a probability", file=scored.name, line=line, column=column, value=value, remedy=remedy
        )
    return np.asarray(numbers, dtype=np.float64)


def _matched(scored: Given, row_ids: Sequence[str], *, row_id: str | None) -> list[int]:
    if row_id is not None and row_id in scored.words.columns:
        row_of = {one: row for row, one in enumerate(said_in(scored, row_id))}
        lost = next((one for one in row_ids if one not in row_of), None)
        if lost is not None:
            remedy = "score every row of the input"
            raise InputError("row is not scored", file=scored.name, column=row_id, value=lost, remedy=remedy)
        return [row_of[one] for one in row_ids]
    if len(scored.lines) != len(row_ids):
        remedy = "score every row, in its order, or match them by --id"
        value = f"{len(scored.lines)} rows for {len(row_ids)}"
        raise InputError("scores are of other rows", file=scored.name, value=value, remedy=remedy)
    return list(range(len(row_ids)))
