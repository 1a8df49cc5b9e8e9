"""What a language model reads: documents, each a sequence of sentences, in groups such as categories."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from huaxiang.errors import InputError
from huaxiang.shop.base import Shop
from huaxiang.shop.clean import clean_text, has_words
from huaxiang.shop.quality.given import read_own_table

FEWEST = 20
"""Documents without which nothing can be learnt, let alone held out."""

_END = re.compile(r"(?<=[。！？!?；;…\n])(?![。！？!?；;…\n])\s*|(?<=[.])\s+(?=\S)")
_LONGEST_SENTENCE = 2000


@dataclass(frozen=True, kw_only=True)
class Document:
    """Sentences in order; documents of one `group` are alike, so that telling them apart teaches."""

    sentences: tuple[str, ...]
    group: str = ""

    @property
    def text(self) -> str:
        """The sentences as one text."""
        return " ".join(self.sentences)


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """The documents of a shop or a table, each of them once.

    Parameters
    ----------
    name
        Where they come from, for the model's card.
    n_repeated
        Documents that were there before, and are left out.
    """

    documents: tuple[Document, ...]
    name: str
    n_repeated: int = 0

    @property
    def fingerprint(self) -> str:
        """A hash of what is read."""
        total = hashlib.blake2b(digest_size=8)
        for document in self.documents:
            total.update("\0".join((document.group, *document.sentences)).encode() + b"\1")
        return total.hexdigest()

    def split(self, share: float) -> tuple[Corpus, Corpus]:
        """Return the documents to learn from and those held out; which is which depends on the text alone.

        So a document stays on its side when others come or go, and a repeated one can't be on both.
        """
        sides: tuple[list[Document], list[Document]] = ([], [])
        for document in self.documents:
            sides[_draw(document.text) < share].append(document)
        left, held = sides
        return Corpus(documents=tuple(left), name=self.name), Corpus(documents=tuple(held), name=self.name)


def corpus_of(texts: Iterable[tuple[Sequence[str | None], str]], *, name: str) -> Corpus:
    """Return a corpus of (passages, group): each passage, such as a title or a review, is cut into sentences.

    Raises
    ------
    InputError
        There are too few documents to learn from.

    Examples
    --------
    >>> rows = [((f"第{n}件", "很好。不错！"), "") for n in range(30)] * 2
    >>> corpus = corpus_of(rows, name="reviews")
    >>> corpus.documents[0].sentences, corpus.n_repeated
    (('第0件', '很好。', '不错!'), 30)
    """
    seen: dict[tuple[str, ...], Document] = {}
    n_all = 0
    for passages, group in texts:
        found = tuple(sentence for passage in passages for sentence in sentences_of(passage))
        if found:
            n_all += 1
            seen.setdefault(found, Document(sentences=found, group=group))
    if len(seen) < FEWEST:
        remedy = f"at least {FEWEST} different texts are needed"
        raise InputError("too few texts to learn from", file=name, value=str(len(seen)), remedy=remedy)
    return Corpus(documents=tuple(seen.values()), name=name, n_repeated=n_all - len(seen))


def corpus_of_shop(shop: Shop) -> Corpus:
    """Return titles with their descriptions in each language, and reviews and queries."""
    categories = shop.items["category"].fill_null("").to_list()
    rows: list[tuple[Sequence[str | None], str]] = []
    for language in shop.languages:
        columns = [f"title_{language}", f"description_{language}"]
        written = shop.items.select(name for name in columns if name in shop.items.columns).rows()
        rows += list(zip(written, categories, strict=True))
    words = shop.events.filter(pl.col("text").is_not_null()).select("text", "item_row").rows()
    rows += [((text,), categories[row] if row >= 0 else "query") for text, row in words]
    return corpus_of(rows, name=shop.name)


def corpus_of_table(path: Path, columns: Sequence[str], *, group: str | None = None) -> Corpus:
    """Return the texts in some columns of a file, one document per row.

    Raises
    ------
    InputError
        A column is missing.
    """
    table = read_own_table(path, option="--texts")
    for column in (*columns, *([group] if group else [])):
        if column not in table.columns:
            remedy = f"choose of {', '.join(table.columns)}"
            raise InputError("no such column", file=path.name, column=column, remedy=remedy)
    groups = table.frame[group].fill_null("").to_list() if group else [""] * len(table.frame)
    return corpus_of(zip(table.frame.select(columns).rows(), groups, strict=True), name=path.name)


def sentences_of(text: str | None) -> list[str]:
    """Return the sentences of a text, cleaned, without those that have no word.

    Examples
    --------
    >>> sentences_of("Soft. Fits well! v1.5 is fine")
    ['Soft.', 'Fits well!', 'v1.5 is fine']
    """
    parts = (clean_text(part) for part in _END.split(text or ""))
    return [part[:_LONGEST_SENTENCE] for part in parts if has_words(part)]


def _draw(text: str) -> float:
    """Return a number in 0 to 1 that is always the same for a text."""
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int(np.frombuffer(digest, np.uint64)[0]) / 2**64
