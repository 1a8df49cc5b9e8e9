"""What a task is: labels to targets, outputs to a loss, to figures, and to what people read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from huaxiang.encoders.finetuning.tables import Rows
from huaxiang.errors import InputError
from huaxiang.records import Matrix

if TYPE_CHECKING:
    from torch import Tensor

Targets = NDArray[np.float32]


class Task(Protocol):
    """One of the ways below."""

    @property
    def kind(self) -> str:
        """Its name in a model's folder."""
        ...

    @property
    def best(self) -> str:
        """The figure by which weights and settings are chosen."""
        ...

    @property
    def n_outputs(self) -> int:
        """Numbers that the network gives per text."""
        ...

    def targets(self, rows: Rows) -> Targets:
        """Return what the outputs should be, (N, …); raise `InputError` for a label that can't be."""
        ...

    def loss(self, outputs_NC: Tensor, targets_N: Tensor) -> Tensor:
        """Return what is wrong with each text, (N,)."""
        ...

    def figures(self, outputs_NC: Matrix, targets_N: Targets) -> dict[str, float]:
        """Return how well it goes."""
        ...

    def read(self, outputs_NC: Matrix) -> dict[str, list[Any]]:
        """Return the columns that people read: `prediction` first."""
        ...

    def as_json(self) -> dict[str, Any]:
        """Return what `task_from_json` reads."""
        ...


def softmax(outputs_NC: Matrix) -> Matrix:
    """Return rows that sum to one.

    Examples
    --------
    >>> softmax(np.array([[0.0, 0.0]], np.float32)).tolist()
    [[0.5, 0.5]]
    """
    shifted = np.exp(outputs_NC - outputs_NC.max(1, keepdims=True))
    return np.asarray(shifted / shifted.sum(1, keepdims=True), np.float32)


def sigmoid(outputs: Matrix) -> Matrix:
    """Return 1 / (1 + exp(-x)), without overflow.

    Examples
    --------
    >>> sigmoid(np.array([-200.0, 0.0], np.float32)).tolist()
    [0.0, 0.5]
    """
    from scipy.special import expit

    return np.asarray(expit(outputs), np.float32)


def unseen(rows: Rows, row: int, label: str) -> InputError:
    """Return the error of a label that was not there to learn from."""
    return InputError(
        "label was never seen in training",
        file=rows.file,
        line=int(rows.lines[row]),
        value=label,
        remedy="correct it, or add rows with it to the training file",
    )


def values_of(rows: Rows) -> NDArray[np.float64]:
    """Return the labels as numbers, or raise `InputError` naming the line of one that is none."""
    values = np.empty(len(rows), np.float64)
    for row, label in enumerate(rows.labels):
        try:
            values[row] = float(label)
        except ValueError:
            values[row] = np.nan
        if not np.isfinite(values[row]):
            raise InputError(
                "label is not a number",
                file=rows.file,
                line=int(rows.lines[row]),
                value=label,
                remedy="correct it or leave it empty",
            )
    return values
