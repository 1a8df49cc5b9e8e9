"""Which words of a vocabulary fit a product: by nearness in the encoder's space, nothing labelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from huaxiang.encoders.base import Encoded
from huaxiang.errors import EncoderError, SettingsError
from huaxiang.records import Matrix


@dataclass(frozen=True, kw_only=True)
class ZeroShotConfig:
    """When a word is near enough.

    Parameters
    ----------
    sharpness
        How much a difference in cosine counts; > 0.
    least_confidence
        Share of the belief that the nearest word needs; 0 to 1.
    """

    sharpness: float = 25.0
    least_confidence: float = 0.5

    def __post_init__(self) -> None:
        if not self.sharpness > 0:
            raise SettingsError("setting is out of range", column="sharpness", remedy="give a number above 0")
        if not 0 <= self.least_confidence <= 1:
            raise SettingsError("setting is out of range", column="least_confidence", remedy="give 0 to 1")


@dataclass(frozen=True, kw_only=True)
class ProductTag:
    """An item's value in a dimension, and how sure that is, 0 to 1."""

    item_row: int
    dimension: str
    value: str
    confidence: float


def zero_shot_tags(
    items: Encoded,
    vocabulary: Mapping[str, Sequence[str]],
    words: Mapping[str, Matrix],
    *,
    config: ZeroShotConfig | None = None,
) -> list[ProductTag]:
    """Return for each item and dimension the nearest word, where it is clearly nearer than the others.

    What all items, and all words of a dimension, have in common is taken off first: it says nothing.

    Parameters
    ----------
    items
        Vectors of texts or photos, (I, D).
    vocabulary
        dimension → values, two or more of each.
    words
        dimension → the values' vectors, in the same space, (V, D).

    Raises
    ------
    EncoderError
        Words and items lie in different spaces.
    SettingsError
        A dimension has fewer than two values.

    Examples
    --------
    >>> vectors = np.eye(2, dtype=np.float32)
    >>> items = Encoded(vectors_ID=vectors, present_I=np.array([True, True]))
    >>> [tag.value for tag in zero_shot_tags(items, {"colour": ["red", "blue"]}, {"colour": vectors})]
    ['red', 'blue']
    """
    config = config or ZeroShotConfig()
    present = np.flatnonzero(items.present_I)
    if not len(present):
        return []
    own_ID = _directions(items.vectors_ID[present])
    found: list[ProductTag] = []
    for dimension, values in vocabulary.items():
        if len(values) < 2:
            remedy = "give two or more to choose from"
            raise SettingsError("too few values", column=dimension, value=", ".join(values), remedy=remedy)
        if words[dimension].shape[1] != own_ID.shape[1]:
            spaces = f"{own_ID.shape[1]} and {words[dimension].shape[1]} numbers"
            remedy = "use the text encoder that the photo encoder was trained beside"
            raise EncoderError("words and items lie in different spaces", value=spaces, remedy=remedy)
        logits = config.sharpness * own_ID @ _directions(words[dimension]).T
        shares = np.exp(logits - logits.max(1, keepdims=True))
        shares /= shares.sum(1, keepdims=True)
        for row, at, share in zip(present.tolist(), shares.argmax(1).tolist(), shares.max(1), strict=True):
            if share >= config.least_confidence:
                found.append(
                    ProductTag(
                        item_row=row, dimension=dimension, value=values[at], confidence=round(float(share), 4)
                    )
                )
    return found


def _directions(vectors: Matrix) -> Matrix:
    """Return unit vectors without what they have in common; one alone stays as it is."""
    centred = vectors - vectors.mean(0) if len(vectors) > 1 else vectors
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.asarray(centred / np.maximum(lengths, 1e-9), np.float32)
