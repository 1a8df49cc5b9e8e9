"""Photos of a shop: a folder or a zip file, read by name."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from huaxiang.errors import ShopError

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp")
_LARGEST_BYTES = 64 * 2**20


class Photos(Protocol):
    """Where photos are looked up."""

    def names(self) -> list[str]:
        """Return the names of all photos, sorted; a name is a path inside the folder or zip."""

    def read(self, name: str) -> bytes | None:
        """Return a photo's bytes; None where there is none of that name, or it can't be read."""


class PhotoFolder:
    """Photos in a folder and its folders."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = {
            path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if _is_photo(path)
        }

    def names(self) -> list[str]:
        """Return the names of all photos, sorted."""
        return sorted(self._files)

    def read(self, name: str) -> bytes | None:
        """Return a photo's bytes, or None; only what lies in the folder can be named."""
        path = self._files.get(name)
        try:
            return path.read_bytes() if path is not None and path.stat().st_size <= _LARGEST_BYTES else None
        except OSError:
            return None


class PhotoZip:
    """Photos in a zip file."""

    def __init__(self, file: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, OSError) as error:
            raise ShopError(
                "not a readable zip file", file=file.name, remedy="pack the photos again"
            ) from error
        self._entries = {
            entry.filename: entry for entry in self._zip.infolist() if _is_photo(Path(entry.filename))
        }

    def names(self) -> list[str]:
        """Return the names of all photos, sorted."""
        return sorted(self._entries)

    def read(self, name: str) -> bytes | None:
        """Return a photo's bytes; None where there is none of that name, or it is damaged or huge."""
        entry = self._entries.get(name)
        if entry is None or entry.file_size > _LARGEST_BYTES:
            return None
        try:
            return self._zip.read(entry)
        except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError):
            return None

    def close(self) -> None:
        """Close the file."""
        self._zip.close()


@contextmanager
def open_photos(where: str | Path) -> Iterator[Photos]:
    """Open the photos of `Shop.images`.

    Raises
    ------
    ShopError
        When the folder or zip file is missing or damaged.
    """
    path = Path(where)
    if path.is_dir():
        yield PhotoFolder(path)
        return
    if not path.exists():
        raise ShopError(
            "photos are missing", file=str(path), remedy="put images/ or images.zip beside the items"
        )
    photos = PhotoZip(path)
    try:
        yield photos
    finally:
        photos.close()


def find_images(folder: Path) -> Path | None:
    """Return the `images` folder or `images.zip` of a shop folder, or None."""
    return next((path for path in (folder / "images", folder / "images.zip") if path.exists()), None)


def by_stem(names: Iterable[str]) -> dict[str, str]:
    """Return file name without ending → name, for shops whose photos are called as their items.

    Examples
    --------
    >>> by_stem(["small/17.jpg"])
    {'17': 'small/17.jpg'}
    """
    return {Path(name).stem: name for name in names}


def _is_photo(path: Path) -> bool:
    return path.suffix.lower() in PHOTO_SUFFIXES and not path.name.startswith(".")
