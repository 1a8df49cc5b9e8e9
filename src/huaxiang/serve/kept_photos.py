"""Photos that a shop sent, kept beside the log under the hash of their content.

What is kept is the picture, written anew as a JPEG of moderate size: no place and time of taking, and nothing
else that a file of a photo may carry.
"""

from __future__ import annotations

import io
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from PIL import Image

LONGEST_SIDE = 1024
QUALITY = 90
_NAME = re.compile(r"[0-9a-f]{32}\.jpg")


@dataclass(frozen=True)
class KeptPhotos(Mapping[str, Path]):
    """A folder of photos, by name; a name is 32 hexadecimal digits and .jpg.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as home:
    ...     photos = KeptPhotos(Path(home) / "photos")
    ...     name = photos.keep(Image.new("RGB", (3000, 10), "red"))
    ...     len(name), name in photos, "../../etc/passwd" in photos
    (36, True, False)
    """

    folder: Path

    def keep(self, picture: Image.Image) -> str:
        """Write a picture, once whoever sends it; return its name."""
        small = picture.copy()
        small.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        written = io.BytesIO()
        small.convert("RGB").save(written, "JPEG", quality=QUALITY)
        content = written.getvalue()
        name = f"{blake2b(content, digest_size=16).hexdigest()}.jpg"
        if not (self.folder / name).exists():
            self._write(name, content)
        return name

    def remove(self, name: str) -> None:
        """Forget a photo; what is no name of one stays."""
        if name in self:
            (self.folder / name).unlink(missing_ok=True)

    def __getitem__(self, name: str) -> Path:
        place = self.folder / name
        if not _NAME.fullmatch(name) or not place.is_file():
            raise KeyError(name)
        return place

    def __iter__(self) -> Iterator[str]:
        return (file.name for file in self.folder.glob("*.jpg") if _NAME.fullmatch(file.name))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _write(self, name: str, content: bytes) -> None:
        """Put a file in its place when it is whole and on the disk."""
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(dir=self.folder)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(beside).replace(self.folder / name)
