"""Closed forms, against systems of equations written out in full."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huaxiang.errors import SettingsError
from huaxiang.recommend.base import TrainingData
from huaxiang.recommend.closed_form import ClosedForm, Config
from huaxiang.recommend.histories import histories_of
from huaxiang.recommend.pairs import baskets_of
from huaxiang.recommend.ridge import (
    centred_unit,
    directed_weights,
    largest_of_rows,
    source_gram,
    source_target,
    symmetric_weights,
)
from recommend.small_shops import catalogue_of, training_of, unit_rows

sequences = st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=7), min_size=1, max_size=4)
decays = st.sampled_from([0.3, 0.5, 0.9, 1.0])


def splits(sequences: list[list[int]], n_items: int, ds: float, dt: float) -> tuple[np.ndarray, np.ndarray]:
    """Return S and T with every split materialised."""
    sources, targets = [np.zeros(n_items)], [np.zeros(n_items)]
    for items in sequences:
        for place in range(1, len(items)):
            source, target = np.zeros(n_items), np.zeros(n_items)
            for back, item in enumerate(reversed(items[:place])):
                source[item] += ds**back
            for ahead, item in enumerate(items[place:]):
                target[item] += dt**ahead
            sources.append(source)
            targets.append(target)
    return np.array(sources), np.array(targets)


@settings(max_examples=40)
@given(sequences, decays, decays)
def test_sums_over_pairs_are_sums_over_splits(items: list[list[int]], ds: float, dt: float) -> None:
    baskets = baskets_of(histories_of(items), 5)
    S, T = splits(items, 5, ds, dt)
    np.testing.assert_allclose(source_gram(baskets, decay=ds).toarray(), S.T @ S, atol=2e-3)
    sums = source_target(baskets, source_decay=ds, target_decay=dt).toarray()
    np.testing.assert_allclose(sums, S.T @ T, atol=2e-3)


def test_directed_weights_solve_their_equations() -> None:
    S, T = splits([[0, 1, 2, 3], [2, 0, 1]], 4, 0.5, 0.3)
    baskets = baskets_of(histories_of([[0, 1, 2, 3], [2, 0, 1]]), 4)
    kernel = centred_unit(unit_rows([[1, 0], [0.9, 0.1], [0, 1], [0.5, 0.5]]))
    gram, target = source_gram(baskets, decay=0.5), source_target(baskets, source_decay=0.5, target_decay=0.3)
    found = directed_weights(gram, target, kernel, diagonal_factor=1.5, ridge=2.0).weights_II
    left = S.T @ S + kernel @ kernel.T
    left += 0.5 * np.diag(np.diag(left)) + 2.0 * np.eye(4)
    np.testing.assert_allclose(left @ found, S.T @ T + kernel @ kernel.T, atol=1e-3)


def test_ease_is_the_constrained_least_squares_answer() -> None:
    X = np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1]], dtype=float)
    inverse = np.linalg.inv(X.T @ X + 2 * np.eye(3))
    expected = -inverse / np.diag(inverse)
    np.fill_diagonal(expected, 0)
    from scipy.sparse import csr_matrix

    found = symmetric_weights(csr_matrix(X.T @ X), np.zeros((3, 1), "f"), ridge=2.0)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("way", ["directed", "symmetric"])
def test_an_item_nobody_bought_is_proposed_through_its_text(way: str) -> None:
    looks = unit_rows([[1, 0, 0], [0, 1, 0], [0, 0.95, 0.05], [0, 0, 1], [0.5, 0, 0.5]])
    training = training_of([[0, 1]] * 5 + [[3, 4]] * 5, n_items=5, fused=looks)
    scores = ClosedForm(Config(way=way, ridge=1, text_weight=2)).fit(training).score(histories_of([[1], [0]]))
    assert scores[0, 2] > scores[0, 3]
    assert scores[0, 2] > 0


def test_without_text_an_item_nobody_bought_is_not_proposed() -> None:
    model = ClosedForm(Config(text_weight=0)).fit(training_of([[0, 1]], n_items=3))
    assert model.score(histories_of([[0]]))[0, 2] == 0
    assert "text" not in model.uses


def test_items_that_join_later_are_proposed_like_those_they_resemble() -> None:
    looks = unit_rows([[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    model = ClosedForm(Config(ridge=1, text_weight=1)).fit(training_of([[0, 1]] * 9, n_items=3, fused=looks))
    longer = model.with_items({"fused": np.vstack([looks, unit_rows([[0, 1, 0.1]])])})
    scores = longer.score(histories_of([[0], [3]]))
    assert scores[0, 3] > scores[0, 2]
    assert scores[1].max() > 0


def test_a_longer_catalogue_scores_as_the_weights_between_all_of_its_items_do(tmp_path: Path) -> None:
    looks = unit_rows([[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    model = ClosedForm(Config(ridge=1)).fit(training_of([[0, 1, 2], [1, 0]], n_items=3, fused=looks))
    more = [np.vstack([looks, unit_rows([[0, 1, 0.1]])])]
    more.append(np.vstack([more[0], unit_rows([[1, 0.2, 0]])]))
    longer = model.with_items({"fused": more[0]}).with_items({"fused": more[1]})
    longer.save(tmp_path)
    whole = ClosedForm.from_pretrained(tmp_path)
    assert whole.weights_II is not None
    assert whole.weights_II.shape == (5, 5)
    assert whole.typical_row_ == longer.typical_row_ == model.typical_row_
    for told in ([[0], [3, 1], [4]], [[4, 3, 2]]):
        history = histories_of(told)
        np.testing.assert_allclose(longer.score(history), whole.score(history), rtol=1e-5, atol=1e-7)


def test_words_are_read_as_the_items_they_resemble() -> None:
    looks = unit_rows([[1, 0], [0, 1], [0.1, 1]])
    model = ClosedForm(Config(ridge=1)).fit(training_of([[0, 1], [1, 2]], n_items=3, fused=looks))
    said = histories_of([[-1]])
    from dataclasses import replace

    said = replace(said, content_rows=np.array([0], "i4"), content_vectors=unit_rows([[0, 1]]))
    scores = model.score(said)[0]
    assert min(scores[1], scores[2]) > scores[0]


def test_contributions_sum_to_the_score() -> None:
    model = ClosedForm(Config(ridge=1)).fit(training_of([[0, 1, 2, 3], [1, 3, 0]], n_items=4))
    history = histories_of([[0, 1, 2]])
    explained = model.contributions(history, 3)
    assert explained.is_exact
    assert explained.values.sum() + explained.rest == pytest.approx(
        float(model.score(history)[0, 3]), abs=1e-5
    )


def test_an_item_does_not_propose_itself_where_told_so() -> None:
    model = ClosedForm(Config(zero_diagonal=True, text_weight=0)).fit(
        training_of([[0, 1], [1, 0]], n_items=2)
    )
    scores = model.score(histories_of([[0]]))[0]
    assert scores[0] == 0 and scores[1] > 0


def test_a_catalogue_too_large_is_refused_with_a_remedy() -> None:
    with pytest.raises(SettingsError, match="use neighbours"):
        ClosedForm(Config(max_items=3)).fit(training_of([[0, 1]], n_items=4))


def test_only_the_largest_weights_of_a_row_are_kept() -> None:
    kept = largest_of_rows(np.array([[0.1, 0.9, -0.5, 0.3]], dtype="f"), 2).toarray()
    np.testing.assert_allclose(kept, [[0, 0.9, -0.5, 0]])


def test_what_is_saved_is_read_back(tmp_path: Path) -> None:
    model = ClosedForm(Config(ridge=1)).fit(training_of([[0, 1, 2]], n_items=3))
    model.save(tmp_path)
    history = histories_of([[0, 1]])
    np.testing.assert_allclose(ClosedForm.from_pretrained(tmp_path).score(history), model.score(history))


def test_the_text_space_is_read_where_there_is_one() -> None:
    alike = unit_rows([[1, 0], [0, 1], [0, 1]])
    vectors = {"fused": np.eye(3, dtype="f"), "text": alike}
    data = TrainingData(histories=histories_of([[0, 1]]), catalogue=catalogue_of(3), vectors=vectors)
    assert ClosedForm(Config(ridge=1)).fit(data).score(histories_of([[1]]))[0, 2] > 0
