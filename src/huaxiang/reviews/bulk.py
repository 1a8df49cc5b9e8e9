"""Reads very many reviews, part by part: stopped, it goes on where it was."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import orjson

from huaxiang.files import write_json
from huaxiang.reviews.base import Mention, Reader, Reading

AT_ONCE = 2_000
VERSION = 1
Progress = Callable[[int, int, str], None]


def read_all(
    texts: Sequence[str], reader: Reader, folder: Path, *, progress: Progress = lambda done, total, note: None
) -> list[Reading]:
    """Return a reading of each text; finished parts are kept in `folder` and never read twice.

    A part is taken from there only if it was made from the same texts by the same reader; what can't be read
    is made again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found: list[Reading] = []
    n_kept = 0
    for start in range(0, len(texts), AT_ONCE):
        part = texts[start : start + AT_ONCE]
        file = folder / f"readings-{start // AT_ONCE:05d}.json"
        mark = fingerprint(part, reader)
        kept = _kept(file, mark)
        if kept is None:
            kept = reader.read(part)
            write_json(file, {"version": VERSION, "of": mark, "readings": kept})
        else:
            n_kept += len(part)
        found += kept
        progress(len(found), len(texts), f"{n_kept:,} were read before" if n_kept else "reviews read")
    return found


def fingerprint(texts: Sequence[str], reader: Reader) -> str:
    """Return a hash of texts and of what reads them.

    Examples
    --------
    >>> from huaxiang.reviews.rules import RuleReader
    >>> fingerprint(["a", "b"], RuleReader()) == fingerprint(["ab", ""], RuleReader())
    False
    """
    total = hashlib.blake2b(reader.name.encode(), digest_size=12)
    for text in texts:
        written = text.encode("utf-8", "surrogatepass")
        total.update(len(written).to_bytes(8, "big") + written)
    return total.hexdigest()


def _kept(file: Path, mark: str) -> list[Reading] | None:
    try:
        said = orjson.loads(file.read_bytes())
        if said["version"] != VERSION or said["of"] != mark:
            return None
        return [
            Reading(language, float(score), tuple(Mention(*one) for one in mentions))
            for language, score, mentions in said["readings"]
        ]
    except (OSError, ValueError, TypeError, KeyError):
        return None
