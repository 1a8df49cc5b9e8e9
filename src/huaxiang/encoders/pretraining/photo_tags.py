"""Which tags a photo shows: the shop's vocabulary, the loss of telling it, and how well it was told.

A dimension in which no product has two values is told as one choice (cross-entropy), any other as one yes or
no per value (binary cross-entropy). What a product doesn't state is not held against a photo.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from huaxiang.encoders.pretraining.photo_products import Tag
from huaxiang.errors import ShopError

TagLoss = Literal["auto", "yes_or_no"]
Floats = NDArray[np.float32]
_UNKNOWN = -1


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """A run of tags: its first and last column, and whether a product has one of them at most."""

    name: str
    start: int
    stop: int
    is_choice: bool

    @property
    def columns(self) -> slice:
        """Where its tags stand."""
        return slice(self.start, self.stop)


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """The tags that are told, ordered by dimension and value."""

    tags: tuple[Tag, ...]
    dimensions: tuple[Dimension, ...]

    def matrix(self, stated: Sequence[Sequence[Tag]]) -> Floats:
        """Return which of the tags each product has, (N, T)."""
        column = {tag: at for at, tag in enumerate(self.tags)}
        matrix_NT = np.zeros((len(stated), len(self.tags)), np.float32)
        for row, one in enumerate(stated):
            matrix_NT[row, [column[tag] for tag in one if tag in column]] = 1
        return matrix_NT

    def stated(self, stated: Sequence[Sequence[Tag]]) -> Floats:
        """Return in which dimensions each product states anything, known or not, (N, dimensions)."""
        place = {dimension.name: at for at, dimension in enumerate(self.dimensions)}
        matrix = np.zeros((len(stated), len(self.dimensions)), np.float32)
        for row, one in enumerate(stated):
            matrix[row, [place[name] for name, _ in one if name in place]] = 1
        return matrix

    def as_json(self) -> dict[str, Any]:
        """Return the tags and dimensions as JSON says them."""
        dimensions = [
            {"name": d.name, "start": d.start, "stop": d.stop, "is_choice": d.is_choice}
            for d in self.dimensions
        ]
        return {"tags": [list(tag) for tag in self.tags], "dimensions": dimensions}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Vocabulary:
        """Return what `as_json` said."""
        tags = tuple((str(dimension), str(value)) for dimension, value in said["tags"])
        return cls(tags=tags, dimensions=tuple(Dimension(**one) for one in said["dimensions"]))


def vocabulary_of(stated: Sequence[Sequence[Tag]], *, fewest: int = 5, loss: TagLoss = "auto") -> Vocabulary:
    """Return the tags that at least `fewest` products have, in dimensions with two of them or more.

    Raises
    ------
    ShopError
        There are none.

    Examples
    --------
    >>> found = vocabulary_of([[("colour", "red")], [("colour", "blue")], [("size", "L")]], fewest=1)
    >>> found.tags, found.dimensions[0].is_choice
    ((('colour', 'blue'), ('colour', 'red')), True)
    """
    counted = Counter(tag for one in stated for tag in set(one))
    kept = sorted(tag for tag, count in counted.items() if count >= fewest)
    n_values = Counter(dimension for dimension, _ in kept)
    tags = tuple(tag for tag in kept if n_values[tag[0]] > 1)
    if not tags:
        remedy = "name columns or dimensions with at least two values, or lower fewest_of_a_tag"
        raise ShopError(f"no two tags of a dimension on {fewest} or more photos", remedy=remedy)
    several = {name for one in stated for name, n in Counter(d for d, _ in set(one)).items() if n > 1}
    names = [dimension for dimension, _ in tags]
    dimensions = tuple(
        Dimension(
            name=name,
            start=names.index(name),
            stop=names.index(name) + n_values[name],
            is_choice=loss == "auto" and name not in several,
        )
        for name in dict.fromkeys(names)
    )
    return Vocabulary(tags=tags, dimensions=dimensions)


def tag_weights(matrix_NT: Floats, vocabulary: Vocabulary, *, balance: float) -> Floats:
    """Return how much each tag counts, float32 (T,): rare ones more, by the power `balance` of their rarity.

    In a choice the weights have mean 1 over the products; elsewhere a weight is that of a yes against a no.
    """
    count_T = np.maximum(matrix_NT.sum(0), 1)
    weights_T = ((len(matrix_NT) - count_T).clip(1) / count_T) ** balance
    for dimension in vocabulary.dimensions:
        if dimension.is_choice:
            here, counts = weights_T[dimension.columns], count_T[dimension.columns]
            rarity = (counts.sum() / counts) ** balance
            here[:] = rarity * counts.sum() / (rarity * counts).sum()
    return np.asarray(np.clip(weights_T, 0.05, 20), np.float32)


class TagLesson(nn.Module):
    """The mean surprise at what products state."""

    weights_T: Tensor

    def __init__(self, vocabulary: Vocabulary, weights_T: Floats, *, smoothing: float = 0.0) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.smoothing = smoothing
        self.register_buffer("weights_T", torch.from_numpy(weights_T), persistent=False)

    def forward(self, logits: Tensor, tags: Tensor, stated: Tensor) -> Tensor:
        """Return the loss of logits (B, T) at tags (B, T), with what is stated at all (B, dimensions)."""
        total = logits.new_zeros(())
        for at, dimension in enumerate(self.vocabulary.dimensions):
            columns = dimension.columns
            told = self._choice if dimension.is_choice else self._each
            losses_B, counts_B = told(logits[:, columns], tags[:, columns], self.weights_T[columns])
            counts_B = counts_B * stated[:, at]
            total = total + (losses_B * counts_B).sum() / counts_B.sum().clamp(min=1)
        return total / len(self.vocabulary.dimensions)

    def _choice(self, logits: Tensor, tags: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        known_B = (tags.sum(1) > 0).to(logits.dtype)  # not so where the value is none of the vocabulary
        weighed = (1 - self.smoothing) * tags * weights + self.smoothing * tags.mean(1, keepdim=True)
        return -(weighed * logits.log_softmax(1)).sum(1), known_B

    def _each(self, logits: Tensor, tags: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        each = functional.binary_cross_entropy_with_logits(logits, tags, reduction="none", pos_weight=weights)
        return each.sum(1), torch.ones_like(each[:, 0])


def probabilities(logits: Floats, vocabulary: Vocabulary) -> Floats:
    """Return how likely each tag is, (N, T): together 1 in a choice, each for itself elsewhere.

    Examples
    --------
    >>> both = vocabulary_of([[("a", "x")], [("a", "y")]], fewest=1)
    >>> probabilities(np.zeros((1, 2), np.float32), both).tolist()
    [[0.5, 0.5]]
    """
    out = 1 / (1 + np.exp(-logits.clip(-60, 60)))
    for dimension in vocabulary.dimensions:
        if dimension.is_choice:
            part = logits[:, dimension.columns]
            powers = np.exp(part - part.max(1, keepdims=True))
            out[:, dimension.columns] = powers / powers.sum(1, keepdims=True)
    return np.asarray(out, np.float32)


def tag_figures(
    likely_NT: Floats, stated: Sequence[Sequence[Tag]], vocabulary: Vocabulary
) -> dict[str, float]:
    """Return the mean average precision, and accuracy and macro-F1 of each dimension.

    A product whose value is none of the vocabulary counts as told wrong.
    """
    matrix_NT, is_stated = vocabulary.matrix(stated), vocabulary.stated(stated)
    precisions: list[float] = []
    figures: dict[str, float] = {}
    for at, dimension in enumerate(vocabulary.dimensions):
        rows = np.flatnonzero(is_stated[:, at])
        if not len(rows):
            continue
        likely, true = likely_NT[rows, dimension.columns], matrix_NT[rows, dimension.columns]
        precisions += _average_precisions(likely, true)
        told = likely.argmax(1).astype(np.int64)
        figures[f"{dimension.name}_accuracy"] = float(true[np.arange(len(rows)), told].mean())
        if dimension.is_choice:
            values = [
                next(value for name, value in stated[row] if name == dimension.name) for row in rows.tolist()
            ]
            figures[f"{dimension.name}_macro_f1"] = _macro_f1(values, told, vocabulary, dimension)
    return {"tags_map": float(np.mean(precisions)) if precisions else 0.0, **figures}


def _average_precisions(likely: Floats, true: Floats) -> list[float]:
    from sklearn.metrics import average_precision_score

    return [
        float(average_precision_score(true[:, column], likely[:, column]))
        for column in range(true.shape[1])
        if 0 < true[:, column].sum() < len(true)
    ]


def _macro_f1(
    values: Sequence[str], told: NDArray[np.int64], vocabulary: Vocabulary, dimension: Dimension
) -> float:
    from sklearn.metrics import f1_score

    names = [value for _, value in vocabulary.tags[dimension.columns]]
    labels = sorted({*values, *(names[column] for column in told)})
    return float(
        f1_score(values, [names[c] for c in told], labels=labels, average="macro", zero_division=0.0)
    )
