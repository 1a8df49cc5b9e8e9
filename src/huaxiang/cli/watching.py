"""What a run keeps of its time, so that it can be told when shoppers have changed."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl

from huaxiang.feedback.drift import FILE, Reference
from huaxiang.feedback.watched import seen_in
from huaxiang.model import Model

REFERENCE = FILE
DAYS = 28
"""Days before the run was made that are its time."""
N_LISTS, LENGTH = 200, 10


def reference_of(model: Model) -> Reference:
    """Return what is watched of the newest days of a model's own log, and of lists made from it."""
    events = model.shop.events
    if model.newest is not None:
        events = events.filter(pl.col("occurred_at") >= model.newest - timedelta(days=DAYS))
    types_E, rows_E = (events[name].to_numpy().astype(np.int64) for name in ("type", "item_row"))
    return Reference.of(seen_in(types_E, rows_E, model.catalogue, scores=_scores(model)))


def _scores(model: Model) -> list[float]:
    """Return the scores in the lists of some shoppers."""
    ids = np.array(model.states.shopper_ids)
    drawn = np.random.default_rng(model.settings.seed).permutation(len(ids))[:N_LISTS]
    return [one.score for row in drawn for one in model.recommend(str(ids[row]), k=LENGTH).items]
