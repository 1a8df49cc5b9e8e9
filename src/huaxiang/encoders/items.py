"""A catalogue's texts and photos as vectors, one per item."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from huaxiang.encoders.base import Encoded, ImageEncoder, ImageInput, Progress, TextEncoder
from huaxiang.encoders.hashed import unit_rows
from huaxiang.encoders.image import OnnxImageEncoder, image_encoder
from huaxiang.encoders.image_export import SETTINGS
from huaxiang.encoders.shop_image import fit_shop_image
from huaxiang.errors import TooFewPhotosError
from huaxiang.records import Matrix
from huaxiang.shop.base import Shop
from huaxiang.shop.images import Photos

logger = logging.getLogger(__name__)

TAGGED = ("category", "colour", "material", "style")
"""Dimensions whose stated values the shop's own photo encoder learns to tell."""


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


@dataclass(frozen=True, kw_only=True)
class Known:
    """Photos that have their vectors already: names by row, None where there is none, and the vectors."""

    names: Sequence[str | None]
    vectors_ID: Matrix


def renew_photos(
    names: Sequence[str | None],
    known: Known,
    encoder: ImageEncoder,
    *,
    place: str | None,
    given: Mapping[str, ImageInput] | None = None,
) -> Matrix:
    """Return one vector per item, (I, D): the known one where its photo has the same name, else a new one.

    Parameters
    ----------
    place
        Folder or zip file of the photos; None where they are gone, which leaves new items without a vector.
    given
        Name → photo, for names that are not there.
    """
    vectors_ID = np.zeros((len(names), known.vectors_ID.shape[1]), dtype=np.float32)
    is_known = [row < len(known.names) and known.names[row] == name for row, name in enumerate(names)]
    vectors_ID[is_known] = known.vectors_ID[np.flatnonzero(is_known)]
    new = [row for row, name in enumerate(names) if name and not is_known[row]]
    if new:
        photos = find_photos([names[row] for row in new], given or {}, place=place)
        vectors_ID[new] = encode_photos(photos, encoder).vectors_ID
    return vectors_ID


def find_photos(
    names: Sequence[str | None], given: Mapping[str, ImageInput], *, place: str | None
) -> list[ImageInput]:
    """Return photos by their names: the given ones, else those of the shop's folder or zip file.

    A name that stands in neither is no photo: it is never taken for a path.
    """
    named = [name or "" for name in names]
    is_missing = any(name and name not in given for name in named)
    of_shop = Photos(place) if is_missing and place is not None else None

    def photo(name: str) -> ImageInput:
        if name in given:
            return given[name]
        return of_shop.get(name) if of_shop is not None and name else None

    return [photo(name) for name in named]


def image_encoder_of(
    shop: Shop,
    texts_ID: Matrix,
    *,
    encoder: str,
    precision: Literal["fp32", "int8"],
    cache: Path,
    seed: int,
    progress: Progress | None = None,
) -> tuple[OnnxImageEncoder | None, list[ImageInput]]:
    """Return the encoder that a shop's photos are read with, and the photos.

    "shop" trains a small one on the shop's own catalogue, once: the same photos, texts and seed find it again
    in `cache`. A shop with too few photos to learn from gets none.
    """
    assert shop.images is not None
    photos: list[ImageInput] = [*Photos(shop.images).all(shop.items["image"].to_list())]
    if encoder != "shop":
        found = image_encoder(encoder, cache_folder=cache, precision=precision, progress=progress)
        return found, photos
    folder = cache / "shop-images" / _photo_fingerprint(shop, texts_ID, seed)
    if (folder / SETTINGS).is_file():
        return image_encoder(folder, cache_folder=cache, progress=progress), photos
    try:
        learnt = fit_shop_image(
            photos, texts_ID, folder=folder, tags=_tags(shop), seed=seed, progress=progress
        )
    except TooFewPhotosError as error:
        logger.warning("photos are not used: %s", error)
        return None, photos
    return learnt, photos


def _tags(shop: Shop) -> list[list[str]]:
    """Return the stated values of each item, as "colour=red"."""
    stated = shop.attributes.filter(pl.col("dimension").is_in(TAGGED) & (pl.col("source") == "stated"))
    tags: list[list[str]] = [[] for _ in range(len(shop.items))]
    for row, dimension, value in stated.select("item_row", "dimension", "value").iter_rows():
        tags[row].append(f"{dimension}={value}")
    return tags


def _photo_fingerprint(shop: Shop, texts_ID: Matrix, seed: int) -> str:
    made_of = f"{shop.fingerprint}|{seed}".encode() + np.ascontiguousarray(texts_ID).tobytes()
    return hashlib.blake2b(made_of, digest_size=8).hexdigest()
