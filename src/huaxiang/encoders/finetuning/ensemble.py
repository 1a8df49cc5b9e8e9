"""Several models of one task as one: their outputs averaged, weighted or stacked.

All three are one linear map of the members' outputs, fitted on rows that none of them learnt from.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from huaxiang.encoders.finetuning.tasks import Classify, Targets, Task
from huaxiang.encoders.learning.base import one_of
from huaxiang.errors import ArtefactError, InputError
from huaxiang.records import Matrix

if TYPE_CHECKING:
    from huaxiang.encoders.finetuning.predictor import Predictor

Way = Literal["average", "weighted", "stacked"]
MIX = "mix.safetensors"


class EnsembleModel:
    """Texts to the mixed outputs of several members."""

    def __init__(self, members: Sequence[Any], mix_FC: Matrix, bias_C: NDArray[np.float32]) -> None:
        self.members, self.mix_FC, self.bias_C = list(members), mix_FC, bias_C

    def outputs(self, texts: Sequence[str]) -> Matrix:
        """Return the mixed outputs of cleaned texts, (N, C)."""
        return mixed([member.outputs(texts) for member in self.members], self.mix_FC, self.bias_C)

    @classmethod
    def load(cls, folder: Path, names: Sequence[str], **how: Any) -> EnsembleModel:
        """Read the members and how they are mixed; raise `ArtefactError` where something is missing."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        from huaxiang.encoders.finetuning.predictor import load_model

        try:
            mix = load_file(folder / MIX)
            return cls([load_model(folder / name, **how) for name in names], mix["mix"], mix["bias"])
        except (OSError, SafetensorError, KeyError) as error:
            remedy = "make the ensemble again"
            raise ArtefactError("ensemble can't be read", file=str(folder / MIX), remedy=remedy) from error


def mixed(outputs: Sequence[Matrix], mix_FC: Matrix, bias_C: NDArray[np.float32]) -> Matrix:
    """Return the outputs of an ensemble; the members' stand side by side, F = members × C.

    Examples
    --------
    >>> half = np.array([[0.5, 0], [0, 0.5], [0.5, 0], [0, 0.5]], np.float32)
    >>> mixed([np.array([[1, 3]], "f"), np.array([[3, 5]], "f")], half, np.zeros(2, "f")).tolist()
    [[2.0, 4.0]]
    """
    return np.asarray(np.concatenate(outputs, 1) @ mix_FC + bias_C, np.float32)


def fit_mix(
    way: str, outputs: Sequence[Matrix], targets: Targets, task: Task
) -> tuple[Matrix, NDArray[np.float32]]:
    """Return the map of an ensemble, (F, C) and (C,).

    Parameters
    ----------
    way
        average: all alike; weighted: one weight ≥ 0 for each member, such that held-out rows surprise least;
        stacked: a linear model of all outputs (classes only).
    outputs
        Each member's outputs of held-out rows, (N, C).
    """
    one_of("way", way, get_args(Way))
    n_members, n_outputs = len(outputs), outputs[0].shape[1]
    none = np.zeros(n_outputs, np.float32)
    if way == "stacked":
        return _stacked(outputs, targets, task)
    weights = np.full(n_members, 1 / n_members)
    if way == "weighted":
        weights = _weights(outputs, targets, task)
    return np.concatenate([w * np.eye(n_outputs) for w in weights]).astype(np.float32), none


def _weights(outputs: Sequence[Matrix], targets: Targets, task: Task) -> NDArray[np.float64]:
    """Return the weights that make the task's own loss on the rows smallest."""
    import torch
    from scipy.optimize import minimize

    stacked = torch.from_numpy(np.stack(outputs).astype(np.float64))
    wanted = torch.from_numpy(targets)

    def loss(logs: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        free = torch.tensor(logs, requires_grad=True)
        total = task.loss((free.exp()[:, None, None] * stacked).sum(0), wanted).mean()
        total.backward()  # type: ignore[no-untyped-call]
        assert free.grad is not None
        return float(total.detach()), free.grad.numpy().astype(np.float64)

    start = np.full(len(outputs), -np.log(len(outputs)))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(-7.0, 3.0)] * len(outputs))
    return np.asarray(np.exp(found.x))


def _stacked(outputs: Sequence[Matrix], targets: Targets, task: Task) -> tuple[Matrix, NDArray[np.float32]]:
    from sklearn.linear_model import LogisticRegression

    if not isinstance(task, Classify):
        remedy = "choose average or weighted"
        raise InputError("stacking is for classes", column="way", value=task.kind, remedy=remedy)
    side_by_side = np.concatenate([output - output.mean(1, keepdims=True) for output in outputs], 1)
    model = LogisticRegression(C=1.0, max_iter=1000).fit(side_by_side, targets.astype(int))
    coefficients, bias = model.coef_, model.intercept_
    if len(task.labels) == 2:
        coefficients = np.concatenate([-coefficients, coefficients]) / 2
        bias = np.array([-bias[0], bias[0]]) / 2
    n = outputs[0].shape[1]
    centre = np.eye(n) - 1 / n  # the mean of a member's outputs says nothing about classes
    mix = np.concatenate([centre @ part for part in np.split(coefficients.T, len(outputs))])
    return mix.astype(np.float32), bias.astype(np.float32)


def check_members(members: Sequence[Predictor]) -> Task:
    """Return the members' task; raise `InputError` where they have none in common."""
    first = members[0].task
    for member in members[1:]:
        if _answers(member.task) != _answers(first):
            remedy = "give models that were taught the same labels"
            raise InputError("models have different tasks", file=str(member.folder), remedy=remedy)
    return first


def _answers(task: Task) -> tuple[Any, ...]:
    return task.kind, getattr(task, "labels", None), getattr(task, "grades", None)


def write_ensemble(
    folder: Path,
    members: Sequence[Predictor],
    task: Task,
    mix: tuple[Matrix, NDArray[np.float32]],
    columns: Sequence[str],
) -> None:
    """Write an ensemble's folder, with a copy of what serves each member."""
    from safetensors.numpy import save_file

    from huaxiang.encoders.finetuning.linear import WEIGHTS
    from huaxiang.encoders.finetuning.predictor import MODEL, TASK, TOKENIZER, VERSION

    names = [f"member-{number}" for number in range(len(members))]
    for name, member in zip(names, members, strict=True):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for file in (MODEL, TASK, TOKENIZER, WEIGHTS):
            if (member.folder / file).is_file():
                shutil.copyfile(member.folder / file, folder / name / file)
    save_file({"mix": np.ascontiguousarray(mix[0]), "bias": mix[1]}, folder / MIX)
    said = {
        "version": VERSION,
        "model": "ensemble",
        "members": names,
        "task": task.as_json(),
        "columns": list(columns),
    }
    (folder / TASK).write_text(json.dumps(said, ensure_ascii=False, indent=1), encoding="utf-8")
