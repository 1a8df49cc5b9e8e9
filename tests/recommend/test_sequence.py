"""The sequence recommender, on shops small enough to know what must come next."""

import filecmp
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from huaxiang import training as loop
from huaxiang.errors import ArtefactError, InputError, NotFittedError, SettingsError
from huaxiang.recommend.base import Histories, TrainingData
from huaxiang.recommend.histories import histories_of, leave_last_out, take_events, take_shoppers
from huaxiang.recommend.sequence import Config, SequenceRecommender
from huaxiang.records import EventType, Matrix
from recommend.small_shops import training_of, unit_rows

N_ITEMS = 9
"""Items 0 to 7 are bought in a ring, each after the one before; item 8 is never bought."""

SMALL = Config(dimensions=16, max_events=6, training=loop.Config(steps=60, max_epochs=60, learning_rate=0.02))

BUY, SEARCH, VIEW = EventType.PURCHASE.code, EventType.SEARCH.code, EventType.VIEW_ITEM.code


def ring(n_shoppers: int = 80) -> list[list[int]]:
    rng = np.random.default_rng(0)
    first, lengths = rng.integers(0, 8, n_shoppers), rng.integers(3, 8, n_shoppers)
    return [[(start + i) % 8 for i in range(n)] for start, n in zip(first, lengths, strict=True)]


def with_words(histories: Histories, vector: Matrix) -> Histories:
    """Return the only history with one search after it."""
    return replace(
        histories,
        offsets=histories.offsets + [0, 1],
        item_rows=np.append(histories.item_rows, -1).astype(np.int32),
        types=np.append(histories.types, SEARCH).astype(np.uint8),
        occurred_ms=np.append(histories.occurred_ms, 99),
        event_keys=np.append(histories.event_keys, 99),
        content_rows=np.append(histories.content_rows, 0).astype(np.int32),
        content_vectors=vector[None],
    )


@pytest.fixture(scope="module")
def training() -> TrainingData:
    return training_of(ring(), n_items=N_ITEMS)


@pytest.fixture(scope="module")
def fitted(training: TrainingData) -> SequenceRecommender:
    return SequenceRecommender(SMALL).fit(training)


def test_a_planted_order_is_learnt(fitted: SequenceRecommender) -> None:
    asked = histories_of([[0, 1, 2], [5], [6, 7]])
    assert fitted.score(asked).argmax(axis=1).tolist() == [3, 6, 0]


def test_a_planted_order_is_learnt_from_ids_alone(training: TrainingData) -> None:
    bare = SequenceRecommender(replace(SMALL, spaces=())).fit(replace(training, vectors={}))
    assert bare.score(histories_of([[0, 1, 2], [5]])).argmax(axis=1).tolist() == [3, 6]


def test_the_same_seed_gives_the_same_scores(training: TrainingData, fitted: SequenceRecommender) -> None:
    asked = histories_of([[0, 1], [4]])
    np.testing.assert_array_equal(SequenceRecommender(SMALL).fit(training).score(asked), fitted.score(asked))


def test_another_seed_gives_others(training: TrainingData, fitted: SequenceRecommender) -> None:
    other = SequenceRecommender(SMALL).fit(replace(training, seed=1))
    asked = histories_of([[0, 1]])
    assert not np.array_equal(other.score(asked), fitted.score(asked))


class KilledError(Exception):
    """Stands for a kill."""


def test_a_killed_fit_resumes_to_the_same_scores(
    training: TrainingData, fitted: SequenceRecommender, tmp_path: Path
) -> None:
    def kill(done: int, total: int, note: str) -> None:
        if done == 2:
            raise KilledError

    saved = replace(training, checkpoint=tmp_path)
    with pytest.raises(KilledError):
        SequenceRecommender(SMALL).fit(replace(saved, progress=kill))
    resumed = SequenceRecommender(SMALL).fit(saved)
    asked = histories_of([[0, 1], [4]])
    assert resumed.trained_.resumed_after == 2
    np.testing.assert_array_equal(resumed.score(asked), fitted.score(asked))


def test_the_validation_chooses_the_epoch(training: TrainingData) -> None:
    split = leave_last_out(training.histories)
    model = SequenceRecommender(SMALL).fit(replace(training, histories=split.histories, validation=split))
    metrics = [epoch.metric for epoch in model.trained_.epochs]
    assert model.trained_.best_metric == max(metric for metric in metrics if metric is not None) > 0.8


histories = st.lists(st.lists(st.integers(0, N_ITEMS - 1), max_size=9), min_size=1, max_size=7)


@given(histories)
def test_a_shopper_scores_the_same_alone_and_beside_others(
    fitted: SequenceRecommender, items: list[list[int]]
) -> None:
    together = histories_of(items)
    scores = fitted.score(together)
    for row in range(len(items)):
        alone = fitted.score(take_shoppers(together, slice(row, row + 1)))[0]
        np.testing.assert_allclose(alone, scores[row], atol=1e-4)


@given(st.lists(st.integers(0, N_ITEMS - 1), min_size=7, max_size=12))
def test_only_the_newest_events_are_read(fitted: SequenceRecommender, items: list[int]) -> None:
    whole, newest = fitted.score(histories_of([items, items[-6:]]))
    np.testing.assert_allclose(whole, newest, atol=1e-4)


def test_a_shopper_without_events_and_no_shopper_at_all_can_be_scored(fitted: SequenceRecommender) -> None:
    assert np.isfinite(fitted.score(histories_of([[]]))).all()
    assert fitted.score(histories_of([])).shape == (0, N_ITEMS)


def test_a_shop_where_nothing_was_bought_yet_lists_by_content() -> None:
    model = SequenceRecommender(SMALL).fit(training_of([[], []], n_items=3))
    assert np.isfinite(model.score(histories_of([[], [1]]))).all()


def test_order_matters(fitted: SequenceRecommender) -> None:
    one, other = fitted.score(histories_of([[1, 2], [2, 1]]))
    assert one.argmax() == 3 and other.argmax() == 2


def looking_alike() -> Matrix:
    """Items 0 to 7 on a circle, and item 8 beside item 4."""
    angles = np.append(np.arange(8), 4.02) * np.pi / 4
    return unit_rows(np.stack([np.cos(angles), np.sin(angles), 0.1 + 0 * angles], axis=1).tolist())


@pytest.fixture(scope="module")
def seeing() -> SequenceRecommender:
    config = replace(SMALL, id_dropout=0.5)
    return SequenceRecommender(config).fit(training_of(ring(), n_items=N_ITEMS, fused=looking_alike()))


def test_an_item_never_bought_is_proposed_by_its_content(seeing: SequenceRecommender) -> None:
    ranking = np.argsort(-seeing.score(histories_of([[2, 3]]))[0])
    assert set(ranking[:2].tolist()) == {4, 8}


def test_an_item_never_bought_is_read_by_its_content(seeing: SequenceRecommender) -> None:
    assert seeing.score(histories_of([[8]]))[0].argmax() == 5


def test_words_are_read_as_an_event(seeing: SequenceRecommender) -> None:
    asked = with_words(histories_of([[]]), looking_alike()[4])
    assert seeing.score(asked)[0].argmax() == 5


def test_a_new_item_joins_without_refitting(seeing: SequenceRecommender) -> None:
    vectors = np.concatenate([looking_alike(), looking_alike()[1:2]])
    longer = seeing.with_items({"fused": vectors})
    scores = longer.score(histories_of([[7, 0]]))[0]
    assert scores.shape == (N_ITEMS + 1,) and set(np.argsort(-scores)[:2].tolist()) == {1, 9}
    np.testing.assert_allclose(scores[:N_ITEMS], seeing.score(histories_of([[7, 0]]))[0], atol=1e-5)


def test_words_are_read_in_the_first_space_beside_a_richer_one() -> None:
    shop = training_of(ring(), n_items=N_ITEMS, fused=looking_alike())
    shop = replace(shop, vectors={**shop.vectors, "text": np.eye(N_ITEMS, dtype=np.float32)})
    model = SequenceRecommender(replace(SMALL, id_dropout=0.6)).fit(shop)
    asked = with_words(histories_of([[]]), looking_alike()[4])
    assert model.score(asked)[0].argmax() == 5
    assert model.score(histories_of([[0, 1, 2]]))[0].argmax() == 3


def test_words_of_another_space_are_refused(seeing: SequenceRecommender) -> None:
    with pytest.raises(InputError, match="another space"):
        seeing.score(with_words(histories_of([[1]]), np.ones(5, "f")))


def test_contributions_are_what_the_score_loses_without_the_event(fitted: SequenceRecommender) -> None:
    asked = histories_of([[3, 0, 1]])
    parts = fitted.contributions(asked, 2)
    whole = fitted.score(asked)[0, 2]
    without = [fitted.score(take_events(asked, np.arange(3) != event))[0, 2] for event in range(3)]
    np.testing.assert_allclose(parts.values, whole - np.array(without), atol=1e-4)
    assert parts.rest == pytest.approx(float(fitted.score(histories_of([[]]))[0, 2]), abs=1e-4)
    assert not parts.is_exact and parts.values.argmax() == 2


def test_events_too_old_to_be_read_contribute_nothing(fitted: SequenceRecommender) -> None:
    parts = fitted.contributions(histories_of([[5, 6, 7, 0, 1, 2, 3, 4]]), 5)
    assert parts.values[:2].tolist() == [0, 0] and len(parts.values) == 8


def test_a_shopper_without_events_has_no_contributions(fitted: SequenceRecommender) -> None:
    parts = fitted.contributions(histories_of([[]]), 0)
    assert len(parts.values) == 0 and np.isfinite(parts.rest)


def test_what_is_saved_scores_the_same(fitted: SequenceRecommender, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    loaded = SequenceRecommender.from_pretrained(tmp_path)
    asked = histories_of([[0, 1], [4], []])
    assert (loaded.config, loaded.trained_) == (fitted.config, fitted.trained_)
    np.testing.assert_allclose(loaded.score(asked), fitted.score(asked), atol=1e-4)


def test_what_is_loaded_can_be_saved_again(fitted: SequenceRecommender, tmp_path: Path) -> None:
    fitted.save(tmp_path / "first")
    SequenceRecommender.from_pretrained(tmp_path / "first").save(tmp_path / "second")
    for file in ("arrays.safetensors", "encoder.onnx"):
        assert filecmp.cmp(tmp_path / "first" / file, tmp_path / "second" / file, shallow=False)


def test_a_base_install_serves_and_says_what_fitting_needs(
    fitted: SequenceRecommender, tmp_path: Path
) -> None:
    fitted.save(tmp_path)
    code = f"""
import sys
from pathlib import Path
for absent in ("torch", "onnx", "onnxscript", "transformers"):
    sys.modules[absent] = None
from huaxiang.errors import MissingExtraError
from huaxiang.recommend.histories import histories_of
from huaxiang.recommend.sequence import SequenceRecommender
loaded = SequenceRecommender.from_pretrained(Path({str(tmp_path)!r}))
print(loaded.score(histories_of([[0, 1, 2]])).argmax())
try:
    loaded.fit(None)
except MissingExtraError as error:
    print(error)
"""
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.splitlines() == ["3", "needs torch; install huaxiang[train]"]


@pytest.mark.parametrize("file", ["arrays.safetensors", "recommender.json", "encoder.onnx"])
def test_a_truncated_file_is_named(fitted: SequenceRecommender, tmp_path: Path, file: str) -> None:
    fitted.save(tmp_path)
    (tmp_path / file).write_bytes((tmp_path / file).read_bytes()[:40])
    with pytest.raises(ArtefactError, match=file):
        SequenceRecommender.from_pretrained(tmp_path)


def test_views_count_less_than_purchases_and_dislikes_are_no_targets() -> None:
    dislike = EventType.DISLIKE.code
    sequences = [[0, 1], [0, 2], [0, 3]] * 40
    types = [[BUY, VIEW], [BUY, BUY], [BUY, dislike]] * 40
    shop = training_of(histories_of(sequences, types=types), n_items=4)
    scores = SequenceRecommender(SMALL).fit(shop).score(histories_of([[0]]))[0]
    assert scores[2] > scores[1] > scores[3]


def test_how_long_ago_matters_where_times_are_known() -> None:
    hour = 3_600_000
    sequences = [[0, 1, 2], [0, 1, 3]] * 40
    times = [[0, hour, 2 * hour], [0, 900 * hour, 901 * hour]] * 40
    shop = training_of(histories_of(sequences, occurred_ms=times), n_items=4)
    asked = histories_of([[0, 1], [0, 1]], occurred_ms=[[0, hour], [0, 900 * hour]])
    assert SequenceRecommender(SMALL).fit(shop).score(asked).argmax(axis=1).tolist() == [2, 3]


def test_nothing_can_be_asked_before_fit() -> None:
    with pytest.raises(NotFittedError):
        SequenceRecommender().score(histories_of([[0]]))


def test_vectors_that_are_not_there_are_named(training: TrainingData) -> None:
    with pytest.raises(SettingsError, match="'fused'; choose text"):
        SequenceRecommender(SMALL).fit(replace(training, vectors={"text": training.vectors["fused"]}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"dimensions": 63},
        {"dimensions": 2},
        {"layers": 0},
        {"heads": 17},
        {"max_events": 0},
        {"dropout": 1.0},
        {"id_dropout": -0.1},
        {"smoothing": 1.0},
        {"temperature": 0.0},
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        Config(**wrong)  # type: ignore[arg-type]


@pytest.mark.gpu
def test_a_fit_on_an_accelerator_learns_the_planted_order(training: TrainingData) -> None:
    if not torch.cuda.is_available():
        pytest.skip("needs an accelerator")
    model = SequenceRecommender(SMALL, device="cuda").fit(training)
    assert model.score(histories_of([[0, 1, 2], [5]])).argmax(axis=1).tolist() == [3, 6]
