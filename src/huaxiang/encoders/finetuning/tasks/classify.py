"""One of a few classes, and how sure: softmax and cross-entropy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from huaxiang.encoders.finetuning.tables import Rows
from huaxiang.encoders.finetuning.tasks.base import Targets, softmax, unseen
from huaxiang.errors import InputError
from huaxiang.records import Matrix

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Classify:
    """One of a few classes: softmax and cross-entropy.

    Parameters
    ----------
    label_smoothing
        Share of certainty given to all classes alike; 0 to 1.
    weights
        How much an error on each class counts; empty for all alike.
    temperature
        Outputs are divided by it before they are read as probabilities (Guo et al., ICML 2017).
    """

    labels: tuple[str, ...]
    label_smoothing: float = 0.0
    weights: tuple[float, ...] = ()
    temperature: float = 1.0
    kind: ClassVar[str] = "classify"
    best: ClassVar[str] = "accuracy"

    @classmethod
    def of(cls, rows: Rows, *, label_smoothing: float = 0.0, is_weighted: bool = False) -> Classify:
        """Return the task of these labels.

        Raises
        ------
        InputError
            There is one class only.
        """
        counts = Counter(rows.labels)
        if len(counts) < 2:
            value = next(iter(counts), "")
            remedy = "at least two are needed: check the label column"
            raise InputError("labels are of one class", file=rows.file, value=value, remedy=remedy)
        labels = tuple(sorted(counts, key=_in_order))
        per_class = np.array([counts[label] for label in labels], np.float64)
        weights = per_class.sum() / (len(labels) * per_class) if is_weighted else np.zeros(0)
        return cls(labels=labels, label_smoothing=label_smoothing, weights=tuple(weights.tolist()))

    @property
    def n_outputs(self) -> int:
        """One per class."""
        return len(self.labels)

    def targets(self, rows: Rows) -> Targets:
        """Return the number of each text's class."""
        return _numbers(rows, self.labels)

    def loss(self, outputs_NC: Tensor, targets_N: Tensor) -> Tensor:
        """Return the surprise at each text's class."""
        import torch
        from torch.nn import functional

        weight = torch.tensor(self.weights, device=outputs_NC.device) if self.weights else None
        return functional.cross_entropy(
            outputs_NC, targets_N.long(), weight, reduction="none", label_smoothing=self.label_smoothing
        )

    def probabilities(self, outputs_NC: Matrix) -> Matrix:
        """Return the calibrated probability of each class."""
        return softmax(outputs_NC / self.temperature)

    def figures(self, outputs_NC: Matrix, targets_N: Targets) -> dict[str, float]:
        """Return accuracy, macro-F1, log loss, calibration error, and the AUC of two classes."""
        from sklearn.metrics import f1_score, roc_auc_score

        wanted, shares = targets_N.astype(int), self.probabilities(outputs_NC)
        right = shares.argmax(1) == wanted
        found = {
            "accuracy": float(right.mean()),
            "macro_f1": float(f1_score(wanted, shares.argmax(1), average="macro", zero_division=0)),
            "loss": float(-np.log(np.clip(shares[np.arange(len(wanted)), wanted], 1e-12, 1)).mean()),
            "calibration_error": calibration_error(shares.max(1), right),
        }
        if len(self.labels) == 2 and len(set(wanted.tolist())) == 2:
            found["auc"] = float(roc_auc_score(wanted, shares[:, 1]))
        return found

    def read(self, outputs_NC: Matrix) -> dict[str, list[Any]]:
        """Return the class, how sure it is, and the probability of each."""
        shares = self.probabilities(outputs_NC)
        chosen = shares.argmax(1)
        return {
            "prediction": [self.labels[at] for at in chosen],
            "confidence": shares.max(1).tolist(),
            **{f"prob_{label}": shares[:, at].tolist() for at, label in enumerate(self.labels)},
        }

    def as_json(self) -> dict[str, Any]:
        """Return kind, labels and temperature."""
        return {"kind": self.kind, "labels": list(self.labels), "temperature": self.temperature}


def calibration_error(confidence_N: NDArray[Any], right_N: NDArray[np.bool_], *, n_bins: int = 15) -> float:
    """Return the expected calibration error: the mean gap between how sure and how often right, over bins.

    Source
    ------
    Guo, Pleiss, Sun and Weinberger, On Calibration of Modern Neural Networks, ICML 2017.

    Examples
    --------
    >>> calibration_error(np.array([0.9, 0.9]), np.array([True, False]))
    0.4
    """
    bins = np.minimum((confidence_N * n_bins).astype(int), n_bins - 1)
    gap = 0.0
    for at in np.unique(bins):
        inside = bins == at
        gap += float(abs(confidence_N[inside].mean() - right_N[inside].mean())) * float(inside.mean())
    return round(gap, 6)


def _numbers(rows: Rows, labels: Sequence[str]) -> Targets:
    number = {label: at for at, label in enumerate(labels)}
    for row, label in enumerate(rows.labels):
        if label not in number:
            raise unseen(rows, row, label)
    return np.array([number[label] for label in rows.labels], np.float32)


def _in_order(label: str) -> tuple[float, str]:
    """Return what sorts numbers by size and words by letter."""
    try:
        return (float(label), label)
    except ValueError:
        return (float("inf"), label)
