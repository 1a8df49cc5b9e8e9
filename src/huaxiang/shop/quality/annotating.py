"""A file of texts, some labelled or none → the rows that somebody should label next, each with a guess."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huaxiang.errors import InputError
from huaxiang.shop.quality.choosing import uncertainty, worth_labelling
from huaxiang.shop.quality.cleaning import safe_text
from huaxiang.shop.quality.given import Given, column_in, has_text, row_ids_in, said_in, text_column
from huaxiang.shop.quality.label_noise import check_classes
from huaxiang.shop.quality.scored import scored_probabilities
from huaxiang.shop.quality.shingles import plain_text
from huaxiang.shop.quality.text_model import fitted_probabilities, gram_vectors


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row to label: its text is masked; the guess is the likeliest label, and `unsure` 0 to 1."""

    row_id: str
    line: int
    text: str
    guess: str | None
    probability: float | None
    unsure: float | None


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What is to be labelled, the most wanted first, and with which labels.

    Parameters
    ----------
    n_unlabelled
        Different texts without a label, from which the rows were chosen.
    learnt_from
        What the guesses come from: `scores`, `labels` in the file, or `nothing`.
    """

    rows: tuple[Row, ...]
    labels: tuple[str, ...]
    n_unlabelled: int
    learnt_from: str


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How rows are chosen: columns, how many, given probabilities and labels, and what unsure means."""

    text: str
    label: str | None = None
    row_id: str | None = None
    k: int = 200
    by: str = "margin"
    choices: tuple[str, ...] = ()
    seed: int = 7


@dataclass(frozen=True, kw_only=True)
class _Guesses:
    """What is thought of the open rows: probabilities of labels, None where nothing is known."""

    labels: tuple[str, ...]
    probabilities: NDArray[np.float64] | None
    source: str


def choose_rows(given: Given, asked: Asked, *, scored: Given | None = None) -> Chosen:
    """Return the rows worth labelling first.

    Rows that have a label, no words, or the text of an earlier row are not chosen from.

    Parameters
    ----------
    scored
        Rows with probabilities by another model, in columns `prob_<label>`.

    Raises
    ------
    InputError
        A column is missing, no row is without a label, scores don't fit, or the labels to choose from are
        unknown or one alone.
    """
    if asked.k < 1:
        raise InputError(
            "nothing is to be chosen", column="--k", value=str(asked.k), remedy="give at least 1"
        )
    text_column(given, asked.text)
    row_ids = row_ids_in(given, asked.row_id)
    texts = [safe_text(text or "")[0] for text in said_in(given, asked.text)]
    labels = _labels(given, asked)
    rows = _open_rows(texts, labels)
    if not rows:
        remedy = "give rows with a text and without a label"
        raise InputError("no row is to be labelled", file=given.name, column=asked.label, remedy=remedy)
    if scored is not None:
        names, probabilities = scored_probabilities(scored, row_ids, row_id=asked.row_id)
        guesses = _Guesses(labels=names, probabilities=probabilities[rows], source="scores")
    else:
        guesses = _learnt(texts, labels, rows, seed=asked.seed)
    unsure = None if guesses.probabilities is None else uncertainty(guesses.probabilities, by=asked.by)
    places = worth_labelling(gram_vectors([texts[row] for row in rows]), unsure, k=asked.k, seed=asked.seed)
    return Chosen(
        rows=tuple(
            Row(
                row_id=row_ids[rows[place]],
                line=given.lines[rows[place]],
                text=texts[rows[place]],
                **_guess(guesses, place, unsure),
            )
            for place in places
        ),
        labels=_offered(guesses.labels, asked, file=given.name),
        n_unlabelled=len(rows),
        learnt_from=guesses.source,
    )


def _labels(given: Given, asked: Asked) -> list[str | None]:
    if asked.label is None:
        return [None] * len(given.lines)
    return said_in(given, column_in(given, asked.label, option="--label"))


def _open_rows(texts: Sequence[str], labels: Sequence[str | None]) -> list[int]:
    """Return the rows without a label whose text has words and is neither labelled nor met before."""
    seen = {plain_text(text) for text, label in zip(texts, labels, strict=True) if label is not None}
    rows = []
    for row, text in enumerate(texts):
        plain = plain_text(text)
        if labels[row] is None and has_text(text) and plain not in seen:
            seen.add(plain)
            rows.append(row)
    return rows


def _learnt(
    texts: Sequence[str], labels: Sequence[str | None], rows: Sequence[int], *, seed: int
) -> _Guesses:
    """Return guesses from the rows that have a label, if those have several."""
    known = [row for row, label in enumerate(labels) if label is not None and has_text(texts[row])]
    counts = Counter(str(labels[row]) for row in known)
    if len(counts) < 2:
        return _Guesses(labels=tuple(counts), probabilities=None, source="nothing")
    names = check_classes(counts, least=1, column="--label")
    number_of = {name: number for number, name in enumerate(names)}
    grams = gram_vectors([texts[row] for row in [*known, *rows]])
    numbers = np.array([number_of[str(labels[row])] for row in known])
    probabilities = fitted_probabilities(grams[: len(known)], numbers, grams[len(known) :], seed=seed)
    return _Guesses(labels=names, probabilities=probabilities, source="labels")


def _guess(guesses: _Guesses, place: int, unsure: NDArray[np.float64] | None) -> dict[str, Any]:
    if guesses.probabilities is None or unsure is None:
        return {"guess": None, "probability": None, "unsure": None}
    best = int(guesses.probabilities[place].argmax())
    return {
        "guess": guesses.labels[best],
        "probability": float(guesses.probabilities[place, best]),
        "unsure": float(unsure[place]),
    }


def _offered(known: Sequence[str], asked: Asked, *, file: str) -> tuple[str, ...]:
    """Return the labels that people choose from: those known, then those that were named."""
    labels = tuple(dict.fromkeys([*known, *asked.choices]))
    if len(labels) < 2:
        message = "label column has one class" if known else "labels to choose from are not known"
        value = known[0] if known else None
        remedy = "name each label with --choice"
        raise InputError(message, file=file, column=asked.label, value=value, remedy=remedy)
    return labels
