"""The simplest way of a task: which words stand together, and a linear model; seconds on a CPU.

It is what larger models are measured against, and a member of ensembles: it sees rare exact words that they
blur.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huaxiang.encoders.finetuning.tables import Rows
from huaxiang.encoders.finetuning.tasks import Classify, Grade, MultiLabel, Task
from huaxiang.encoders.learning.base import in_range
from huaxiang.errors import ArtefactError
from huaxiang.records import Matrix

WEIGHTS = "ngrams.safetensors"
VERSION = "2"
UNIT = r"[^\W\d_\u2e80-\u9fff\uac00-\ud7ff]+|\d+|[^\w\s]|\w"
"""A word, a number, a sign, or one character of a script that puts no blanks between words.

Chinese is read by its characters; signs tell feelings.
"""


@dataclass(frozen=True, kw_only=True)
class NgramConfig:
    """Which runs of words are counted, and how freely they are weighed.

    Parameters
    ----------
    longest
        Words, or Chinese characters, of the longest run; 1 to 5.
    log2_features
        Runs share 2 to the power of so many places; 10 to 22.
    inverse_penalty
        scikit-learn's C; > 0. Higher fits closer.
    """

    longest: int = 3
    log2_features: int = 19
    inverse_penalty: float = 16.0

    def __post_init__(self) -> None:
        in_range("longest", self.longest, 1 <= self.longest <= 5, "1 to 5")
        in_range("log2_features", self.log2_features, 10 <= self.log2_features <= 22, "10 to 22")
        in_range("inverse_penalty", self.inverse_penalty, self.inverse_penalty > 0, "a number above 0")


class NgramModel:
    """TF-IDF of hashed runs of words → the outputs of a task.

    Source
    ------
    Weinberger et al., Feature Hashing for Large Scale Multitask Learning, ICML 2009.
    """

    def __init__(
        self, idf_F: NDArray[np.float32], weights_FC: Matrix, bias_C: NDArray[np.float32], longest: int
    ):
        self.idf_F, self.weights_FC, self.bias_C, self.longest = idf_F, weights_FC, bias_C, longest

    @property
    def n_parameters(self) -> int:
        """Numbers that were learnt."""
        return int(self.idf_F.size + self.weights_FC.size + self.bias_C.size)

    def outputs(self, texts: Sequence[str]) -> Matrix:
        """Return the outputs of cleaned texts, (N, C)."""
        if not texts:
            return np.zeros((0, len(self.bias_C)), np.float32)
        scored = _weighted(counted(texts, self.longest, len(self.idf_F)), self.idf_F) @ self.weights_FC
        return np.asarray(scored + self.bias_C, np.float32)

    def save(self, folder: Path) -> None:
        """Write the weights."""
        from safetensors.numpy import save_file

        tensors = {"idf": self.idf_F, "weights": self.weights_FC, "bias": self.bias_C}
        said = {"longest": str(self.longest), "version": VERSION}
        save_file({name: np.ascontiguousarray(t) for name, t in tensors.items()}, folder / WEIGHTS, said)

    @classmethod
    def load(cls, folder: Path) -> NgramModel:
        """Read the weights; raise `ArtefactError` where they are missing or damaged."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(folder / WEIGHTS, framework="numpy") as file:
                said = file.metadata() or {}
                if said["version"] != VERSION:
                    raise KeyError(said["version"])
                idf_F, weights_FC, bias_C = (file.get_tensor(name) for name in ("idf", "weights", "bias"))
                return cls(idf_F, weights_FC, bias_C, int(said["longest"]))
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            remedy = "fine-tune it again"
            raise ArtefactError(
                "model can't be read, or is of another version", file=str(folder / WEIGHTS), remedy=remedy
            ) from error


def fit_ngrams(rows: Rows, task: Task, *, config: NgramConfig | None = None, seed: int = 0) -> NgramModel:
    """Return the linear model of a task.

    Examples
    --------
    >>> texts = ("good", "so good", "bad", "too bad")
    >>> rows = Rows(file="f", texts=texts, labels=("1", "1", "0", "0"), keys=texts, lines=np.arange(4))
    >>> task = Classify.of(rows)
    >>> task.read(fit_ngrams(rows, task).outputs(["good", "bad"]))["prediction"]
    ['1', '0']
    """
    config = config or NgramConfig()
    counts_NF = counted(rows.texts, config.longest, 2**config.log2_features)
    n_with_F = np.bincount(counts_NF.indices, minlength=counts_NF.shape[1])
    idf_F = (np.log((1 + counts_NF.shape[0]) / (1 + n_with_F)) + 1).astype(np.float32)
    weights_FC, bias_C = _fitted(_weighted(counts_NF, idf_F), task.targets(rows), task, config, seed)
    return NgramModel(idf_F, weights_FC.astype(np.float32), bias_C.astype(np.float32), config.longest)


def counted(texts: Sequence[str], longest: int, n_features: int) -> Any:
    """Return which runs each text has, sparse (N, F): once is as good as often."""
    from sklearn.feature_extraction.text import HashingVectorizer

    return HashingVectorizer(
        analyzer="word",
        token_pattern=UNIT,
        ngram_range=(1, longest),
        n_features=n_features,
        alternate_sign=False,
        norm=None,
        binary=True,
    ).transform(texts)


def _weighted(counts_NF: Any, idf_F: NDArray[np.float32]) -> Any:
    from scipy.sparse import diags
    from sklearn.preprocessing import normalize

    return normalize(counts_NF @ diags(idf_F))


def _fitted(
    features_NF: Any, targets_N: NDArray[np.float32], task: Task, config: NgramConfig, seed: int
) -> tuple[Matrix, NDArray[np.float64]]:
    """Return weights (F, C) and bias (C,) whose outputs the task reads."""
    if isinstance(task, Classify):
        return _classes(features_NF, targets_N, config, seed)
    if isinstance(task, MultiLabel):
        steps = [targets_N[:, at] for at in range(task.n_outputs)]
    elif isinstance(task, Grade):
        steps = [(targets_N > step).astype(np.float32) for step in range(task.n_outputs)]
    else:
        from sklearn.linear_model import Ridge

        ridge = Ridge(alpha=8 / config.inverse_penalty, solver="sparse_cg", random_state=seed)
        ridge.fit(features_NF, targets_N)
        return ridge.coef_[:, None], np.array([ridge.intercept_])
    found = [_yes_or_no(features_NF, wanted, config, seed) for wanted in steps]
    return np.stack([weights for weights, _ in found], 1), np.array([bias for _, bias in found])


def _classes(
    features_NF: Any, targets_N: NDArray[np.float32], config: NgramConfig, seed: int
) -> tuple[Matrix, NDArray[np.float64]]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=config.inverse_penalty, max_iter=300, random_state=seed)
    model.fit(features_NF, targets_N.astype(int))
    if len(model.classes_) > 2:
        return model.coef_.T, model.intercept_
    half_F, half = model.coef_[0] / 2, model.intercept_[0] / 2
    return np.stack([-half_F, half_F], 1), np.array([-half, half])


def _yes_or_no(
    features_NF: Any, wanted_N: NDArray[np.float32], config: NgramConfig, seed: int
) -> tuple[NDArray[np.float64], float]:
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(wanted_N)) < 2:
        return np.zeros(features_NF.shape[1]), 20.0 if wanted_N[0] else -20.0
    model = LogisticRegression(C=config.inverse_penalty, max_iter=300, random_state=seed)
    model.fit(features_NF, wanted_N)
    return model.coef_[0], float(model.intercept_[0])
