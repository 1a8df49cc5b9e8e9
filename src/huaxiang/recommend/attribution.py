"""What each event of one shopper does to the scores: by the model's own sums, or by leaving events out."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import cast

import numpy as np
from numpy.typing import NDArray

from huaxiang.ranking.effects import Effects
from huaxiang.recommend.base import Contributions, Histories, Recommender, ScoresByEvent
from huaxiang.recommend.histories import repeated, take_events
from huaxiang.records import Matrix, Vector

N_LEFT_OUT = 32
"""Newest events that are left out one by one where a model has no sums."""


def scores_by_event(recommender: Recommender, history: Histories) -> tuple[Vector, Effects]:
    """Return the scores of the only shopper in `history`, (I,), and how much each event adds to them.

    Exact sums for linear models. Others score the history once more without each of its newest events.
    """
    if _has_sums(type(recommender)):
        return cast(ScoresByEvent, recommender).scores_by_event(history)
    n_events = len(history.item_rows)
    n_tried = min(n_events, N_LEFT_OUT)
    keep_XE = np.ones((n_tried + 1, n_events), dtype=bool)
    keep_XE[np.arange(1, n_tried + 1), np.arange(n_events - n_tried, n_events)] = False
    scores_XI = score_kept(recommender, history)(keep_XE)
    effects_EI = np.zeros((n_events, scores_XI.shape[1]), dtype=np.float32)
    effects_EI[n_events - n_tried :] = scores_XI[0] - scores_XI[1:]
    return scores_XI[0], Effects.of(effects_EI)


def contributions_of(recommender: Recommender, history: Histories, item_row: int) -> Contributions:
    """Return how much lower the item's score would be without each event of the only shopper."""
    scores_I, effects = scores_by_event(recommender, history)
    values = effects.at(np.array([item_row]))[:, 0]
    rest = float(scores_I[item_row] - values.sum())
    return Contributions(event_keys=history.event_keys, values=values, rest=rest)


@cache
def _has_sums(kind: type[Recommender]) -> bool:
    """Return whether a recommender adds up events; asked once of each kind, for the question takes long."""
    return issubclass(kind, ScoresByEvent)


def score_kept(recommender: Recommender, history: Histories) -> Callable[[NDArray[np.bool_]], Matrix]:
    """Return a function that scores the only shopper again with only some of their events kept.

    It takes (X, E) booleans, one row per variant, and returns (X, I) scores: what `ranking.removal` asks for.
    """

    def scores(keep_XE: NDArray[np.bool_]) -> Matrix:
        return recommender.score(take_events(repeated(history, len(keep_XE)), keep_XE.ravel()))

    return scores
