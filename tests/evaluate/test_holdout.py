from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from huaxiang.errors import SettingsError
from huaxiang.evaluate.holdout import N_EARLIER, Config, HeldOut, hold_out, training_part
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


def last_purchases(model: Model) -> dict[str, int]:
    bought = model.shop.events.filter(pl.col("type") == EventType.PURCHASE.code)
    often = bought.filter(pl.len().over("shopper_id") >= 3).with_row_index("row")
    newest = often.sort("shopper_id", "occurred_at", "row").group_by("shopper_id").last()
    return dict(newest.select("shopper_id", "item_row").iter_rows())


def test_leave_one_out_asks_for_each_shoppers_last_purchase_also_where_times_are_known(
    small_model: Model,
) -> None:
    held = hold_out(small_model.shop, Contents(), Config(split="leave_one_out"))
    asked = dict(zip(held.test.had.shopper_ids, held.test.targets.item_rows.tolist(), strict=True))
    last = last_purchases(small_model)
    assert asked == {shopper_id: last[shopper_id] for shopper_id in asked}
    assert len(asked) > 0.9 * len(last)
    assert len(held.training.item_rows) < len(held.known.item_rows)
    assert held.test_from_ms is None


def test_nothing_is_learnt_of_the_shoppers_that_a_split_by_shopper_asks_about(small_model: Model) -> None:
    config = Config(split="shopper", share=0.2)
    held = hold_out(small_model.shop, Contents(), config, seed=3)
    asked, weighed = set(held.test.had.shopper_ids), set(held.validation.had.shopper_ids)
    assert asked and weighed
    assert not asked & weighed
    assert not asked & set(held.known.shopper_ids)
    assert not weighed & set(held.training.shopper_ids)
    assert weighed <= set(held.known.shopper_ids)
    assert training_part(small_model.shop, config, seed=3).shopper_ids == held.training.shopper_ids
    other = hold_out(small_model.shop, Contents(), config, seed=4)
    assert set(other.test.had.shopper_ids) != asked


def test_a_shop_without_times_is_not_split_by_time(small_model: Model) -> None:
    untimed = small_model.shop.events.with_columns(occurred_at=pl.lit(None, pl.Datetime("ms", "UTC")))
    shop = replace(small_model.shop, events=untimed, order_only=True)
    with pytest.raises(SettingsError, match="leave_one_out"):
        hold_out(shop, Contents(), Config(split="time"))
    assert hold_out(shop, Contents()).description.startswith("leave-one-out")


@pytest.mark.parametrize("share", [0, 0.5, -1])
def test_a_share_that_leaves_nothing_to_learn_from_is_refused(share: float) -> None:
    with pytest.raises(SettingsError, match=r"below 0\.5"):
        Config(share=share)
