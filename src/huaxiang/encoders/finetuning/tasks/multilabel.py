"""Any of several labels: a yes or no for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from huaxiang.encoders.finetuning.tables import Rows
from huaxiang.encoders.finetuning.tasks.base import Targets, sigmoid, unseen
from huaxiang.errors import InputError
from huaxiang.records import Matrix

if TYPE_CHECKING:
    from torch import Tensor

BETWEEN_LABELS = "|"


@dataclass(frozen=True, kw_only=True)
class MultiLabel:
    """Any of several labels, written `red|cotton`: a yes or no for each.

    Parameters
    ----------
    thresholds
        Probability from which a label is given; .5 where empty.
    """

    labels: tuple[str, ...]
    thresholds: tuple[float, ...] = ()
    kind: ClassVar[str] = "multilabel"
    best: ClassVar[str] = "mean_average_precision"

    @classmethod
    def of(cls, rows: Rows) -> MultiLabel:
        """Return the task of these labels.

        Raises
        ------
        InputError
            There is no label that some rows have and others don't.
        """
        found = {label for cell in rows.labels for label in cell.split(BETWEEN_LABELS) if label}
        told_apart = [
            label for label in found if not all(label in c.split(BETWEEN_LABELS) for c in rows.labels)
        ]
        if not told_apart:
            remedy = f"write several as a{BETWEEN_LABELS}b: every row has the same now"
            raise InputError("labels are of one class", file=rows.file, remedy=remedy)
        return cls(labels=tuple(sorted(found)))

    @property
    def n_outputs(self) -> int:
        """One per label."""
        return len(self.labels)

    def targets(self, rows: Rows) -> Targets:
        """Return 1 for each label that a text has, (N, labels)."""
        column = {label: at for at, label in enumerate(self.labels)}
        wanted = np.zeros((len(rows), len(self.labels)), np.float32)
        for row, cell in enumerate(rows.labels):
            for label in filter(None, cell.split(BETWEEN_LABELS)):
                if label not in column:
                    raise unseen(rows, row, label)
                wanted[row, column[label]] = 1
        return wanted

    def loss(self, outputs_NC: Tensor, targets_N: Tensor) -> Tensor:
        """Return the surprise at each label, averaged."""
        from torch.nn import functional

        each = functional.binary_cross_entropy_with_logits(outputs_NC, targets_N, reduction="none")
        return each.mean(1)

    def figures(self, outputs_NC: Matrix, targets_N: Targets) -> dict[str, float]:
        """Return mean average precision over the labels that occur, and F1."""
        from sklearn.metrics import average_precision_score, f1_score

        shares = sigmoid(outputs_NC)
        given = shares >= self._thresholds()
        occurs = targets_N.any(0)
        precise = [average_precision_score(targets_N[:, at], shares[:, at]) for at in np.flatnonzero(occurs)]
        return {
            "mean_average_precision": float(np.mean(precise)) if precise else 0.0,
            "micro_f1": float(f1_score(targets_N, given, average="micro", zero_division=0)),
            "macro_f1": float(
                f1_score(targets_N[:, occurs], given[:, occurs], average="macro", zero_division=0)
            ),
        }

    def read(self, outputs_NC: Matrix) -> dict[str, list[Any]]:
        """Return the labels of each text, and the probability of each label."""
        shares = sigmoid(outputs_NC)
        given = shares >= self._thresholds()
        names = np.array(self.labels)
        return {
            "prediction": [BETWEEN_LABELS.join(names[row]) for row in given],
            "confidence": [float(np.abs(row - 0.5).min() + 0.5) for row in shares],
            **{f"prob_{label}": shares[:, at].tolist() for at, label in enumerate(self.labels)},
        }

    def _thresholds(self) -> Matrix:
        return np.array(self.thresholds or [0.5] * len(self.labels), np.float32)

    def as_json(self) -> dict[str, Any]:
        """Return kind, labels and thresholds."""
        return {"kind": self.kind, "labels": list(self.labels), "thresholds": list(self.thresholds)}
