"""A shop's photos as they come → pictures of one kind: three colours, upright, on white, first frame.

Whatever the file is, nothing is raised: a photo that can't be read is None beside the reason.
"""

from __future__ import annotations

import io
import stat
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from huaxiang.encoders.base import ImageInput
from huaxiang.errors import EncoderError

MOST_BYTES = 50 * 2**20
MOST_PIXELS = 50_000_000
"""Beyond it a photo is refused before it is unpacked; JPEGs are counted after they are shrunk in reading."""

MISSING = "photo is missing"
TOO_LARGE = f"photo file is larger than {MOST_BYTES // 2**20} MiB"
TOO_MANY_PIXELS = f"photo has more than {MOST_PIXELS // 1_000_000} million pixels"
UNREADABLE = "photo can't be read"
CUT_SHORT = "photo file is cut short"
ANIMATED = "photo is animated; its first frame is read"

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"})


class Photo(NamedTuple):
    """A picture in RGB, or None; and what is to be said about it, or None."""

    picture: Image.Image | None
    problem: str | None


class Photos:
    """The photos in a folder or a zip file, by name.

    A name may have folders too many at its start, or leave them all out where that is not ambiguous.

    Parameters
    ----------
    place
        A folder, or a `.zip` file.

    Raises
    ------
    EncoderError
        When there is no such folder, or the file is not a zip file.
    """

    def __init__(self, place: str | Path) -> None:
        self.place = Path(place)
        self._zip = None if self.place.is_dir() else _open_zip(self.place)
        found = self._zip.namelist() if self._zip else _files_below(self.place)
        self.names = sorted(name for name in found if PurePosixPath(name).suffix.lower() in _SUFFIXES)
        self._whole = frozenset(self.names)
        short = [PurePosixPath(name).name for name in self.names]
        n_short = Counter(short)
        self._by_short = {one: name for one, name in zip(short, self.names, strict=True) if n_short[one] == 1}

    def get(self, name: str | None) -> ImageInput:
        """Return a photo as an encoder takes it; None where the name is None.

        A name that is not there becomes a path that is not there, so that the encoder says it is missing.
        """
        if name is None:
            return None
        found = self._found(name)
        if found is None:
            return self.place / "missing" / PurePosixPath(name).name
        return self._from_zip(found) if self._zip else self.place / found

    def _found(self, name: str) -> str | None:
        """Return the name as it is here, or None."""
        parts = PurePosixPath(name.replace("\\", "/")).parts
        tried = ("/".join(parts[start:]) for start in range(len(parts)))
        whole = next((one for one in tried if one in self._whole), None)
        return whole or (self._by_short.get(name) if len(parts) == 1 else None)

    def all(self, names: Sequence[str | None]) -> list[ImageInput]:
        """Return the photos of many names; those of a zip file are held in memory, packed as they are."""
        return [self.get(name) for name in names]

    def _from_zip(self, name: str) -> bytes:
        assert self._zip is not None
        try:
            with self._zip.open(name) as member:
                return member.read(MOST_BYTES + 1)  # a packed bomb unpacks no further than this
        except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError):
            return b""


def _open_zip(place: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(place)
    except (OSError, zipfile.BadZipFile) as error:
        remedy = "give a folder of photos, or a .zip file"
        raise EncoderError("photos can't be found", file=str(place), remedy=remedy) from error


def _files_below(folder: Path) -> Iterator[str]:
    return (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


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


def _content(image: str | Path | bytes) -> tuple[bytes | None, str | None]:
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
