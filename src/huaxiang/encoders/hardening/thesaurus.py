"""Words replaced by others that a given thesaurus says mean the same."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from huaxiang.encoders.hardening.base import CHANGED, NOTHING_TO_CHANGE
from huaxiang.encoders.hardening.edits import Config
from huaxiang.encoders.hardening.words import drawn_places, in_the_case_of, is_word, pieces
from huaxiang.errors import InputError
from huaxiang.shop.tables import LINE, UNREADABLE, Table, read_table

_BETWEEN = re.compile(r"[|;；、,，]")
_WORD, _SYNONYMS = "word", "synonyms"


class Thesaurus:
    """Texts with some words replaced by their synonyms; English and Chinese, single words and phrases.

    Parameters
    ----------
    synonyms
        Word or phrase in lower case → what may stand in its place. Nothing is turned round: where each of
        two may replace the other, both have a row.
    """

    def __init__(self, synonyms: Mapping[str, Sequence[str]], config: Config | None = None) -> None:
        self.synonyms = {" ".join(word.lower().split()): tuple(same) for word, same in synonyms.items()}
        self.config = config or Config()
        self.counted: Counter[str] = Counter()
        self._longest = max((len(pieces(word)) for word in self.synonyms), default=0) + 1

    @classmethod
    def read(cls, path: str | Path, config: Config | None = None) -> Thesaurus:
        """Return the thesaurus in a CSV, JSON lines or Parquet file with columns `word` and `synonyms`.

        Synonyms are a list, or a text in which they are divided by | ; , or 、.

        Raises
        ------
        InputError
            A column is missing, a row can't be read, or no row has a synonym.
        """
        table = read_table(Path(path))
        _check(table)
        synonyms: dict[str, list[str]] = {}
        for word, same in table.frame.select(_WORD, _SYNONYMS).drop_nulls().iter_rows():
            others = [one.strip() for one in _BETWEEN.split(same)]
            known = synonyms.setdefault(word.strip().lower(), [])
            known += [one for one in others if one and one.lower() != word.strip().lower()]
        usable = {word: same for word, same in synonyms.items() if word and same}
        if not usable:
            raise InputError("thesaurus has no synonyms", file=table.file, remedy="fill its column synonyms")
        return cls(usable, config)

    def augment(self, texts: Sequence[str], rng: np.random.Generator) -> list[str]:
        """Return one text for each.

        Examples
        --------
        >>> known = Thesaurus({"running shoes": ["trainers"], "裙子": ["裙装"]})
        >>> known.augment(["Running shoes, red", "红色的裙子", "a hat"], np.random.default_rng(0))
        ['Trainers, red', '红色的裙装', 'a hat']
        """
        return [self._one(text, rng) for text in texts]

    def _one(self, text: str, rng: np.random.Generator) -> str:
        found = pieces(text)
        spans = dict(self._spans(found))
        n_words = sum(map(is_word, found))
        rate = min(1.0, self.config.rate * n_words / max(1, len(spans)))
        for start in drawn_places(list(spans), rate=rate, rng=rng):
            end = spans[start]
            before = "".join(found[start:end])
            after = str(rng.choice(self.synonyms[_key(before)]))
            found[start:end] = [in_the_case_of(after, before), *[""] * (end - start - 1)]
        self.counted[CHANGED if spans else NOTHING_TO_CHANGE] += 1
        return "".join(found)

    def _spans(self, found: list[str]) -> Iterator[tuple[int, int]]:
        """Yield where known words and phrases begin and end, the longest first, none inside another."""
        free_from = 0
        for start, piece in enumerate(found):
            if start < free_from or not is_word(piece):
                continue
            for end in range(min(len(found), start + self._longest), start, -1):
                if is_word(found[end - 1]) and _key("".join(found[start:end])) in self.synonyms:
                    yield start, end
                    free_from = end
                    break


def _key(written: str) -> str:
    return " ".join(written.lower().split())


def _check(table: Table) -> None:
    for column in (_WORD, _SYNONYMS):
        if column not in table.columns:
            raise InputError(
                "thesaurus has no such column",
                file=table.file,
                column=column,
                value=", ".join(table.columns),
                remedy=f"name its columns {_WORD} and {_SYNONYMS}",
            )
    broken = table.frame.filter(table.frame[UNREADABLE].is_not_null())
    if len(broken):
        raise InputError(
            "row of the thesaurus can't be read",
            file=table.file,
            line=broken[LINE][0],
            value=broken[UNREADABLE][0],
            remedy="put quotes around synonyms that are divided by commas",
        )
