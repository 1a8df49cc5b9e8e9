"""A shop's photos as they come → pictures of one kind: three colours, upright, on white, first frame.

Whatever the file is, nothing is raised: a photo that can't be read is None beside the reason.
"""

from __future__ import annotations

import io
import stat
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from huaxiang.encoders.base import ImageInput
from huaxiang.notes import Note, note
from huaxiang.shop.images import MOST_BYTES

MOST_PIXELS = 50_000_000
"""Beyond it a photo is refused before it is unpacked; JPEGs are counted after they are shrunk in reading."""

MISSING = note("photo_missing")
TOO_LARGE = note("photo_too_large", n=MOST_BYTES // 2**20)
TOO_MANY_PIXELS = note("photo_too_many_pixels", n=MOST_PIXELS // 1_000_000)
UNREADABLE = note("photo_unreadable")
CUT_SHORT = note("photo_cut_short")
ANIMATED = note("photo_animated")


class Photo(NamedTuple):
    """A picture in RGB, or None; and what is to be said about it, or None."""

    picture: Image.Image | None
    problem: Note | None


def read_photo(image: ImageInput, *, at_least: int | None = None) -> Photo:
    """Return the picture of a photo in RGB, or why there is none; a photo that is None has no problem.

    Parameters
    ----------
    image
        A file, its bytes, or None.
    at_least
        A large JPEG may be read at a half, quarter or eighth of its size, as long as each side keeps
        this many pixels: several times faster. None reads all of it.

    Examples
    --------
    >>> read_photo(b"not a photo").problem
    "photo can't be read"
    """
    if image is None:
        return Photo(None, None)
    content, problem = _content(image)
    if content is None:
        return Photo(None, problem)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of large and of oddly tagged files; both are handled
        try:
            return _decoded(content, at_least)
        except Image.DecompressionBombError:
            return Photo(None, TOO_MANY_PIXELS)
        except Exception as error:  # hostile bytes make Pillow's decoders raise nearly anything
            return Photo(None, CUT_SHORT if "truncated" in str(error) else UNREADABLE)


def _content(image: str | Path | bytes) -> tuple[bytes | None, Note | None]:
    if isinstance(image, bytes):
        return (image, None) if len(image) <= MOST_BYTES else (None, TOO_LARGE)
    try:
        found = Path(image).stat()
        if not stat.S_ISREG(found.st_mode):
            return None, UNREADABLE
        return (Path(image).read_bytes(), None) if found.st_size <= MOST_BYTES else (None, TOO_LARGE)
    except (FileNotFoundError, NotADirectoryError):
        return None, MISSING
    except (OSError, ValueError):
        return None, UNREADABLE


def _decoded(content: bytes, at_least: int | None) -> Photo:
    with Image.open(io.BytesIO(content)) as opened:
        if at_least:
            shrink = max(1, min(opened.size) // at_least)
            opened.draft("RGB", (opened.width // shrink, opened.height // shrink))
        if opened.width * opened.height > MOST_PIXELS:
            return Photo(None, TOO_MANY_PIXELS)
        is_animated = bool(getattr(opened, "is_animated", False))
        opened.load()
        upright = ImageOps.exif_transpose(opened)
        return Photo(on_white(upright), ANIMATED if is_animated else None)


def on_white(picture: Image.Image) -> Image.Image:
    """Return a picture of any mode in RGB; what is transparent is white, as in a shop's list.

    Examples
    --------
    >>> on_white(Image.new("RGBA", (1, 1), (255, 0, 0, 0))).getpixel((0, 0))
    (255, 255, 255)
    >>> on_white(Image.new("I;16", (1, 1), 65535)).getpixel((0, 0))
    (255, 255, 255)
    """
    if picture.mode.startswith(("I", "F")):
        return _from_deep(picture).convert("RGB")
    if "A" in picture.getbands() or "a" in picture.getbands() or "transparency" in picture.info:
        clear = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear).convert("RGB")
    return picture.convert("RGB")


def _from_deep(picture: Image.Image) -> Image.Image:
    """Return 16-bit, 32-bit and floating grey as 8-bit grey; Pillow itself would clip it to white."""
    grey = np.nan_to_num(np.asarray(picture, np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    top = next((top for top in (1.0, 255.0, 65535.0) if grey.max(initial=0) <= top), grey.max())
    if picture.mode.startswith("I"):
        top = 65535.0 if picture.mode != "I" or grey.max(initial=0) > 255 else 255.0
        top = max(top, grey.max(initial=0))
    return Image.fromarray(np.clip(grey / top * 255, 0, 255).round().astype(np.uint8))
