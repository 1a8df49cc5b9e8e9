"""How sure a model may sound: a temperature for classes, a threshold for each label."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from huaxiang.records import Matrix


def with_temperature(outputs_NC: Matrix, targets_N: NDArray[np.float32]) -> float:
    """Return what outputs are to be divided by, so that held-out classes surprise least; .05 to 20.

    Source
    ------
    Guo, Pleiss, Sun and Weinberger, On Calibration of Modern Neural Networks, ICML 2017.

    Examples
    --------
    >>> outputs = np.array([[9.0, 0.0]] * 4, np.float32)  # four times very sure, once wrong
    >>> round(with_temperature(outputs, np.array([0, 0, 0, 1], np.float32)), 1)
    8.2
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    wanted = targets_N.astype(int)

    def surprise(log_temperature: float) -> float:
        shares = log_softmax(outputs_NC.astype(np.float64) / np.exp(log_temperature), axis=1)
        return float(-shares[np.arange(len(wanted)), wanted].mean())

    found = minimize_scalar(surprise, bounds=(np.log(0.05), np.log(20.0)), method="bounded")
    return float(np.exp(found.x))


def with_thresholds(outputs_NC: Matrix, targets_NC: NDArray[np.float32]) -> tuple[float, ...]:
    """Return for each label the probability from which giving it has the best F1 on held-out rows.

    Examples
    --------
    >>> outputs = np.array([[-1.0], [-0.5], [2.0]], np.float32)
    >>> with_thresholds(outputs, np.array([[0], [1], [1]], np.float32))
    (0.3775,)
    """
    from sklearn.metrics import precision_recall_curve

    from huaxiang.encoders.finetuning.tasks.base import sigmoid

    shares = sigmoid(outputs_NC)
    found = []
    for at in range(outputs_NC.shape[1]):
        if not targets_NC[:, at].any():
            found.append(0.5)
            continue
        precision, recall, thresholds = precision_recall_curve(targets_NC[:, at], shares[:, at])
        f1 = 2 * precision[:-1] * recall[:-1] / np.maximum(precision[:-1] + recall[:-1], 1e-12)
        found.append(round(float(thresholds[int(f1.argmax())]), 4))
    return tuple(found)
