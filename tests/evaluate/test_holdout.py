from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from huaxiang.evaluate.holdout import N_EARLIER, HeldOut, hold_out
from huaxiang.model import Model
from huaxiang.profile.contents import Contents
from huaxiang.records import EventType


@pytest.fixture
def held_out(small_model: Model) -> HeldOut:
    return hold_out(small_model.shop, Contents())


def test_earlier_stretches_lie_before_the_validation_part_one_before_the_other(held_out: HeldOut) -> None:
    ends = [int(window.training.occurred_ms.max()) for window in held_out.earlier]
    assert len(ends) == N_EARLIER
    assert int(held_out.training.occurred_ms.max()) > ends[0] > ends[1]


def test_nobody_knows_in_an_earlier_stretch_what_came_later(held_out: HeldOut) -> None:
    for window in held_out.earlier:
        assert window.validation.had.occurred_ms.max() <= window.training.occurred_ms.max()
        assert len(window.validation.targets.item_rows) == window.validation.targets.offsets[-1] > 0


def test_the_parts_of_a_shop_follow_each_other(held_out: HeldOut) -> None:
    assert held_out.training.occurred_ms.max() < held_out.known.occurred_ms.max()
    assert held_out.test_from_ms is not None
    assert np.all(held_out.known.occurred_ms < held_out.test_from_ms)


def test_what_is_learnt_from_knows_nothing_of_a_refund_that_came_later(
    small_model: Model, held_out: HeldOut
) -> None:
    shop = small_model.shop
    first = shop.events.filter(pl.col("type") == EventType.PURCHASE.code).sort("occurred_at").head(1)
    refund = first.with_columns(
        type=pl.lit(EventType.REFUND.code, first.schema["type"]),
        occurred_at=pl.lit(shop.events["occurred_at"].max(), first.schema["occurred_at"]),
    )
    refunded = replace(shop, events=pl.concat([shop.events, refund]))
    again = hold_out(refunded, Contents())
    assert again.training.item_rows.tolist() == held_out.training.item_rows.tolist()
    assert again.known.item_rows.tolist() == held_out.known.item_rows.tolist()
