"""A picture → the numbers an image encoder was trained on, with Pillow and NumPy alone.

The settings are read once from the encoder's own processor, when it is exported; serving needs no
transformers. The steps and their rounding are those of its Pillow processors, to the last digit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from huaxiang.errors import ArtefactError, EncoderError


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How a picture becomes an array.

    Parameters
    ----------
    shortest_edge
        Shrink or grow until the shorter side has so many pixels; None where `size` is given.
    size
        (height, width) whatever the picture's shape was; None where `shortest_edge` is given.
    crop
        (height, width) cut from the middle, black where the picture is smaller; None for no cut.
    resample
        Pillow's number of the filter: 0 nearest, 1 Lanczos, 2 bilinear, 3 bicubic.
    scale, mean, std
        A pixel p, 0 to 255, becomes (p · scale − mean) / std for each colour.
    """

    shortest_edge: int | None = None
    size: tuple[int, int] | None = None
    crop: tuple[int, int] | None = None
    resample: int = 2
    scale: float = 1 / 255
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)

    @property
    def at_least(self) -> int:
        """Pixels that each side must keep so that shrinking still averages over two or more of them."""
        return 2 * (self.shortest_edge or max(self.size or (1, 1)))

    def as_json(self) -> dict[str, Any]:
        """Return a JSON object that `from_json` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Preprocessing:
        """Return the settings of a JSON object, or raise `ArtefactError`."""
        try:
            lists: dict[str, Any] = {
                key: tuple(value) if isinstance(value, list) else value for key, value in said.items()
            }
            made = cls(**lists)
        except TypeError as error:
            raise ArtefactError("preprocessing can't be read", remedy="export the encoder again") from error
        if (made.shortest_edge is None) == (made.size is None):
            raise ArtefactError("preprocessing has no size", remedy="export the encoder again")
        return made

    def apply(self, picture: Image.Image) -> NDArray[np.float32]:
        """Return an RGB picture as float32, shape (3, height, width)."""
        height, width = self.size or _by_shortest_edge(picture, self.shortest_edge or 1)
        resized = picture.resize((width, height), resample=Image.Resampling(self.resample))
        pixels_HWC = np.asarray(resized)
        if self.crop:
            pixels_HWC = _cut_from_middle(pixels_HWC, *self.crop)
        scaled = (pixels_HWC.astype(np.float64) * self.scale).astype(np.float32)
        normal = (scaled - np.array(self.mean, np.float32)) / np.array(self.std, np.float32)
        return np.ascontiguousarray(normal.transpose(2, 0, 1))


def _by_shortest_edge(picture: Image.Image, edge: int) -> tuple[int, int]:
    short, long = sorted(picture.size)
    long = max(1, int(edge * long / short))
    return (long, edge) if picture.width <= picture.height else (edge, long)


def _cut_from_middle(pixels_HWC: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    had_height, had_width = pixels_HWC.shape[:2]
    top, left = (had_height - height) // 2, (had_width - width) // 2
    if top >= 0 and left >= 0:
        return pixels_HWC[top : top + height, left : left + width]
    # Black around a picture that is too small; the odd row or column goes above and to the left.
    whole = np.zeros((max(height, had_height), max(width, had_width), 3), np.uint8)
    down, right = -(-(len(whole) - had_height) // 2), -(-(whole.shape[1] - had_width) // 2)
    whole[down : down + had_height, right : right + had_width] = pixels_HWC
    top, left = max(0, top + down), max(0, left + right)
    return whole[top : top + height, left : left + width]


def preprocessing_of(processor: Any) -> Preprocessing:
    """Return the settings of a transformers image processor.

    Raises
    ------
    EncoderError
        It does something that is not known here.
    """
    size = dict(processor.size) if processor.do_resize else {}
    size = {key: value for key, value in size.items() if value is not None}
    edge, shape = size.get("shortest_edge"), (size.get("height"), size.get("width"))
    crop = _crop_of(processor)
    if getattr(processor, "crop_pct", None) and edge is not None:  # ConvNeXT's way, ResNet's too
        share = float(processor.crop_pct)
        edge, shape, crop = (
            (int(edge / share), (None, None), (edge, edge)) if edge < 384 else (None, (edge, edge), crop)
        )
    is_known = set(size) <= {"shortest_edge", "height", "width"} and not getattr(processor, "do_pad", False)
    if not is_known or (edge is None and None in shape):
        remedy = "choose an encoder that resizes to a height and width, or to a shortest edge"
        raise EncoderError("preprocessing is not supported", value=type(processor).__name__, remedy=remedy)
    normal = bool(processor.do_normalize)
    return Preprocessing(
        shortest_edge=edge,
        size=None if edge is not None else (int(shape[0] or 0), int(shape[1] or 0)),
        crop=crop,
        resample=int(processor.resample),
        scale=float(processor.rescale_factor) if processor.do_rescale else 1.0,
        mean=_three(processor.image_mean) if normal else (0.0, 0.0, 0.0),
        std=_three(processor.image_std) if normal else (1.0, 1.0, 1.0),
    )


def _crop_of(processor: Any) -> tuple[int, int] | None:
    if not getattr(processor, "do_center_crop", False):
        return None
    crop = dict(processor.crop_size)
    return int(crop["height"]), int(crop["width"])


def _three(values: Any) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue
