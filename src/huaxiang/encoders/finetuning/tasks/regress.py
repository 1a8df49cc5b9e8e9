"""A number: the squared distance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from huaxiang.encoders.finetuning.tables import Rows
from huaxiang.encoders.finetuning.tasks.base import Targets, values_of
from huaxiang.errors import InputError
from huaxiang.records import Matrix

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Regress:
    """A number: the squared distance, in standard deviations of the labels."""

    mean: float
    deviation: float
    kind: ClassVar[str] = "regress"
    best: ClassVar[str] = "mae"

    @classmethod
    def of(cls, rows: Rows) -> Regress:
        """Return the task of these labels.

        Raises
        ------
        InputError
            A label is not a number, or all are the same.
        """
        values = values_of(rows)
        if float(values.std()) == 0:
            remedy = "give a label column whose numbers differ"
            raise InputError("labels are all the same", file=rows.file, value=str(values[0]), remedy=remedy)
        return cls(mean=float(values.mean()), deviation=float(values.std()))

    @property
    def n_outputs(self) -> int:
        """One."""
        return 1

    def targets(self, rows: Rows) -> Targets:
        """Return the numbers, in deviations from the mean."""
        return ((values_of(rows) - self.mean) / self.deviation).astype(np.float32)

    def loss(self, outputs_NC: Tensor, targets_N: Tensor) -> Tensor:
        """Return the squared distance."""
        squared: Tensor = (outputs_NC[:, 0] - targets_N) ** 2
        return squared

    def figures(self, outputs_NC: Matrix, targets_N: Targets) -> dict[str, float]:
        """Return the mean distance, the root of the mean square, and the rank correlation."""
        from scipy.stats import spearmanr

        off = (outputs_NC[:, 0] - targets_N) * self.deviation
        differs = np.ptp(outputs_NC[:, 0]) > 0 and np.ptp(targets_N) > 0
        rank = float(spearmanr(outputs_NC[:, 0], targets_N).statistic) if differs else 0.0
        return {
            "mae": float(np.abs(off).mean()),
            "root_mean_square_error": float(np.sqrt((off**2).mean())),
            "spearman": rank,
        }

    def read(self, outputs_NC: Matrix) -> dict[str, list[Any]]:
        """Return the number."""
        return {"prediction": (outputs_NC[:, 0] * self.deviation + self.mean).tolist()}

    def as_json(self) -> dict[str, Any]:
        """Return kind, mean and deviation."""
        return {"kind": self.kind, "mean": self.mean, "deviation": self.deviation}
