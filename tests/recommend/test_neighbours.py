"""Directed neighbours, with counts worked out by hand."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huaxiang.errors import ArtefactError, NotFittedError, SettingsError
from huaxiang.recommend.base import Histories, TrainingData
from huaxiang.recommend.histories import histories_of, newest, take_shoppers
from huaxiang.recommend.neighbours import Config, Neighbours
from huaxiang.records import EventType
from recommend.small_shops import catalogue_of, training_of, unit_rows

BARE = Config(source_exponent=0, target_exponent=0, basket_exponent=0, half_life_days=None)


def fitted(sequences: list[list[int]], config: Config = BARE, *, n_items: int = 4) -> Neighbours:
    return Neighbours(config).fit(training_of(sequences, n_items=n_items))


def pairs(model: Neighbours) -> np.ndarray:
    assert model.pairs_ is not None
    return np.asarray(model.pairs_.whole().toarray())


def test_later_items_follow_and_far_ones_less() -> None:
    counted = pairs(fitted([[0, 1, 2]]))
    np.testing.assert_allclose(counted[0], [0, 1, 0.8, 0])
    np.testing.assert_allclose(counted[2], [0.2 * 0.8, 0.2, 0, 0], rtol=1e-6)


def test_lines_of_one_basket_go_together_both_ways() -> None:
    basket = histories_of([[0, 1, 2]], occurred_ms=[[5, 5, 9]])
    model = Neighbours(BARE).fit(training_of(basket, n_items=3))
    np.testing.assert_allclose(pairs(model), [[0, 1, 1], [1, 0, 1], [0.2, 0.2, 0]], rtol=1e-6)


def test_a_long_basket_counts_less_for_each_of_its_pairs() -> None:
    baskets = histories_of([[0, 1], [2, 3, 4, 5]], occurred_ms=[[5, 5], [5, 5, 5, 5]])
    config = Config(basket_exponent=1)
    counted = pairs(Neighbours(config).fit(training_of(baskets, n_items=6)))
    np.testing.assert_allclose([counted[0, 1], counted[2, 3]], [1 / 4, 1 / 16])


def test_newest_event_counts_most() -> None:
    model = fitted([[0, 2], [1, 3]])
    scores = model.score(histories_of([[0, 1]]))[0]
    np.testing.assert_allclose(scores, [0, 0, 0.6, 1.0], rtol=1e-6)


def test_popularity_is_divided_out() -> None:
    model = fitted(
        [[0, 1]] * 9 + [[2, 3]], Config(source_exponent=0.5, target_exponent=0.5, half_life_days=None)
    )
    scores = model.score(histories_of([[0], [2]]))
    np.testing.assert_allclose([scores[0, 1], scores[1, 3]], [1, 1], rtol=1e-6)


TAKEN = st.tuples(st.integers(0, 4), st.sampled_from([EventType.PURCHASE.code, EventType.DISLIKE.code]))


@settings(max_examples=40)
@given(st.lists(st.lists(TAKEN, min_size=1, max_size=8), min_size=1, max_size=4), st.integers(1, 3))
def test_learning_event_by_event_is_fitting_at_once(
    sequences: list[list[tuple[int, int]]], per_moment: int
) -> None:
    whole = histories_of(
        [[item for item, _ in own] for own in sequences],
        types=[[kind for _, kind in own] for own in sequences],
        occurred_ms=[[place // per_moment for place in range(len(own))] for own in sequences],
    )
    at_once = Neighbours(BARE).fit(training_of(whole, n_items=5))
    one_by_one = Neighbours(BARE).fit(training_of([], n_items=5))
    for history in prefixes(whole):
        one_by_one.learn(history)
    np.testing.assert_allclose(pairs(one_by_one), pairs(at_once), rtol=1e-5)
    np.testing.assert_allclose(one_by_one.mass_I, at_once.mass_I)


def prefixes(whole: Histories) -> list[Histories]:
    from huaxiang.recommend.histories import take_events

    shoppers = [take_shoppers(whole, slice(row, row + 1)) for row in range(whole.n_shoppers)]
    lengths = [int(shopper.lengths()[0]) for shopper in shoppers]
    return [
        take_events(shopper, np.arange(length) <= last)
        for shopper, length in zip(shoppers, lengths, strict=True)
        for last in range(length)
    ]


def test_an_item_nobody_bought_is_proposed_like_the_one_it_resembles() -> None:
    looks = unit_rows([[1, 0, 0], [0, 1, 0], [0, 0.9, 0.1], [0, 0, 1]])
    model = Neighbours(BARE).fit(training_of([[0, 1], [3, 0]], n_items=4, fused=looks))
    scores = model.score(histories_of([[0]]))[0]
    assert scores[2] > scores[3] and scores[2] > 0


def test_words_ask_for_the_items_they_resemble() -> None:
    looks = unit_rows([[1, 0], [0, 1], [0.1, 1], [1, 0.1]])
    model = Neighbours(BARE).fit(training_of([[0, 1]], n_items=4, fused=looks))
    said = histories_of([[-1]])
    said = Histories(
        **{**vars(said), "content_rows": np.array([0], "i4"), "content_vectors": unit_rows([[0, 1]])}
    )
    assert set(np.argsort(-model.score(said)[0])[:2]) == {1, 2}


def test_items_that_join_later_can_be_proposed() -> None:
    model = fitted([[0, 1], [0, 1], [2, 3]])
    vectors = np.vstack([np.eye(4, dtype="f"), np.eye(4, dtype="f")[1:2]])
    longer = model.with_items({"fused": vectors})
    assert longer.score(histories_of([[0]]))[0, 4] > 0
    np.testing.assert_allclose(longer.score(histories_of([[0]]))[0, :4], model.score(histories_of([[0]]))[0])


def test_a_dislike_lowers_what_goes_with_the_item() -> None:
    model = fitted([[0, 1]])
    from huaxiang.records import EventType

    scores = model.score(histories_of([[0]], types=[[EventType.DISLIKE.code]]))[0]
    assert scores[1] < 0


def test_contributions_sum_to_the_score() -> None:
    model = fitted([[0, 1, 2, 3], [2, 1, 3]])
    history = histories_of([[0, 1, 2]])
    explained = model.contributions(history, 3)
    assert explained.values.sum() == pytest.approx(float(model.score(history)[0, 3]), abs=1e-5)


def test_what_is_saved_is_read_back(tmp_path: Path) -> None:
    model = fitted([[0, 1, 2], [2, 3]])
    model.save(tmp_path)
    loaded = Neighbours.from_pretrained(tmp_path)
    history = newest(histories_of([[0, 1], [2]]), 5)
    np.testing.assert_allclose(loaded.score(history), model.score(history))
    assert loaded.config == model.config


def test_a_truncated_artefact_is_refused(tmp_path: Path) -> None:
    fitted([[0, 1]]).save(tmp_path)
    (tmp_path / "arrays.safetensors").write_bytes(b"short")
    with pytest.raises(ArtefactError, match="can't be read"):
        Neighbours.from_pretrained(tmp_path)


def test_use_before_fit_says_so() -> None:
    with pytest.raises(NotFittedError):
        Neighbours().score(histories_of([[0]]))


def test_a_decay_above_one_is_refused() -> None:
    with pytest.raises(SettingsError, match="history_decay"):
        Config(history_decay=1.5)


def test_training_data_is_left_untouched() -> None:
    training: TrainingData = training_of([[0, 1]], n_items=2)
    before = training.histories.item_rows.copy()
    Neighbours().fit(training).score(training.histories)
    np.testing.assert_array_equal(training.histories.item_rows, before)
    assert catalogue_of(2).n_items == 2
