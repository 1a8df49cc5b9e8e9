"""A catalogue's texts and photos as vectors, one per item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from huaxiang.encoders.base import Encoded, ImageEncoder, ImageInput, TextEncoder
from huaxiang.encoders.hashed import unit_rows

if TYPE_CHECKING:
    import polars as pl


def item_texts(items: pl.DataFrame, language: str) -> list[str | None]:
    """Return title and description of each item in one language, None where it has neither."""
    columns = [items[f"{part}_{language}"].to_list() for part in ("title", "description")]
    return [". ".join(part for part in said if part) or None for said in zip(*columns, strict=True)]


def encode_texts(items: pl.DataFrame, languages: Sequence[str], encoder: TextEncoder) -> Encoded:
    """Return one text vector per item: the mean over the languages it is described in.

    The encoder puts every language into one space, so an item told in two languages stands between the two,
    and one told in one stands where that one says.
    """
    total_ID = np.zeros((len(items), encoder.dimensions), dtype=np.float32)
    present_I = np.zeros(len(items), dtype=np.bool_)
    for language in languages:
        encoded = encoder.encode(item_texts(items, language))
        total_ID += encoded.vectors_ID
        present_I |= encoded.present_I
    return Encoded(vectors_ID=unit_rows(total_ID), present_I=present_I)


def encode_photos(photos: Sequence[ImageInput], encoder: ImageEncoder, *, block: int = 2048) -> Encoded:
    """Return one vector per photo, block by block, so that few decoded photos stand in memory."""
    parts = [encoder.encode(photos[first : first + block]) for first in range(0, len(photos), block)]
    return Encoded(
        vectors_ID=np.concatenate([part.vectors_ID for part in parts]),
        present_I=np.concatenate([part.present_I for part in parts]),
        problems={
            number * block + row: problem
            for number, part in enumerate(parts)
            for row, problem in part.problems.items()
        },
    )
