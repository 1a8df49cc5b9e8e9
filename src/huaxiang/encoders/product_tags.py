"""Which words of a vocabulary fit a product: by nearness in an encoder's space, by its text, by its photo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from huaxiang.encoders.base import Encoded
from huaxiang.errors import EncoderError, SettingsError
from huaxiang.records import Matrix

SHARPNESS = 25.0
"""How much a difference in cosine counts in `zero_shot`."""
_LEAST_SHARE = 1e-6


@dataclass(frozen=True, kw_only=True)
class Likely:
    """How likely each value of a dimension is for each item.

    Parameters
    ----------
    values
        V of them.
    shares_IV
        0 to 1; those of an item sum to 1 in a choice.
    present_I
        Of which items anything is said.
    is_choice
        Whether an item has one value at most.
    """

    values: tuple[str, ...]
    shares_IV: Matrix
    present_I: NDArray[np.bool_]
    is_choice: bool = True


@dataclass(frozen=True, kw_only=True)
class ProductTag:
    """An item's value in a dimension, and how sure that is, 0 to 1."""

    item_row: int
    dimension: str
    value: str
    confidence: float


def zero_shot(
    items: Encoded,
    vocabulary: Mapping[str, Sequence[str]],
    words: Mapping[str, Matrix],
    *,
    sharpness: float = SHARPNESS,
) -> dict[str, Likely]:
    """Return for each dimension how near its words are to the items, next to each other.

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
    >>> near = zero_shot(items, {"colour": ["red", "blue"]}, {"colour": vectors})
    >>> [tag.value for tag in product_tags(near)]
    ['red', 'blue']
    """
    present = np.flatnonzero(items.present_I)
    own_PD = _directions(items.vectors_ID[present])
    found: dict[str, Likely] = {}
    for dimension, values in vocabulary.items():
        if len(values) < 2:
            remedy = "give two or more to choose from"
            raise SettingsError("too few values", column=dimension, value=", ".join(values), remedy=remedy)
        if words[dimension].shape[1] != own_PD.shape[1]:
            spaces = f"{own_PD.shape[1]} and {words[dimension].shape[1]} numbers"
            remedy = "use the text encoder that the photo encoder was trained beside"
            raise EncoderError("words and items lie in different spaces", value=spaces, remedy=remedy)
        shares_IV = np.zeros((len(items.present_I), len(values)), np.float32)
        shares_IV[present] = softmax(sharpness * own_PD @ _directions(words[dimension]).T, axis=1)
        found[dimension] = Likely(values=tuple(values), shares_IV=shares_IV, present_I=items.present_I)
    return found


def fused(by_photo: Likely, by_text: Likely, *, photo_weight: float = 0.5) -> Likely:
    """Return what photo and text say together; of an item that one says nothing of, what the other says.

    In a choice logarithms are mixed, so that a value which one of them rules out is out; else shares are.

    Parameters
    ----------
    photo_weight
        The photo's part, 0 to 1.

    Raises
    ------
    SettingsError
        One takes the dimension for a choice and the other does not.

    Examples
    --------
    >>> sure = np.array([[0.9, 0.1]], np.float32)
    >>> both = fused(
    ...     Likely(values=("red", "blue"), shares_IV=sure, present_I=np.array([True])),
    ...     Likely(values=("blue", "pink"), shares_IV=sure, present_I=np.array([True])),
    ... )
    >>> both.values[int(both.shares_IV[0].argmax())]
    'blue'
    """
    if by_photo.is_choice != by_text.is_choice:
        remedy = "let one of the two tell this dimension"
        raise SettingsError("photo and text differ in whether a product has one value", remedy=remedy)
    values = tuple(dict.fromkeys((*by_photo.values, *by_text.values)))
    photo_IV, text_IV = _over(values, by_photo), _over(values, by_text)
    if by_photo.is_choice:
        logs = [np.log(np.maximum(shares, _LEAST_SHARE)) for shares in (photo_IV, text_IV)]
        both_IV = softmax(photo_weight * logs[0] + (1 - photo_weight) * logs[1], axis=1)
    else:
        both_IV = photo_weight * photo_IV + (1 - photo_weight) * text_IV
    only_photo = (by_photo.present_I & ~by_text.present_I)[:, None]
    only_text = (by_text.present_I & ~by_photo.present_I)[:, None]
    return Likely(
        values=values,
        shares_IV=np.where(only_photo, photo_IV, np.where(only_text, text_IV, both_IV)),
        present_I=by_photo.present_I | by_text.present_I,
        is_choice=by_photo.is_choice,
    )


def product_tags(told: Mapping[str, Likely], *, least: float = 0.5) -> list[ProductTag]:
    """Return the likeliest value of each item and dimension, or each where it may have several.

    Parameters
    ----------
    least
        Confidence that a value needs, 0 to 1.
    """
    found: list[ProductTag] = []
    for dimension, likely in told.items():
        is_said_IV = likely.shares_IV >= least
        if likely.is_choice:
            is_said_IV &= np.arange(len(likely.values)) == likely.shares_IV.argmax(1)[:, None]
        for row, at in np.argwhere(is_said_IV & likely.present_I[:, None]).tolist():
            sure = round(float(likely.shares_IV[row, at]), 4)
            found.append(
                ProductTag(item_row=row, dimension=dimension, value=likely.values[at], confidence=sure)
            )
    return found


def _over(values: tuple[str, ...], likely: Likely) -> Matrix:
    """Return the shares over a longer list of values."""
    shares_IV = np.zeros((len(likely.shares_IV), len(values)), np.float32)
    shares_IV[:, [values.index(value) for value in likely.values]] = likely.shares_IV
    return shares_IV


def _directions(vectors: Matrix) -> Matrix:
    """Return unit vectors without what they have in common; one alone stays as it is."""
    centred = vectors - vectors.mean(0) if len(vectors) > 1 else vectors
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.asarray(centred / np.maximum(lengths, 1e-9), np.float32)
