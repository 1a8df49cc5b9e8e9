"""Item vectors after some items changed: read again where words or photos did, and kept elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from huaxiang.encoders.base import ImageEncoder, ImageInput, TextEncoder
from huaxiang.encoders.items import encode_photos, encode_texts, find_photos
from huaxiang.fusion.base import Fusion, Parts
from huaxiang.records import Matrix
from huaxiang.shop.changed import Changed, Outlook


@dataclass(frozen=True, kw_only=True)
class Readers:
    """What turns words and photos into item vectors; without eyes photos are not used."""

    words: TextEncoder
    eyes: ImageEncoder | None
    fusion: Fusion


def renewed_vectors(
    vectors: Mapping[str, Matrix], change: Changed, readers: Readers, photos: Mapping[str, ImageInput]
) -> dict[str, Matrix]:
    """Return the vectors of all items of a changed shop by space, each (I, D); those given stay as they are.

    Parameters
    ----------
    vectors
        Of the items before the change: "text", "fused", and "image" where there are photos.
    photos
        Name → photo, for names that the shop's own folder doesn't have.
    """
    shop = change.shop
    renewed = {space: _longer(known_ID, len(shop.items)) for space, known_ID in vectors.items()}
    if len(change.worded):
        texts = encode_texts(shop.items[change.worded], shop.languages, readers.words)
        renewed["text"][change.worded] = texts.vectors_ID
    if len(change.shown) and readers.eyes is not None and "image" in renewed:
        found = find_photos(shop.items["image"][change.shown].to_list(), photos, place=shop.images)
        renewed["image"][change.shown] = encode_photos(found, readers.eyes).vectors_ID
    rows = np.union1d(change.worded, change.shown)
    if len(rows):
        parts = {space: renewed[space][rows] for space in vectors if space != "fused"}
        renewed["fused"][rows] = readers.fusion.fuse(Parts.of(parts))
    return renewed


def read_ahead(
    found: Outlook, readers: Readers, photos: Mapping[str, ImageInput], *, place: str | None
) -> None:
    """Read words and photos once, for readers that keep what they read: `renewed_vectors` then finds it.

    Parameters
    ----------
    place
        Folder or zip file of the shop's own photos.
    """
    if len(found.worded):
        encode_texts(found.items[found.worded], found.languages, readers.words)
    if len(found.shown) and readers.eyes is not None:
        names = found.items["image"][found.shown].to_list()
        encode_photos(find_photos(names, photos, place=place), readers.eyes)


def _longer(known_ID: Matrix, n_items: int) -> Matrix:
    nothing = np.zeros((n_items - len(known_ID), known_ID.shape[1]), dtype=np.float32)
    return np.concatenate([known_ID, nothing])
