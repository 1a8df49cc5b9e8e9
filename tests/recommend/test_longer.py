"""Members that take no new items, and what stays the same whatever joins in which order."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Self

import numpy as np
import pytest

from huaxiang.errors import InputError
from huaxiang.recommend.base import Contributions, Histories, TrainingData
from huaxiang.recommend.closed_form import ClosedForm, Config
from huaxiang.recommend.ensemble import Ensemble
from huaxiang.recommend.histories import histories_of
from huaxiang.recommend.longer import Longer
from huaxiang.recommend.neighbours import Neighbours
from huaxiang.recommend.popular import Popular
from huaxiang.records import Matrix
from recommend.small_shops import training_of, unit_rows

KNOWN = unit_rows([[1, 0, 0], [0, 1, 0], [0, 0, 1]])
ALL = np.concatenate([KNOWN, unit_rows([[0, 1, 0.05]]), np.zeros((1, 3), dtype=np.float32)])


class Last:
    """Scores what was had last with 1: a way from elsewhere that knows nothing of joining items."""

    name = "last"
    uses = ("ids",)

    def fit(self, training: TrainingData) -> Self:
        self.n_items = training.catalogue.n_items
        return self

    def score(self, histories: Histories) -> Matrix:
        scores = np.zeros((histories.n_shoppers, self.n_items), dtype=np.float32)
        for shopper, end in enumerate(histories.offsets[1:]):
            if end > histories.offsets[shopper] and histories.item_rows[end - 1] >= 0:
                scores[shopper, histories.item_rows[end - 1]] = 1.0
        return scores

    def contributions(self, histories: Histories, item_row: int) -> Contributions:
        values = np.zeros(len(histories.event_keys), dtype=np.float32)
        values[-1:] = self.score(histories)[0, item_row]
        return Contributions(event_keys=histories.event_keys, values=values, is_exact=True)

    def save(self, folder: Path) -> None:
        (folder / "last").touch()


def last() -> Last:
    return Last().fit(training_of([[0, 1, 2]], n_items=3))


def test_a_new_item_is_scored_as_what_it_looks_like() -> None:
    longer = Longer(last(), ALL, n_known=3)
    scores = longer.score(histories_of([[0, 1]]))[0]
    assert scores[:3].tolist() == [0.0, 1.0, 0.0]
    assert scores[3] > 0.9 and scores[4] == 0.0


def test_a_new_item_in_a_history_is_read_as_what_it_looks_like() -> None:
    longer = Longer(last(), ALL, n_known=3)
    assert longer.score(histories_of([[0, 3]]))[0].argmax() == 1
    assert longer.score(histories_of([[0, 4]]))[0].tolist() == [0.0] * 5


def test_its_contributions_sum_to_its_score() -> None:
    longer, history = Longer(last(), ALL, n_known=3), histories_of([[0, 1]])
    for row in range(5):
        explained = longer.contributions(history, row)
        total = explained.values.sum() + explained.rest
        assert total == pytest.approx(float(longer.score(history)[0, row]), abs=1e-6)


def test_an_ensemble_says_that_a_member_takes_no_new_items(caplog: pytest.LogCaptureFixture) -> None:
    ensemble = Ensemble(members={"popular": Popular(), "last": last()})
    ensemble.fit(training_of([[0, 1, 2]], n_items=3))
    with caplog.at_level(logging.WARNING):
        longer = ensemble.with_items({"fused": ALL})
    assert "last takes no new items" in longer.degraded_[0] and longer.degraded_[0] in caplog.text
    assert longer.score(histories_of([[0, 1]])).shape == (1, 5)
    assert len(longer.with_items({"fused": np.concatenate([ALL, ALL[:1]])}).degraded_) == 1


def test_it_is_kept_only_where_nothing_would_be_lost(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="never learnt"):
        Longer(last(), ALL, n_known=3).save(tmp_path)
    Longer(last(), KNOWN, n_known=3).save(tmp_path)
    assert (tmp_path / "last").exists()


@pytest.mark.parametrize(
    "way", [Neighbours(), ClosedForm(Config(ridge=1, text_weight=1))], ids=lambda w: w.name
)
def test_items_that_join_one_by_one_are_scored_as_if_together(way: Neighbours | ClosedForm) -> None:
    way.fit(training_of([[0, 1, 2], [1, 2], [0, 2]], n_items=3, fused=KNOWN))
    together = way.with_items({"fused": ALL})
    one_by_one = way.with_items({"fused": ALL[:4]}).with_items({"fused": ALL})
    history = histories_of([[0, 1], [3], [4, 2]])
    np.testing.assert_allclose(one_by_one.score(history), together.score(history), atol=1e-6)


def test_what_waits_to_be_taken_in_is_not_lost_when_items_join() -> None:
    way = Neighbours().fit(training_of([[0, 1], [0, 1]], n_items=3, fused=KNOWN))
    way.fold(every=1000)
    way.learn(histories_of([[0, 2]]))
    longer = way.with_items({"fused": ALL})
    assert longer.score(histories_of([[0]]))[0, 2] > 0
    longer.learn(histories_of([[1, 2]]))
    assert longer.score(histories_of([[1]]))[0, 2] == 0  # it waits, as in the model before
    longer.fold()
    assert longer.score(histories_of([[1]]))[0, 2] > 0
