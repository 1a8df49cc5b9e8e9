"""A corpus as token numbers: which token belongs to which word, sentence and document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huaxiang.encoders.pretraining.corpus import Corpus
from huaxiang.encoders.pretraining.words import CHINESE, words_of
from huaxiang.errors import EncoderError

Ids = NDArray[np.int64]
_AT_ONCE = 4096


@dataclass(frozen=True, kw_only=True)
class Marks:
    """The numbers of a tokenizer's marks, and how many tokens it has."""

    cls: int
    sep: int
    pad: int
    mask: int | None
    n_tokens: int


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """Documents as token numbers.

    Parameters
    ----------
    ids, words
        Of all tokens, one document after another; words count from 0 within a sentence.
    sentences
        Where each sentence begins among the tokens, and their end, (S + 1,).
    documents
        Where each document begins among the sentences, and their end, (N + 1,).
    groups_N
        Number of each document's group.
    """

    ids: Ids
    words: Ids
    sentences: Ids
    documents: Ids
    groups_N: Ids
    marks: Marks

    def __len__(self) -> int:
        return len(self.groups_N)

    @property
    def lengths(self) -> Ids:
        """Tokens in each document, (N,)."""
        return np.diff(self.sentences[self.documents])

    def n_sentences(self, row: int) -> int:
        """Return how many sentences a document has."""
        return int(self.documents[row + 1] - self.documents[row])

    def tokens(self, row: int, first: int, end: int) -> tuple[Ids, Ids]:
        """Return ids and words of a document's sentences `first` to `end`, words counted on."""
        at = self.documents[row]
        start, stop = self.sentences[at + first], self.sentences[at + end]
        return self.ids[start:stop], self.words[start:stop]


def marks_of(tokenizer: Any) -> Marks:
    """Return the marks of a transformers tokenizer; where it has no start or separator, its end will do.

    Raises
    ------
    EncoderError
        It has neither padding nor an end.
    """
    sep = _first(tokenizer.sep_token_id, tokenizer.eos_token_id)
    cls = _first(tokenizer.cls_token_id, tokenizer.bos_token_id, sep)
    pad = _first(tokenizer.pad_token_id, sep)
    if sep is None or cls is None or pad is None:
        remedy = "give a tokenizer with a separator or an end mark"
        raise EncoderError("tokenizer has no marks", value=type(tokenizer).__name__, remedy=remedy)
    return Marks(cls=cls, sep=sep, pad=pad, mask=tokenizer.mask_token_id, n_tokens=len(tokenizer))


def encode_corpus(corpus: Corpus, tokenizer: Any, *, spaced: bool = False) -> Encoded:
    """Return the documents as tokens of a fast transformers tokenizer, and the word each belongs to.

    With `spaced`, sentences stand in their document as in running text, for a model that will write it.
    """
    backend = tokenizer.backend_tokenizer
    backend.no_padding()
    backend.no_truncation()
    sentences = [
        f" {sentence}" if spaced and at and not CHINESE.match(sentence) else sentence
        for document in corpus.documents
        for at, sentence in enumerate(document.sentences)
    ]
    ids: list[Ids] = []
    words: list[Ids] = []
    for start in range(0, len(sentences), _AT_ONCE):
        some = sentences[start : start + _AT_ONCE]
        for text, found in zip(some, backend.encode_batch(some, add_special_tokens=False), strict=True):
            ids.append(np.array(found.ids, np.int64))
            words.append(_words(text, found.offsets))
    known = {group: number for number, group in enumerate(sorted({d.group for d in corpus.documents}))}
    return Encoded(
        ids=np.concatenate(ids),
        words=np.concatenate(words),
        sentences=_starts([len(one) for one in ids]),
        documents=_starts([len(document.sentences) for document in corpus.documents]),
        groups_N=np.array([known[document.group] for document in corpus.documents], np.int64),
        marks=marks_of(tokenizer),
    )


def _words(text: str, offsets: list[tuple[int, int]]) -> Ids:
    """Return the word of each token: that of its first character that is no space."""
    word_of = words_of(text)
    found = np.empty(len(offsets), np.int64)
    for at, (start, end) in enumerate(offsets):
        inside = word_of[start:end]
        seen = inside[inside >= 0]
        found[at] = seen[0] if len(seen) else -1
    return found


def _starts(counts: list[int]) -> Ids:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def _first(*values: int | None) -> int | None:
    return next((int(value) for value in values if value is not None), None)
