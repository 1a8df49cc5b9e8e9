"""Photos as pixels of one size: unpacked once where the memory holds them, else each time they are learnt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from huaxiang.encoders.base import ImageInput, Progress
from huaxiang.encoders.photos import read_photo
from huaxiang.encoders.preprocessing import Preprocessing
from huaxiang.notes import Note

Pixels = NDArray[np.uint8]
MOST_BYTES = 1_500_000_000
"""Of unpacked photos held in memory."""
_EVERY = 256


@dataclass(frozen=True, kw_only=True)
class PhotoRows:
    """The photos that can be read, by the row of their product.

    Parameters
    ----------
    rows
        Of the products whose photo can be read, in order.
    problems
        Row of a product → why its photo can't be read; those without a photo are not among them.
    """

    rows: NDArray[np.int64]
    problems: Mapping[int, Note]
    photo: Callable[[int], ImageInput]
    preprocessing: Preprocessing
    held: Pixels | None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return size_of(self.preprocessing)

    def pixels(self, rows_B: NDArray[np.int64]) -> Pixels:
        """Return the pixels of some products, uint8 (B, 3, H, W); each must be one of `rows`."""
        if self.held is not None:
            return self.held[np.searchsorted(self.rows, rows_B)]
        found = [read_pixels(self.photo(int(row)), self.preprocessing)[0] for row in rows_B]
        return np.stack([pixels for pixels in found if pixels is not None])


def hold_photos(
    photo: Callable[[int], ImageInput],
    n: int,
    preprocessing: Preprocessing,
    *,
    most_bytes: int = MOST_BYTES,
    progress: Progress | None = None,
) -> PhotoRows:
    """Read the photos of `n` products once, and return those that can be read."""
    height, width = size_of(preprocessing)
    is_held = n * 3 * height * width <= most_bytes
    held = np.empty((n, 3, height, width), np.uint8) if is_held else None
    rows: list[int] = []
    problems: dict[int, Note] = {}
    for row in range(n):
        pixels, problem = read_pixels(photo(row), preprocessing)
        if pixels is not None:
            if held is not None:
                held[len(rows)] = pixels
            rows.append(row)
        elif problem is not None:
            problems[row] = problem
        if progress is not None and (row % _EVERY == 0 or row == n - 1):
            progress(row + 1, n, "photos read")
    return PhotoRows(
        rows=np.array(rows, np.int64),
        problems=problems,
        photo=photo,
        preprocessing=preprocessing,
        held=None if held is None else held[: len(rows)],
    )


def read_pixels(image: ImageInput, preprocessing: Preprocessing) -> tuple[Pixels | None, Note | None]:
    """Return a photo as the network will see it, before its colours are scaled: uint8, (3, H, W).

    Or None, and what is wrong; nothing is wrong where there is no photo.
    """
    read = read_photo(image, at_least=preprocessing.at_least)
    return (None, read.problem) if read.picture is None else (resized(read.picture, preprocessing), None)


def resized(picture: Image.Image, preprocessing: Preprocessing) -> Pixels:
    """Return a picture resized and cut, uint8 (3, H, W)."""
    unscaled: dict[str, Any] = {"scale": 1.0, "mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}
    return replace(preprocessing, **unscaled).apply(picture).astype(np.uint8)


def size_of(preprocessing: Preprocessing) -> tuple[int, int]:
    """Return height and width of what a preprocessing makes of any photo.

    Examples
    --------
    >>> size_of(Preprocessing(shortest_edge=36, crop=(32, 32))), size_of(Preprocessing(size=(80, 60)))
    ((32, 32), (80, 60))
    """
    pixels = preprocessing.apply(Image.new("RGB", (8, 8)))
    return int(pixels.shape[1]), int(pixels.shape[2])
