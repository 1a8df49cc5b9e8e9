"""Labels that the texts speak against, listed for people to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from huaxiang.errors import InputError, MissingExtraError
from huaxiang.shop.quality.text_model import gram_vectors, held_out_probabilities

MOST_LABELS = 300


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """A label in doubt: `score`, 0 to 1, is the probability that the held-out model gives it."""

    row: int
    given: str
    suggested: str
    score: float


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What was found: doubts, the worst first, and on what they rest.

    Parameters
    ----------
    rare
        Labels given too seldom to be judged → how often.
    accuracy
        Share of judged rows whose likeliest label is the given one; a model that is often wrong doubts
        at random.
    """

    doubts: tuple[Doubt, ...]
    n_judged: int
    rare: dict[str, int]
    accuracy: float


def judge_labels(
    texts: Sequence[str],
    labels: Sequence[str | None],
    *,
    folds: int = 5,
    seed: int = 0,
    column: str = "label",
) -> Judged:
    """Return the labels that a model which has not seen their row finds improbable.

    Rows without words or label are not judged, nor are labels given fewer than `folds` times.

    Raises
    ------
    InputError
        Fewer than two labels can be judged, or so many that the column can't be one of labels.
    MissingExtraError
        Without cleanlab.

    Source
    ------
    Northcutt, Jiang and Chuang, Confident learning: estimating uncertainty in dataset labels, JAIR 2021,
    by way of cleanlab; probabilities are of n-grams and logistic regression, out of fold.
    """
    if find_spec("cleanlab") is None:
        raise MissingExtraError.of("cleanlab", extra="train")
    counts = Counter(label for label, text in zip(labels, texts, strict=True) if label is not None and text)
    names = check_classes(counts, least=folds, column=column)
    rows = [row for row, label in enumerate(labels) if label in names and texts[row]]
    number_of = {name: number for number, name in enumerate(names)}
    numbers = np.array([number_of[str(labels[row])] for row in rows])
    vectors = gram_vectors([texts[row] for row in rows])
    probabilities = held_out_probabilities(vectors, numbers, folds=folds, seed=seed)
    return Judged(
        doubts=tuple(_doubts(rows, names, numbers, probabilities)),
        n_judged=len(rows),
        rare={name: n for name, n in counts.items() if n < folds},
        accuracy=float(np.mean(probabilities.argmax(axis=1) == numbers)),
    )


def check_classes(counts: Counter[str], *, least: int, column: str) -> tuple[str, ...]:
    """Return the labels that occur at least `least` times, sorted.

    Raises
    ------
    InputError
        When there are fewer than two, or more than `MOST_LABELS`.

    Examples
    --------
    >>> check_classes(Counter(good=9, bad=7, odd=1), least=5, column="label")
    ('bad', 'good')
    """
    if not counts:
        raise InputError("no row has a label", column=column, remedy="name another column with --label")
    names = tuple(sorted(name for name, n in counts.items() if n >= least))
    if len(counts) == 1:
        remedy = "there is nothing to tell apart: name another column, or leave --label out"
        raise InputError("label column has one class", column=column, value=next(iter(counts)), remedy=remedy)
    if len(names) < 2:
        message = f"fewer than two labels are given {least} times or more"
        rarest = min(counts, key=lambda name: counts[name])
        raise InputError(message, column=column, value=rarest, remedy="label more rows, or leave --label out")
    if len(names) > MOST_LABELS:
        message = f"{len(names):,} different labels are more than {MOST_LABELS}"
        remedy = "ids and texts are no labels: name another column"
        raise InputError(message, column=column, value=names[0], remedy=remedy)
    return names


def _doubts(
    rows: Sequence[int], names: Sequence[str], numbers: np.ndarray, probabilities: np.ndarray
) -> list[Doubt]:
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    scores = get_label_quality_scores(numbers, probabilities, method="self_confidence")
    in_doubt = find_label_issues(numbers, probabilities, return_indices_ranked_by="self_confidence", n_jobs=1)
    return [
        Doubt(
            row=rows[place],
            given=names[numbers[place]],
            suggested=names[int(probabilities[place].argmax())],
            score=float(scores[place]),
        )
        for place in in_doubt.tolist()
        if probabilities[place].argmax() != numbers[place]
    ]
