"""Words and photos as vectors in the space of the items."""

from __future__ import annotations

import numpy as np

from huaxiang.encoders.base import ImageInput
from huaxiang.fusion import Fusion, Parts
from huaxiang.fusion.renewed import Readers
from huaxiang.notes import Note, note
from huaxiang.records import Matrix, Vector


def text_vector(text: str, readers: Readers) -> tuple[Vector, Note | None]:
    """Return the vector of words, and what was wrong with them."""
    encoded = readers.words.encode([text])
    vector = _fused("text", encoded.vectors_ID, readers.fusion)
    if not encoded.present_I[0]:
        return vector, note("no_letter")
    return vector, encoded.problems.get(0)


def image_vector(image: ImageInput, readers: Readers) -> tuple[Vector, Note | None]:
    """Return the vector of a photo, and what was wrong with it."""
    if readers.eyes is None:
        nothing = np.zeros(readers.fusion.dimensions, dtype=np.float32)
        return nothing, note("no_photos")
    encoded = readers.eyes.encode([image])
    problem = note("photo_unused", why=encoded.problems[0]) if encoded.problems else None
    return _fused("image", encoded.vectors_ID, readers.fusion), problem


def _fused(modality: str, vectors_1D: Matrix, fusion: Fusion) -> Vector:
    if modality not in fusion.modalities or not vectors_1D.any():
        return np.zeros(fusion.dimensions, dtype=np.float32)
    present = {modality: np.ones(1, dtype=np.bool_)}
    fused_1D = fusion.fuse(Parts(vectors={modality: vectors_1D}, present=present))
    return np.asarray(fused_1D[0], dtype=np.float32)
