from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huaxiang.encoders.finetuning.together import PairsConfig
from huaxiang.errors import ShopError
from huaxiang.evaluate.holdout import Config, training_events
from huaxiang.evaluate.together import pairs_of, together_of
from huaxiang.recommend.histories import histories_of
from huaxiang.records import EventType
from huaxiang.shop.base import Shop
from huaxiang.shop.read import read_shop
from huaxiang.shop.simulate import Config as SimulationConfig
from huaxiang.shop.simulate import simulate
from shop.shops import folder_of

BUY, VIEW, SELECT, DISLIKE = (
    kind.code for kind in (EventType.PURCHASE, EventType.VIEW_ITEM, EventType.SELECT_ITEM, EventType.DISLIKE)
)
MINUTE = 60_000


def pairs(*args: object, config: PairsConfig | None = None, **kwargs: object) -> dict[tuple[int, int], float]:
    histories = histories_of(*args, **kwargs)  # type: ignore[arg-type]
    found, weights = pairs_of(histories, 10, config or PairsConfig(window=1, across=0.5))
    return {(int(a), int(b)): round(float(w), 3) for (a, b), w in zip(found, weights, strict=True)}


def test_items_that_follow_each_other_are_pairs_the_smaller_row_first() -> None:
    assert pairs([[3, 1, 2], [4]]) == {(1, 3): 1.0, (1, 2): 1.0}


def test_a_wider_window_pairs_those_further_apart() -> None:
    assert set(pairs([[3, 1, 2]], config=PairsConfig(window=2))) == {(1, 3), (1, 2), (2, 3)}


def test_pairs_across_visits_count_less_and_no_pair_is_of_two_shoppers() -> None:
    found = pairs([[0, 1, 2], [3]], occurred_ms=[[0, MINUTE, 99 * MINUTE], [100 * MINUTE]])
    assert found == {(0, 1): 1.0, (1, 2): 0.5}


def test_acts_count_by_their_kind_and_the_strongest_on_an_item_counts_for_the_visit() -> None:
    config = PairsConfig(window=1, view=0.4, select=0.3)
    found = pairs([[0, 0, 0, 1, 2]], types=[[SELECT, VIEW, BUY, VIEW, DISLIKE]], config=config)
    assert found == {(0, 1): 0.4}


def test_an_act_that_counts_nothing_is_left_out() -> None:
    assert pairs([[0, 1, 2]], types=[[BUY, VIEW, BUY]], config=PairsConfig(window=1, view=0)) == {(0, 2): 1.0}


def test_a_pair_that_comes_often_counts_at_most_four_times_the_mean() -> None:
    found = pairs([[0, 1]] * 50 + [[2, 3], [4, 5], [6, 7], [8, 9]] + [[2, 4], [3, 5], [6, 8]])
    assert found[(0, 1)] == pytest.approx(4 * 57 / 8, abs=1e-3)
    assert found[(2, 3)] == 1.0


EVENTS = """shopper_id,type,item_id,text,occurred_at
s1,search,,red mug,2025-03-01T10:00:00Z
s1,view_item,a,,2025-03-01T10:01:00Z
s1,purchase,b,,2025-03-01T10:02:00Z
s1,search,,scarf,2025-03-01T10:03:00Z
s1,view_item,c,,2025-03-01T10:04:00Z
s1,view_item,d,,2025-03-01T19:04:00Z
s2,purchase,a,,2025-03-02T10:00:00Z
s2,purchase,c,,2025-03-02T10:01:00Z
s3,purchase,b,,2025-03-03T10:01:00Z
s1,search,,late words,2025-06-01T10:00:00Z
s1,purchase,e,,2025-06-01T10:01:00Z
s2,purchase,f,,2025-06-02T10:01:00Z
s2,purchase,d,,2025-06-03T10:01:00Z
s1,purchase,a,,2025-06-04T10:01:00Z
"""
ITEMS = "item_id,title\n" + "".join(f"{letter},{letter} thing\n" for letter in "abcdef")


def test_queries_go_with_what_was_found_by_them_in_the_visit(tmp_path: Path) -> None:
    shop = read_shop(folder_of(tmp_path, items_csv=ITEMS, events_csv=EVENTS))
    found = together_of(shop, PairsConfig(window=1), split=Config(share=0.25))
    names = [*shop.items["item_id"].to_list(), *found.queries]
    said = {(names[a], names[b]) for a, b in found.pairs_P2[~found.is_item_P].tolist()}
    assert said == {("red mug", "a"), ("red mug", "b"), ("scarf", "c")}


def test_words_and_items_of_the_held_out_part_are_not_learnt(tmp_path: Path) -> None:
    shop = read_shop(folder_of(tmp_path, items_csv=ITEMS, events_csv=EVENTS))
    found = together_of(shop, PairsConfig(), split=Config(share=0.25))
    assert found.queries == ["red mug", "scarf"]
    assert shop.items["item_id"].filter(pl.Series(found.seen_I)).to_list() == ["a", "b", "c", "d"]


def disturbed(shop: Shop, is_held_out: pl.Series, seed: int) -> Shop:
    """Return the shop with other items and words in the events that are held out."""
    rng = np.random.default_rng(seed)
    rows = pl.Series(rng.integers(0, len(shop.items), len(shop.events)), dtype=pl.Int32)
    is_item = is_held_out & (shop.events["item_row"] >= 0)
    events = shop.events.with_columns(
        item_row=pl.when(is_item).then(rows).otherwise(pl.col("item_row")),
        text=pl.when(is_held_out & pl.col("text").is_not_null())
        .then(pl.lit("other words"))
        .otherwise(pl.col("text")),
    )
    return replace(shop, events=events)


def learnt(shop: Shop) -> tuple[bytes, bytes, tuple[str, ...]]:
    found = together_of(shop, PairsConfig())
    return found.pairs_P2.tobytes(), found.weights_P.tobytes(), tuple(found.queries)


@pytest.fixture(scope="module")
def timed(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder = tmp_path_factory.mktemp("timed") / "shop"
    simulate(folder, config=SimulationConfig(n_shoppers=60, n_items=40), seed=3)
    return read_shop(folder)


@given(st.integers(0, 999))
@settings(max_examples=3)
def test_nothing_that_happens_in_the_held_out_part_changes_what_is_learnt(timed: Shop, seed: int) -> None:
    last = training_events(timed)["occurred_at"].max()
    assert learnt(disturbed(timed, timed.events["occurred_at"] > last, seed)) == learnt(timed)


@pytest.fixture(scope="module")
def ordered(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    rng = np.random.default_rng(5)
    lines = [
        f"{shopper} " + " ".join(map(str, rng.permutation(30)[: 4 + shopper % 5])) for shopper in range(40)
    ]
    folder = tmp_path_factory.mktemp("ordered")
    return read_shop(folder_of(folder, sequences_txt="\n".join(lines)), adapter="amazon")


@given(st.integers(0, 999))
@settings(max_examples=3)
def test_without_times_nothing_in_the_last_two_places_changes_what_is_learnt(
    ordered: Shop, seed: int
) -> None:
    from_end = ordered.events.select(pl.int_range(pl.len()).reverse().over("shopper_id"))["literal"]
    assert learnt(disturbed(ordered, from_end < 2, seed)) == learnt(ordered)


def test_what_came_next_is_new_to_the_shopper_and_follows_what_they_had(ordered: Shop) -> None:
    found = together_of(ordered, PairsConfig())
    assert len(found.test) == 40
    rows = ordered.events.filter(pl.col("shopper_id") == "0")["item_row"].to_list()
    assert found.test.item_rows[0] == rows[-1]
    assert found.test.histories_UH[0][-len(rows) + 1 :].tolist() == rows[:-1]
    assert found.validation.item_rows[0] == rows[-2]


def test_pairs_of_withheld_items_are_gone(ordered: Shop) -> None:
    found = together_of(ordered, PairsConfig())
    assert not np.isin(found.without(np.array([3, 4])).pairs_P2, [3, 4]).any()


def test_a_shop_in_which_nobody_took_two_things_has_nothing_to_learn_from(tmp_path: Path) -> None:
    events = "shopper_id,type,item_id,occurred_at\n" + "".join(
        f"s{n},purchase,{'abcdef'[n % 6]},2025-03-0{1 + day}T10:00:00Z\n" for n in range(6) for day in (0, 5)
    )
    shop = read_shop(folder_of(tmp_path, items_csv=ITEMS, events_csv=events))
    with pytest.raises(ShopError):
        together_of(shop, PairsConfig()).checked()
