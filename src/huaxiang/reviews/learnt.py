"""Reads reviews by a model that was taught which words are aspects and how each is judged.

The model gives six numbers for each token: outside, begin and inside of an aspect, then praise, blame and
neither. One pass finds the aspects and judges them; the shipped words still say what a found term is called
(`battery life` → battery), and a term that they don't know is an aspect of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from huaxiang.encoders.finetuning.predictor import Predictor
from huaxiang.encoders.pooling import read_json
from huaxiang.encoders.text import length_buckets, onnx_session
from huaxiang.encoders.tokens import Tokens, pad
from huaxiang.errors import ArtefactError
from huaxiang.records import Matrix
from huaxiang.reviews.base import MOST_CHARACTERS, NOTHING_READ, Mention, Reader, Reading
from huaxiang.reviews.lexicon import ASPECT, review_words
from huaxiang.reviews.rules import RuleReader
from huaxiang.reviews.sentences import sentences_of
from huaxiang.shop.clean import has_words
from huaxiang.shop.quality.languages import language_of

VERSION = 1
MODEL, ABOUT, TOKENIZER = "aspects.onnx", "aspects.json", "aspects_tokenizer.json"
N_TAGS = 3
OUTSIDE, BEGIN, INSIDE = 0, 1, 2
POLARITIES = (1, -1, 0)
_NEVER = -1e9


class Term(NamedTuple):
    """Characters `start` to `end` name an aspect that is praised (1), blamed (-1) or neither (0)."""

    start: int
    end: int
    polarity: int


def best_tags(outputs_TC: Matrix) -> list[int]:
    """Return the likeliest sequence of tags in which nothing is inside that has not begun.

    Examples
    --------
    >>> best_tags(np.log(np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]], np.float32)))
    [1, 2]
    """
    score = outputs_TC[0, :N_TAGS].astype(np.float64)
    score[INSIDE] = _NEVER
    allowed = np.zeros((N_TAGS, N_TAGS))
    allowed[OUTSIDE, INSIDE] = _NEVER
    came_from: list[NDArray[np.int64]] = []
    for output in outputs_TC[1:, :N_TAGS]:
        ways = score[:, None] + allowed
        came_from.append(ways.argmax(0))
        score = ways.max(0) + output
    tags = [int(score.argmax())]
    for step in reversed(came_from):
        tags.append(int(step[tags[-1]]))
    return tags[::-1]


def terms_of(outputs_TC: Matrix, offsets: Sequence[tuple[int, int]]) -> list[Term]:
    """Return the terms that a text's outputs stand for, its own tokens alone (no marks at the ends)."""
    if not len(outputs_TC):
        return []
    shifted = outputs_TC[:, :N_TAGS] - outputs_TC[:, :N_TAGS].max(1, keepdims=True)
    surprise = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    spans: list[list[int]] = []
    for token, tag in enumerate(best_tags(surprise)):
        if tag == BEGIN:
            spans.append([token, token + 1])
        elif tag == INSIDE:
            spans[-1][1] = token + 1
    return [
        Term(offsets[first][0], offsets[last - 1][1], judged(outputs_TC, first, last))
        for first, last in spans
    ]


def judged(outputs_TC: Matrix, first: int, last: int) -> int:
    """Return how the tokens of a term, taken together, are judged."""
    return POLARITIES[int(outputs_TC[first:last, N_TAGS:].mean(0).argmax())]


class AspectModel:
    """Sentences to aspect terms by ONNX Runtime.

    Raises
    ------
    ArtefactError
        The folder holds no whole model of this kind, or a newer one.
    """

    def __init__(self, folder: str | Path, *, threads: int | None = None) -> None:
        self.folder = Path(folder)
        said: dict[str, Any] = read_json(self.folder / ABOUT, otherwise={})
        if said.get("version") != VERSION:
            remedy = "make it with benchmarks/review_aspects.py or upgrade huaxiang"
            value = str(said.get("version"))
            raise ArtefactError(
                "no model of aspects", file=str(self.folder / ABOUT), value=value, remedy=remedy
            )
        self.name = str(said["name"])
        self._pad_id = int(said["pad_id"])
        self._tokens = Tokens(
            self.folder / TOKENIZER, max_tokens=int(said["max_tokens"]), pad_id=self._pad_id
        )
        self._session = onnx_session(self.folder / MODEL, threads=threads)

    def terms(self, sentences: Sequence[str]) -> list[list[Term]]:
        """Return the terms of each sentence, in order."""
        encoded = self._tokens.encoded(list(sentences), offsets=True)
        found: list[list[Term]] = [[] for _ in sentences]
        for rows in length_buckets([len(one.ids) for one in encoded]) if encoded else ():
            batch = pad([encoded[row].ids for row in rows], pad_id=self._pad_id)
            for row, outputs_TC in zip(rows, self._session.run(["outputs"], batch)[0], strict=True):
                offsets = encoded[row].offsets
                found[row] = terms_of(outputs_TC[1 : len(offsets) - 1], offsets[1:-1])
        return found


class LearntReader:
    """A reader whose parts were taught; what a part can't read, the shipped reader does.

    Parameters
    ----------
    aspects
        Folder of a model of aspects; None leaves them to the shipped words.
    sentiment
        Folder of a classifier (`huaxiang finetune classify`) with labels negative and positive, or 0 and 1,
        or of a rating from 1 to 5; None leaves the score to the shipped words.

    Raises
    ------
    ArtefactError
        A folder holds no such model.
    """

    def __init__(
        self, *, aspects: str | Path | None = None, sentiment: str | Path | None = None, threads: int = 1
    ) -> None:
        self._aspects = None if aspects is None else AspectModel(aspects, threads=threads)
        self._sentiment = None if sentiment is None else Predictor(sentiment, threads=threads)
        if self._sentiment is not None:
            self._values = _values(self._sentiment)
        parts = [str(self._aspects.name if self._aspects else ""), Path(sentiment or "").name]
        self._rules = RuleReader()
        self.name = "learnt/1 " + " ".join(part or self._rules.name for part in parts)

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Return a reading of each text; see `Reader`."""
        cut = [text[:MOST_CHARACTERS] for text in texts]
        found = self._rules.read(cut)
        rows = [row for row, text in enumerate(cut) if has_words(text)]
        if self._aspects is not None:
            latin = [row for row in rows if language_of(cut[row]) in ("en", "other")]
            for row, mentions in zip(latin, self._mentions([cut[row] for row in latin]), strict=True):
                found[row] = found[row]._replace(mentions=mentions)
        if self._sentiment is not None and rows:
            outputs_NC = self._sentiment.outputs([cut[row] for row in rows])
            shares = np.exp(outputs_NC - outputs_NC.max(1, keepdims=True))
            scores = shares @ self._values / shares.sum(1)
            for row, score in zip(rows, scores.tolist(), strict=True):
                found[row] = found[row]._replace(score=score)
        return [one if has_words(text) else NOTHING_READ for one, text in zip(found, cut, strict=True)]

    def _mentions(self, texts: Sequence[str]) -> list[tuple[Mention, ...]]:
        assert self._aspects is not None
        places = [(row, *span) for row, text in enumerate(texts) for span in sentences_of(text)]
        terms = self._aspects.terms([texts[row][start:end] for row, start, end in places])
        found: list[list[Mention]] = [[] for _ in texts]
        for (row, start, end), own in zip(places, terms, strict=True):
            for term in own:
                first, last = start + term.start, start + term.end
                aspect = aspect_of(texts[row][first:last])
                found[row].append(Mention(aspect, term.polarity, first, last, start, end))
        return [tuple(mentions) for mentions in found]


def _values(sentiment: Predictor) -> NDArray[np.float64]:
    """Return what each label of a classifier says from -1 (blame) to 1 (praise)."""
    known = {"negative": -1.0, "neutral": 0.0, "positive": 1.0, "0": -1.0}
    stars = {str(n): (n - 3) / 2 for n in range(1, 6)}
    labels = [str(label) for label in sentiment.task.as_json().get("labels", ())]
    of = known | {"1": 1.0} if set(labels) <= {"0", "1"} else known | stars
    if not labels or not set(labels) <= set(of):
        remedy = "its labels should be negative and positive, 0 and 1, or 1 to 5"
        file, value = str(sentiment.folder), ", ".join(labels)
        raise ArtefactError("no model of sentiment", file=file, value=value, remedy=remedy)
    return np.array([of[label] for label in labels])


def aspect_of(term: str) -> str:
    """Return the aspect that a term names; one that the shipped words don't know is its own.

    Examples
    --------
    >>> aspect_of("battery life"), aspect_of("Kickstand")
    ('battery', 'kickstand')
    """
    named = [said.value for said in review_words().find(term) if said.dimension == ASPECT]
    return named[-1] if named else " ".join(term.casefold().split())


def reader_of(aspects: str = "", sentiment: str = "") -> Reader:
    """Return the reader that the settings name: folders of models, or "" for the shipped words."""
    if not aspects and not sentiment:
        return RuleReader()
    return LearntReader(aspects=aspects or None, sentiment=sentiment or None)
