"""What a run keeps so that its items can be searched: terms, the catalogue's words, and its phrases."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from huaxiang.errors import ArtefactError
from huaxiang.search.completion import Completion, Completions, value_counts
from huaxiang.search.documents import documents, titles
from huaxiang.search.lexical import LexicalIndex
from huaxiang.search.spelling import Vocabulary
from huaxiang.search.tokens import terms
from huaxiang.shop.base import Shop
from huaxiang.shop.catalogue import Catalogue

VERSION = 1
_WORDS = "words.json"
TRIED = 4
"""Completions that are tried for each that is wanted: not all of them name something together."""


@dataclass(frozen=True, kw_only=True)
class SearchIndex:
    """Everything that a query is held against but vectors."""

    lexical: LexicalIndex
    vocabulary: Vocabulary
    completions: Completions

    @classmethod
    def of(cls, shop: Shop, catalogue: Catalogue) -> Self:
        """Return the index of a shop's items."""
        said = [title for row in titles(shop) for title in row]
        counts = value_counts(catalogue)
        names = (name for values in counts.values() for name in values)
        return cls(
            lexical=LexicalIndex.of(documents(shop, catalogue)),
            vocabulary=Vocabulary.of([*said, *names]),
            completions=Completions.of(counts, said),
        )

    def with_items(self, shop: Shop, catalogue: Catalogue, item_rows: Sequence[int]) -> SearchIndex:
        """Return the index in which some items are as they are now; phrases stay until the next build."""
        rows = [int(row) for row in item_rows]
        lexical = self.lexical.with_items(dict(zip(rows, documents(shop, catalogue, rows), strict=True)))
        if lexical.is_outgrown:
            return SearchIndex.of(shop, catalogue)
        said = [title for row in titles(shop, rows) for title in row]
        return replace(self, lexical=lexical, vocabulary=self.vocabulary.with_texts(said))

    def suggest(self, typed: str, *, k: int) -> list[Completion]:
        """Return at most `k` ways to finish what was typed, each of which finds something."""
        found = []
        for one in self.completions.complete(typed, k=TRIED * k):
            n_items = self.lexical.n_with_all(terms(one.text))
            if n_items:
                found.append(one._replace(n_items=n_items))
            if len(found) == k:
                break
        return found

    def save(self, folder: Path) -> None:
        """Write the parts."""
        self.lexical.save(folder / "lexical")
        said = {
            "version": VERSION,
            "counts": {**self.vocabulary.counts, **self.vocabulary.added},
            "phrases": list(self.completions.phrases),
            "kinds": list(self.completions.kinds),
            "n_items": list(self.completions.counts),
        }
        (folder / _WORDS).write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what `save` wrote.

        Raises
        ------
        ArtefactError
            A part is missing, damaged, or of a newer version.
        """
        lexical = LexicalIndex.load(folder / "lexical")
        try:
            said = json.loads((folder / _WORDS).read_text(encoding="utf-8"))
            if said["version"] > VERSION:
                raise ArtefactError("made by a newer version", file=str(folder), remedy="update huaxiang")
            return cls(
                lexical=lexical,
                vocabulary=Vocabulary(counts=said["counts"]),
                completions=Completions(phrases=said["phrases"], kinds=said["kinds"], counts=said["n_items"]),
            )
        except (OSError, ValueError, KeyError) as error:
            raise ArtefactError(
                "the words of the catalogue can't be read", file=str(folder), remedy="build the run again"
            ) from error
