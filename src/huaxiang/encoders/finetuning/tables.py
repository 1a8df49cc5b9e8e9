"""Labelled rows of a file, split so that what is the same never stands on both sides."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from huaxiang.errors import InputError
from huaxiang.shop.clean import clean_text
from huaxiang.shop.quality.given import read_own_table
from huaxiang.shop.tables import LINE, UNREADABLE

FEWEST = 20
"""Rows without which nothing can be learnt and held out."""

BETWEEN = " ; "
"""What stands between the texts of several columns: the same in training and in prediction."""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Texts and their labels.

    Parameters
    ----------
    texts
        Cleaned; the columns joined.
    labels
        As written; "" where there is none.
    keys
        What may stand on one side of a split only: the text, or the cell of a column.
    lines
        Line of the file, from 1 with the header, (N,).
    n_left_out
        Rows without a readable text or label.
    """

    file: str
    texts: tuple[str, ...]
    labels: tuple[str, ...]
    keys: tuple[str, ...]
    lines: NDArray[np.int64]
    n_left_out: int = 0

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, rows: Sequence[int] | NDArray[np.int64]) -> Rows:
        """Return some rows."""
        chosen = [int(row) for row in rows]
        return Rows(
            file=self.file,
            texts=tuple(self.texts[row] for row in chosen),
            labels=tuple(self.labels[row] for row in chosen),
            keys=tuple(self.keys[row] for row in chosen),
            lines=self.lines[chosen],
        )

    @property
    def fingerprint(self) -> str:
        """A hash of what is learnt from."""
        total = hashlib.blake2b(digest_size=8)
        for text, label, key in zip(self.texts, self.labels, self.keys, strict=True):
            total.update("\0".join((text, label, key)).encode() + b"\1")
        return total.hexdigest()


def read_rows(
    path: Path,
    *,
    text: Sequence[str],
    label: str | None = None,
    split_by: str | None = None,
    as_written: bool = False,
) -> Rows:
    """Return the rows of a file; those without a text, or without a label where one is wanted, are left out.

    With `as_written` texts are not cleaned, so that places in them stay what they are.

    Raises
    ------
    InputError
        A column is missing, or too few rows are left.
    """
    table = read_own_table(path, option="--train, --valid, --test")
    for column in (*text, *(name for name in (label, split_by) if name)):
        if column not in table.columns:
            remedy = f"choose of {', '.join(table.columns)}"
            raise InputError("no such column", file=path.name, column=column, remedy=remedy)
    frame = table.frame.filter(pl.col(UNREADABLE).is_null())
    written = frame.select(text).iter_rows()
    texts = [(cells[0] or "") if as_written else joined(cells) for cells in written]
    labels = [(cell or "").strip() for cell in frame[label]] if label else [""] * len(frame)
    keys = [str(cell) for cell in frame[split_by]] if split_by else [text.lower() for text in texts]
    kept = [row for row, words in enumerate(texts) if words and (labels[row] or label is None)]
    if label and len(kept) < FEWEST:
        remedy = f"at least {FEWEST} rows with a text and a label are needed"
        raise InputError("too few rows", file=path.name, column=label, value=str(len(kept)), remedy=remedy)
    return Rows(
        file=path.name,
        texts=tuple(texts[row] for row in kept),
        labels=tuple(labels[row] for row in kept),
        keys=tuple(keys[row] for row in kept),
        lines=frame[LINE].to_numpy().astype(np.int64)[kept],
        n_left_out=len(table.frame) - len(kept),
    )


def joined(cells: Sequence[str | None]) -> str:
    """Return the texts of several columns as one.

    Examples
    --------
    >>> joined(["Lovely", None, "Fits <b>well</b>"])
    'Lovely ; Fits well'
    """
    return BETWEEN.join(part for part in (clean_text(cell) for cell in cells) if part)


def split_rows(rows: Rows, *, share: float, salt: str) -> tuple[Rows, Rows]:
    """Return the rows to keep and about `share` of them held out; rows of one key stay together.

    Which side a key is on depends on the key and the salt alone, so that it does not change with other rows.

    Examples
    --------
    >>> texts = tuple(f"text {n // 2}" for n in range(40))
    >>> rows = Rows(file="f", texts=texts, labels=texts, keys=texts, lines=np.arange(40))
    >>> left, held_out = split_rows(rows, share=0.3, salt="test")
    >>> len(left) + len(held_out), set(left.keys) & set(held_out.keys)
    (40, set())
    """
    is_held = np.array([drawn(key, salt) < share for key in rows.keys], np.bool_)
    return rows.take(np.flatnonzero(~is_held)), rows.take(np.flatnonzero(is_held))


def drawn(key: str, salt: str) -> float:
    """Return a number in 0 to 1 that depends on a key and a salt alone."""
    digest = hashlib.blake2b(f"{salt}\0{key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
