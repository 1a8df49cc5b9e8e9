"""Trees over the linear models: they learn from what would have been served, and say when they can't."""

from pathlib import Path

import numpy as np
import pytest

from huaxiang import training as loop
from huaxiang.errors import ArtefactError, MissingExtraError, SettingsError
from huaxiang.recommend.base import TrainingData
from huaxiang.recommend.closed_form import ClosedForm
from huaxiang.recommend.closed_form import Config as ClosedFormConfig
from huaxiang.recommend.histories import histories_of
from huaxiang.recommend.neighbours import Config as NeighboursConfig
from huaxiang.recommend.pairs import baskets_of
from huaxiang.recommend.ridge import Solution
from huaxiang.recommend.stacked import Config, Stacked
from huaxiang.recommend.stacked_features import Habits, names_of
from huaxiang.recommend.stacked_lessons import Lessons
from huaxiang.recommend.top import top_items
from huaxiang.records import EventType
from recommend.small_shops import training_of, unit_rows

N_ITEMS = 8
OTHERS = [[0, 1, 2, 3, 4, 5], [5, 3, 1, 0, 2, 4], [2, 4, 0, 7], [3, 5, 1, 6], [4, 2, 0, 1]]
LOOKS = unit_rows(np.random.default_rng(0).normal(size=(N_ITEMS, 4)).tolist())
CONFIG = Config(
    n_trees=5,
    n_leaves=2,
    closed_form=ClosedFormConfig(ridge=3, text_weight=2, diagonal_factor=1, n_kept=N_ITEMS),
    tastes=ClosedFormConfig(
        ridge=3, text_weight=0, diagonal_factor=1, n_kept=N_ITEMS, source_decay=0.8, history_decay=0.9
    ),
    neighbours=NeighboursConfig(source_exponent=0),
)


def solutions_of(stacked: Stacked, training: TrainingData) -> dict[str, Solution]:
    found = {}
    for name in ("closed", "tastes"):
        model = stacked.models[name]
        assert isinstance(model, ClosedForm)
        solution = model.fit_whole(training)
        assert solution is not None
        found[name] = solution
    return found


def test_a_lesson_is_what_would_have_been_served_at_the_time() -> None:
    own, p = [6, 2, 5, 0, 3], 3
    whole = training_of([*OTHERS, own], n_items=N_ITEMS, fused=LOOKS)
    stacked = Stacked(CONFIG).fit(whole)
    lessons = Lessons(stacked, whole, solutions_of(stacked, whole))
    asked = [(shopper, moment) for shopper, moment in zip(lessons.shopper_Q, lessons.moment_Q, strict=True)]
    learnt, is_wanted = list(lessons)[asked.index((len(OTHERS), p))]
    then = Stacked(CONFIG).fit(training_of([*OTHERS, own[:p]], n_items=N_ITEMS, fused=LOOKS))
    past = next(then.pasts(histories_of([own[:p]])))
    candidates = then.candidates(past)
    as_of_then = histories_of([sequence[:-2] for sequence in [*OTHERS, own]])
    habits = Habits.in_baskets(baskets_of(as_of_then, N_ITEMS))
    served = then.features(past, candidates, habits)
    np.testing.assert_array_equal(candidates[is_wanted], own[p : p + 1])
    np.testing.assert_allclose(learnt, served, atol=2e-3)


def test_few_entries_say_what_the_whole_model_says() -> None:
    stacked = Stacked(CONFIG).fit(training_of(OTHERS, n_items=N_ITEMS, fused=LOOKS))
    histories = histories_of([[0, 3, 5], [7], [2, 2, 4, 1]])
    pasts = list(stacked.pasts(histories))
    for name, model in stacked.models.items():
        found = np.stack([past.proposals[name].scores_I for past in pasts])
        np.testing.assert_allclose(found, model.score(histories), atol=1e-6)


def test_each_feature_has_its_name() -> None:
    stacked = Stacked(CONFIG).fit(training_of(OTHERS, n_items=N_ITEMS, fused=LOOKS))
    past = next(stacked.pasts(histories_of([[0, 3]])))
    candidates = stacked.candidates(past)
    rows = stacked.features(past, candidates, stacked.habits())
    assert rows.shape == (len(candidates), len(names_of(["fused"])))


def test_trees_find_a_rule_that_no_sum_knows() -> None:
    """Everybody takes each item twice, never three times: a sum proposes the newest whatever its count."""
    rng = np.random.default_rng(1)
    training = training_of([np.repeat(rng.permutation(12)[:4], 2).tolist() for _ in range(400)], n_items=12)
    once, twice = histories_of([[1, 1, 3], [7, 7, 2]]), histories_of([[1, 1, 3, 3], [7, 7, 2, 2]])
    stacked = Stacked(Config(n_trees=30)).fit(training)
    best = {
        model: [top_items(model.score, asked, k=1).item_rows.ravel().tolist() for asked in (once, twice)]
        for model in (stacked.models["closed"], stacked)
    }
    assert best[stacked.models["closed"]] == [[3, 2], [3, 2]]
    assert best[stacked][0] == [3, 2] and not {1, 3, 7, 2} & set(best[stacked][1])


def test_views_are_no_answers_where_there_are_purchases() -> None:
    view, purchase = EventType.VIEW_ITEM.code, EventType.PURCHASE.code
    histories = histories_of([[0, 1, 2], [2, 1]], types=[[view, purchase, view], [view, view]])
    training = training_of(histories, n_items=4)
    stacked = Stacked(CONFIG).fit(training)
    lessons = Lessons(stacked, training, solutions_of(stacked, training))
    assert [items.tolist() for items in lessons.wanted_Q] == [[1]]
    assert lessons.histories.item_rows.tolist() == [0]


def test_a_shop_without_a_second_event_is_ordered_by_the_closed_form() -> None:
    stacked = Stacked(CONFIG).fit(training_of([[0], [1]], n_items=4, fused=LOOKS[:4]))
    assert stacked.trees_ is None
    alone = histories_of([[0]])
    closed = stacked.models["closed"].score(alone)[0]
    np.testing.assert_array_equal(np.argmax(stacked.score(alone)[0]), np.argmax(closed))


def test_of_nobody_what_is_popular_is_said() -> None:
    stacked = Stacked(CONFIG).fit(training_of([[0, 3], [1, 3], [2, 3]], n_items=4, fused=LOOKS[:4]))
    assert stacked.score(histories_of([[]]))[0].argmax() == 3


def test_damaged_trees_are_refused(tmp_path: Path) -> None:
    Stacked(CONFIG).fit(training_of(OTHERS, n_items=N_ITEMS, fused=LOOKS)).save(tmp_path)
    (tmp_path / "trees.txt").write_text("tree\nnonsense")
    with pytest.raises(ArtefactError, match=r"trees can't be read.*trees\.txt"):
        Stacked.from_pretrained(tmp_path)


def test_without_the_extra_it_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="lightgbm"):
        Stacked(CONFIG).fit(training_of(OTHERS, n_items=N_ITEMS, fused=LOOKS))


def test_without_the_run_time_that_trees_are_linked_with_it_says_which(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unlinked(name: str) -> None:
        raise OSError("libgomp.so.1: cannot open shared object file")

    monkeypatch.setattr(loop, "import_module", unlinked)
    with pytest.raises(MissingExtraError, match=r"libgomp\.so\.1.*install libgomp1"):
        Stacked(CONFIG).fit(training_of(OTHERS, n_items=N_ITEMS, fused=LOOKS))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"n_trees": 0}, "n_trees"),
        ({"n_leaves": 1}, "n_leaves"),
        ({"learning_rate": 0}, "learning_rate"),
        ({"closed_form": {"way": "symmetric"}}, "directed"),
    ],
)
def test_settings_out_of_range_are_named(changes: dict[str, object], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        Config(**changes)  # type: ignore[arg-type]
