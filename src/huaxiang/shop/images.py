"""Where the photos of a shop are: a folder or a zip file, looked up by name."""

from __future__ import annotations

import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from huaxiang.errors import ShopError

PHOTO_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"})
MOST_BYTES = 50 * 2**20
"""Larger files are no photos."""


class Photos:
    """The photos in a folder or a zip file, by name.

    A name may have folders too many at its start, or leave them all out where that is not ambiguous; nothing
    outside the folder can be named.

    Parameters
    ----------
    place
        A folder, or a `.zip` file.

    Raises
    ------
    ShopError
        When there is no such folder, or the file is not a zip file.
    """

    def __init__(self, place: str | Path) -> None:
        self.place = Path(place)
        self._zip = None if self.place.is_dir() else _open_zip(self.place)
        found = self._zip.namelist() if self._zip else _files_below(self.place)
        self.names = sorted(name for name in found if _is_photo(PurePosixPath(name)))
        self._whole = frozenset(self.names)
        short = [PurePosixPath(name).name for name in self.names]
        n_short = Counter(short)
        self._by_short = {one: name for one, name in zip(short, self.names, strict=True) if n_short[one] == 1}

    def get(self, name: str | None) -> Path | bytes | None:
        """Return a photo as an encoder takes it: its file or its bytes; None where the name is None.

        A name that is not there becomes a path that is not there, so that the encoder says it is missing.
        """
        if name is None:
            return None
        found = self._found(name)
        if found is None:
            return self.place / "missing" / PurePosixPath(name).name
        return self._from_zip(found) if self._zip else self.place / found

    def all(self, names: Sequence[str | None]) -> list[Path | bytes | None]:
        """Return the photos of many names; those of a zip file are held in memory, packed as they are."""
        return [self.get(name) for name in names]

    def _found(self, name: str) -> str | None:
        """Return the name as it is here, or None."""
        parts = PurePosixPath(name.replace("\\", "/")).parts
        tried = ("/".join(parts[start:]) for start in range(len(parts)))
        whole = next((one for one in tried if one in self._whole), None)
        return whole or (self._by_short.get(name) if len(parts) == 1 else None)

    def _from_zip(self, name: str) -> bytes:
        assert self._zip is not None
        try:
            with self._zip.open(name) as member:
                return member.read(MOST_BYTES + 1)  # a packed bomb unpacks no further than this
        except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError):
            return b""


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


def _open_zip(place: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(place)
    except (OSError, zipfile.BadZipFile) as error:
        remedy = "put a folder images/ or a file images.zip beside the items, or pack the photos again"
        raise ShopError("photos can't be found", file=str(place), remedy=remedy) from error


def _files_below(folder: Path) -> Iterator[str]:
    return (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _is_photo(path: PurePosixPath) -> bool:
    return path.suffix.lower() in PHOTO_SUFFIXES and not path.name.startswith(".")
