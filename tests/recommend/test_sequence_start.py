"""Going on from weights that were learnt before: nothing forgotten, new items read, less to do."""

import filecmp
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from huaxiang import training as loop
from huaxiang.errors import ArtefactError, NotFittedError
from huaxiang.recommend.base import GoesOn, TrainingData
from huaxiang.recommend.histories import histories_of
from huaxiang.recommend.neighbours import Neighbours
from huaxiang.recommend.sequence import WEIGHTS, Config, SequenceRecommender
from huaxiang.recommend.sequence_start import IDS
from recommend.small_shops import training_of

SMALL = Config(dimensions=16, max_events=6, training=loop.Config(steps=80, max_epochs=80, learning_rate=0.02))


def ring(n_items: int, n_shoppers: int = 80) -> list[list[int]]:
    """Return shoppers who buy `n_items` in a ring, each after the one before."""
    rng = np.random.default_rng(0)
    first, lengths = rng.integers(0, n_items, n_shoppers), rng.integers(3, 8, n_shoppers)
    return [[(start + i) % n_items for i in range(n)] for start, n in zip(first, lengths, strict=True)]


@pytest.fixture(scope="module")
def training() -> TrainingData:
    return training_of(ring(8), n_items=10)


@pytest.fixture(scope="module")
def fitted(training: TrainingData) -> SequenceRecommender:
    return SequenceRecommender(SMALL).fit(training)


def test_going_on_starts_with_what_was_known(training: TrainingData, fitted: SequenceRecommender) -> None:
    """With next to nothing to learn, the scores are those of before."""
    hardly = replace(SMALL, training=loop.Config(steps=1, min_epochs=1, learning_rate=1e-9))
    before = SequenceRecommender(hardly)
    before.outlooks_, before.weights_ = fitted.outlooks_, fitted.weights_
    asked = histories_of([[0, 1, 2], [5], [6, 7]])
    again = before.going_on().fit(training)
    np.testing.assert_allclose(again.score(asked), fitted.score(asked), atol=1e-3)
    assert len(again.trained_.epochs) == 1


def test_going_on_does_less_and_is_no_worse(training: TrainingData, fitted: SequenceRecommender) -> None:
    again = fitted.going_on().fit(training)
    assert len(again.trained_.epochs) <= len(fitted.trained_.epochs) / 3
    assert again.score(histories_of([[0, 1, 2], [5], [6, 7]])).argmax(axis=1).tolist() == [3, 6, 0]
    assert again.trained_.epochs[0].loss < fitted.trained_.epochs[0].loss / 2


def test_items_that_joined_since_are_learnt() -> None:
    """The catalogue, and the ring, are now longer by items 8 and 9."""
    wider = training_of(ring(10, n_shoppers=160), n_items=10)
    shorter = training_of(ring(8), n_items=8)
    known = {space: vectors_ID[:8] for space, vectors_ID in wider.vectors.items()}
    before = SequenceRecommender(SMALL).fit(replace(shorter, vectors=known))
    assert before.weights_()[IDS].shape[0] == 8
    again = before.going_on().fit(wider)
    asked = histories_of([[6, 7], [7, 8], [8, 9]])
    assert again.score(asked).argmax(axis=1).tolist() == [8, 9, 0]


def test_a_loaded_model_goes_on_as_the_fitted_one_does(
    training: TrainingData, fitted: SequenceRecommender, tmp_path: Path
) -> None:
    fitted.save(tmp_path)
    loaded = SequenceRecommender.from_pretrained(tmp_path)
    asked = histories_of([[0, 1], [4]])
    np.testing.assert_array_equal(
        loaded.going_on().fit(training).score(asked), fitted.going_on().fit(training).score(asked)
    )


def test_a_loaded_model_is_saved_with_its_weights(fitted: SequenceRecommender, tmp_path: Path) -> None:
    fitted.save(tmp_path / "first")
    SequenceRecommender.from_pretrained(tmp_path / "first").save(tmp_path / "second")
    assert filecmp.cmp(tmp_path / "first" / WEIGHTS, tmp_path / "second" / WEIGHTS, shallow=False)


def test_damaged_weights_are_refused_only_where_they_are_needed(
    fitted: SequenceRecommender, tmp_path: Path
) -> None:
    fitted.save(tmp_path)
    (tmp_path / WEIGHTS).write_bytes(b"damaged")
    loaded = SequenceRecommender.from_pretrained(tmp_path)
    assert loaded.score(histories_of([[0]])).shape == (1, 10)
    with pytest.raises(ArtefactError):
        loaded.going_on()


def test_what_was_never_fitted_can_not_go_on() -> None:
    with pytest.raises(NotFittedError):
        SequenceRecommender(SMALL).going_on()


def test_counting_members_are_fitted_anew() -> None:
    assert isinstance(SequenceRecommender(), GoesOn)
    assert not isinstance(Neighbours(), GoesOn)
