"""A grade among a few in order, such as a rating: for each step, whether it is passed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from huaxiang.encoders.finetuning.tables import Rows
from huaxiang.encoders.finetuning.tasks.base import Targets, sigmoid, unseen, values_of
from huaxiang.encoders.finetuning.tasks.regress import Regress
from huaxiang.records import Matrix

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Grade:
    """A grade among a few in order, such as a rating: for each step, whether it is passed.

    The median grade is read, which makes the mean distance small; the expected one is told beside it.

    Source
    ------
    Cao, Mirjalili and Raschka, Rank consistent ordinal regression, 2020; here with steps of their own.
    """

    grades: tuple[float, ...]
    kind: ClassVar[str] = "grade"
    best: ClassVar[str] = "mae"

    @classmethod
    def of(cls, rows: Rows) -> Grade:
        """Return the task of these labels; errors are those of `Regress.of`."""
        Regress.of(rows)
        return cls(grades=tuple(sorted({float(value) for value in values_of(rows)})))

    @property
    def n_outputs(self) -> int:
        """One per step."""
        return len(self.grades) - 1

    def targets(self, rows: Rows) -> Targets:
        """Return the number of each text's grade."""
        place = {grade: at for at, grade in enumerate(self.grades)}
        values = values_of(rows).tolist()
        for row, value in enumerate(values):
            if value not in place:
                raise unseen(rows, row, rows.labels[row])
        return np.array([place[value] for value in values], np.float32)

    def loss(self, outputs_NC: Tensor, targets_N: Tensor) -> Tensor:
        """Return the surprise at each step, summed."""
        import torch
        from torch.nn import functional

        steps = torch.arange(self.n_outputs, device=outputs_NC.device)
        passed = (targets_N[:, None] > steps).to(outputs_NC.dtype)
        return functional.binary_cross_entropy_with_logits(outputs_NC, passed, reduction="none").sum(1)

    def figures(self, outputs_NC: Matrix, targets_N: Targets) -> dict[str, float]:
        """Return the mean distance, and how often the grade is met."""
        grades = np.array(self.grades)
        wanted, median = grades[targets_N.astype(int)], grades[(sigmoid(outputs_NC) > 0.5).sum(1)]
        return {
            "mae": float(np.abs(median - wanted).mean()),
            "accuracy": float((median == wanted).mean()),
            "expected_mae": float(np.abs(self._expected(outputs_NC) - wanted).mean()),
        }

    def read(self, outputs_NC: Matrix) -> dict[str, list[Any]]:
        """Return the median grade and the expected one."""
        median = np.array(self.grades)[(sigmoid(outputs_NC) > 0.5).sum(1)]
        return {"prediction": median.tolist(), "expected": self._expected(outputs_NC).tolist()}

    def _expected(self, outputs_NC: Matrix) -> NDArray[np.float64]:
        gaps = np.diff(np.array(self.grades))
        expected: NDArray[np.float64] = self.grades[0] + (sigmoid(outputs_NC) * gaps).sum(1)
        return expected

    def as_json(self) -> dict[str, Any]:
        """Return kind and grades."""
        return {"kind": self.kind, "grades": list(self.grades)}
