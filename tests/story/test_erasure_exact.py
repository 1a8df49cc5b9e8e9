"""A law: once somebody is erased, what counts is what it would be had they never been there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from huaxiang.journey import relearn
from huaxiang.model import Model, load
from huaxiang.records import Event, EventType
from huaxiang.shop.base import EVENT_COLUMNS, Shop
from huaxiang.shop.event_records import event_row

START = datetime(2026, 1, 1, tzinfo=UTC)
TYPES = (EventType.PURCHASE, EventType.VIEW_ITEM, EventType.ADD_TO_CART, EventType.DISLIKE)
SHOPPERS = ("ann", "bo", "cy", "gone")
DEEDS = st.tuples(st.sampled_from(SHOPPERS), st.integers(0, 9), st.sampled_from(TYPES), st.integers(1, 4000))
LOGS = st.lists(DEEDS, min_size=1, max_size=40)


@lru_cache
def loaded(run: Path) -> Model:
    return load(run)


def events_of(log: Sequence[tuple[str, int, EventType, int]], base: Model) -> list[Event]:
    """Return the deeds as events, each some minutes after the one before."""
    minutes = np.cumsum([minutes for *_, minutes in log]).tolist()
    return [
        Event(
            event_id=f"e-{number}",
            shopper_id=shopper,
            type=type,
            item_id=base.catalogue.item_ids[row],
            occurred_at=START + timedelta(minutes=minute),
        )
        for number, ((shopper, row, type, _), minute) in enumerate(zip(log, minutes, strict=True))
    ]


def shop_of(base: Model, events: Sequence[Event]) -> Shop:
    rows = [event_row(one, item_row=base.catalogue.row_of[one.item_id or ""]) for one in events]
    table = pl.DataFrame(rows, schema=EVENT_COLUMNS, infer_schema_length=None)
    return replace(base.shop, events=table)


def lived(base: Model, events: Sequence[Event], n_built: int) -> Model:
    """Return a model that was built from the first events and learnt from the others as they came."""
    model = relearn(base, shop_of(base, events[:n_built]), name="built")
    for event in events[n_built:]:
        model.learn(event)
    return model


def counts(model: Model) -> dict[str, np.ndarray]:
    """Return what learns with each event."""
    members = model.recommenders.new.members
    neighbours = members["neighbours"]
    return {
        "popular": members["popular"].shares(),
        "pairs": neighbours.pairs_.whole().toarray(),
        "pairs' items": neighbours.mass_I,
        "shares": model.population.shares(),
    }


@settings(max_examples=20, deadline=None)
@given(log=LOGS, built_share=st.floats(0, 1))
def test_an_erased_shopper_leaves_the_counts_of_a_log_in_which_they_never_were(
    small_run: Path, log: list[tuple[str, int, EventType, int]], built_share: float
) -> None:
    base = loaded(small_run)
    events = events_of(log, base)
    n_built = round(built_share * len(events))
    built, later = (
        [event for event in part if event.shopper_id != "gone"]
        for part in (events[:n_built], events[n_built:])
    )
    model = lived(base, events, n_built)
    erased = relearn(model, shop_of(base, built), name="erased")
    for event in later:  # as a service does: what came after the version is learnt again from the log
        erased.learn(event)
    never = lived(base, [*built, *later], len(built))
    for name, counted in counts(never).items():
        np.testing.assert_array_equal(counts(erased)[name], counted, err_msg=name)
    solved, again = (one.recommenders.new.members["closed_form"] for one in (erased, never))
    np.testing.assert_array_equal(solved.weights_II.toarray(), again.weights_II.toarray())
    assert erased.population.alphas == never.population.alphas
    assert "gone" not in erased.states
