"""A deep belief network: what it learns of a shop of two tribes, and what it takes and refuses."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from huaxiang.errors import SettingsError
from huaxiang.recommend.deep_belief import Config, DeepBelief, Layer
from huaxiang.recommend.histories import histories_of
from huaxiang.recommend.top import top_items
from huaxiang.records import EventType
from recommend.small_shops import training_of, unit_rows

QUICK = Config(units=(6, 3), learning_rate=0.5, steps=150, batch_size=20, history_weight=1)


def tribes(n_shoppers: int = 60) -> list[list[int]]:
    """Return what shoppers of two tribes took: five of items 0-7, or five of 8-15."""
    rng = np.random.default_rng(3)
    return [(rng.permutation(8)[:5] + 8 * (u % 2)).tolist() for u in range(n_shoppers)]


def fitted(config: Config = QUICK, seed: int = 0) -> DeepBelief:
    return DeepBelief(config).fit(replace(training_of(tribes(), n_items=16), seed=seed))


@pytest.mark.parametrize("units", [(6,), (6, 3)], ids=["shallow", "deep"])
def test_each_tribe_is_proposed_its_own_items(units: tuple[int, ...]) -> None:
    model = fitted(replace(QUICK, units=units))
    top = top_items(model.score, histories_of([[0, 1, 2], [10, 11, 12]]), k=5, exclude_had=True)
    assert sorted(top.item_rows[0]) == [3, 4, 5, 6, 7]
    assert sorted(top.item_rows[1]) == [8, 9, 13, 14, 15]


def test_a_shopper_of_whom_nothing_is_known_is_proposed_what_is_taken_often() -> None:
    often = [[0, 1, 2 + u % 6] for u in range(40)]
    scores = DeepBelief(QUICK).fit(training_of(often, n_items=9)).score(histories_of([[]]))[0]
    assert set(np.argsort(-scores)[:2]) == {0, 1} and scores.argmin() == 8


def test_the_same_seed_gives_the_same_scores_and_another_seed_others() -> None:
    history = histories_of([[0, 1], [9]])
    once, again, other = (fitted(seed=seed).score(history) for seed in (1, 1, 2))
    np.testing.assert_array_equal(once, again)
    assert not np.allclose(once, other)


def test_scores_go_up_through_all_layers_and_down_again() -> None:
    rng = np.random.default_rng(0)
    low = Layer(rng.normal(size=(3, 4)).astype("f"), np.full(3, 0.5, "f"), np.arange(4, dtype="f"))
    high = Layer(rng.normal(size=(2, 3)).astype("f"), np.zeros(2, "f"), np.full(3, -1, "f"))
    model = DeepBelief(Config(units=(3, 2), history_decay=0.5, history_weight=1))
    model.layers_ = (low, high)
    seen = np.array([0, 0.5, 0, 1]) @ low.weights_KV.T + 0.5
    expects = expit(expit(seen) @ high.weights_KV.T) @ high.weights_KV - 1
    expected = expit((seen + expects) / 2) @ low.weights_KV + np.arange(4)
    np.testing.assert_allclose(model.score(histories_of([[1, 3]]))[0], expected, rtol=1e-5)


def test_what_was_disliked_speaks_against_its_like() -> None:
    liked = histories_of([[0, 9]])
    disliked = replace(liked, types=np.array([liked.types[0], EventType.DISLIKE.code], dtype=np.uint8))
    model = fitted()
    assert model.score(disliked)[0, 8:].mean() < model.score(liked)[0, 8:].mean()


def test_an_event_adds_what_the_score_lacks_without_it() -> None:
    model, history = fitted(), histories_of([[8, 0, 1]])
    explained = model.contributions(history, 2)
    without = float(model.score(histories_of([[8, 0]]))[0, 2])  # the oldest fades by one step less, too
    assert explained.values[2] == pytest.approx(float(model.score(history)[0, 2]) - without, abs=1e-5)
    assert explained.values[2] > explained.values[0] and not explained.is_exact


def test_a_new_item_is_scored_and_read_as_those_it_resembles() -> None:
    looks = np.eye(16, dtype="f")
    looks = np.vstack([looks, looks[3], unit_rows([[1] * 16])[0] * 0])
    longer = fitted().with_items({"fused": looks})
    scores = longer.score(histories_of([[0, 1], [16]]))
    assert scores[0, 16] == pytest.approx(float(scores[0, 3]), abs=1e-4)
    np.testing.assert_allclose(scores[1, :16], longer.score(histories_of([[3]]))[0, :16], atol=1e-4)
    assert scores[0, 17] == pytest.approx(float(longer.layers_[0].visible_V.min()))  # it resembles nothing
    assert scores[0, 17] < scores[0, 2]


def test_learning_is_told_to_its_end() -> None:
    told: list[tuple[int, int, str]] = []
    training = replace(training_of(tribes(), n_items=16), progress=lambda *said: told.append(said))
    DeepBelief(replace(QUICK, steps=5)).fit(training)
    assert [done for done, *_ in told] == list(range(1, 11)) and told[-1][1] == 10
    assert told[0][2] == "deep belief: layer 1" and told[-1][2] == "deep belief: layer 2"


def test_a_shop_without_shoppers_is_served() -> None:
    model = DeepBelief(QUICK).fit(training_of([], n_items=3))
    assert np.isfinite(model.score(histories_of([[0], []]))).all()


def test_a_catalogue_too_large_is_refused_with_a_remedy() -> None:
    with pytest.raises(SettingsError, match="use neighbours"):
        DeepBelief(Config(max_items=3)).fit(training_of([[0, 1]], n_items=4))


@pytest.mark.parametrize(
    "wrong",
    [{"units": ()}, {"units": (4, 0)}, {"learning_rate": 0}, {"steps": 0}, {"history_decay": 1.5}],
    ids=str,
)
def test_settings_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match="out of range"):
        Config(**wrong)  # type: ignore[arg-type]


def test_settings_of_a_file_are_the_same_settings() -> None:
    assert Config(units=[64, 32]) == Config(units=(64, 32))  # type: ignore[arg-type]
