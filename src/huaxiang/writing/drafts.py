"""What was written so far, in a file beside the output: a stopped command goes on from there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from huaxiang.errors import StorageError

Texts = list[str | None]


class Drafts:
    """Texts by the number of their part, one line each, of one task alone.

    Parameters
    ----------
    file
        Made with its first line; a line that was cut short, or is of another task, counts for nothing.
    of
        What is written, as a short text or hash.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     drafts = Drafts(Path(folder) / "out.csv.partial", of="a")
    ...     drafts.keep(0, ["A red dress.", None])
    ...     again, other = Drafts(drafts.file, of="a"), Drafts(drafts.file, of="b")
    >>> again.texts, other.texts
    ({0: ['A red dress.', None]}, {})
    """

    def __init__(self, file: Path, *, of: str) -> None:
        self.file, self.of = file, of
        self.texts = self._read()

    def _read(self) -> dict[int, Texts]:
        found: dict[int, Texts] = {}
        if self.file.exists():
            for line in self.file.read_bytes().splitlines():
                try:
                    said = json.loads(line)
                    if said["of"] == self.of:
                        found[said["part"]] = said["texts"]
                except (ValueError, TypeError, KeyError):
                    continue  # cut short, or none of ours: that part is written again
        return found

    def keep(self, part: int, texts: Sequence[str | None]) -> None:
        """Add a part.

        Raises
        ------
        StorageError
            The disk is full, or the folder can't be written.
        """
        line = json.dumps({"of": self.of, "part": part, "texts": list(texts)}, ensure_ascii=False)
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with self.file.open("ab") as out:
                out.write(b"\n" * (out.tell() > 0) + line.encode())
        except OSError as error:
            remedy = "free some space, and give the same command again"
            raise StorageError("draft can't be kept", file=str(self.file), remedy=remedy) from error
        self.texts[part] = list(texts)

    def remove(self) -> None:
        """Take the file away: everything is written."""
        self.file.unlink(missing_ok=True)
