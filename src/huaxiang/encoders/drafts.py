"""What models wrote so far, in a file beside the output: a stopped command goes on from there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from huaxiang.errors import StorageError


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A part: its texts (None: nothing was written), and what became of them, counted."""

    texts: Sequence[str | None]
    counted: Mapping[str, int]


class Drafts:
    """Parts by their number, one line each, of one task alone.

    Parameters
    ----------
    file
        Made with its first line; a line that was cut short, or is of another task, counts for nothing.
        None keeps nothing.
    of
        What is written, as a short text or hash.

    Attributes
    ----------
    counted
        Of all parts that were asked for, now or before.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "out.csv.partial"
    ...     for said in ("A red dress.", "A blue dress."):
    ...         part = Drafts(file, of="a").part(0, write=lambda: [said, None], counted=dict)
    >>> part.texts
    ['A red dress.', None]
    """

    def __init__(self, file: Path | None, *, of: str) -> None:
        self.file, self.of = file, of
        self.counted: Counter[str] = Counter()
        self._kept = self._read()

    def part(
        self,
        number: int,
        *,
        write: Callable[[], Sequence[str | None]],
        counted: Callable[[], Mapping[str, int]],
    ) -> Draft:
        """Return a part as it was kept, else as `write` gives it now.

        A part of which nothing was written is not kept: it is asked for again.

        Parameters
        ----------
        counted
            What the writer has counted so far; how much it grew is the part's.

        Raises
        ------
        StorageError
            The disk is full, or the folder can't be written.
        """
        draft = self._kept.get(number)
        if draft is None:
            before = Counter(counted())
            texts = write()
            draft = Draft(texts=texts, counted=Counter(counted()) - before)
            if any(text is not None for text in texts):
                self._keep(number, draft)
        self.counted.update(draft.counted)
        return draft

    def _read(self) -> dict[int, Draft]:
        found: dict[int, Draft] = {}
        if self.file is not None and self.file.exists():
            for line in self.file.read_bytes().splitlines():
                try:
                    said = json.loads(line)
                    if said["of"] == self.of:
                        found[said["part"]] = Draft(texts=said["texts"], counted=said["counted"])
                except (ValueError, TypeError, KeyError):
                    continue  # cut short, or none of ours: that part is written again
        return found

    def _keep(self, number: int, draft: Draft) -> None:
        if self.file is None:
            return
        said = {"of": self.of, "part": number, "texts": list(draft.texts), "counted": dict(draft.counted)}
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with self.file.open("ab") as out:
                out.write(b"\n" * (out.tell() > 0) + json.dumps(said, ensure_ascii=False).encode())
        except OSError as error:
            remedy = "free some space, and give the same command again"
            raise StorageError("draft can't be kept", file=str(self.file), remedy=remedy) from error

    def remove(self) -> None:
        """Take the file away: everything is written."""
        if self.file is not None:
            self.file.unlink(missing_ok=True)
