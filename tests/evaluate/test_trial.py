"""A trial leaves out aloud what can't take a catalogue of its size, and so does the fit after it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from huaxiang.evaluate.holdout import HeldOut, Next
from huaxiang.evaluate.trial import Ensembles, as_validated, fit_ensembles, refit
from huaxiang.recommend.base import Recommender
from huaxiang.recommend.closed_form import ClosedForm, Config
from huaxiang.recommend.histories import histories_of, leave_last_out
from huaxiang.recommend.neighbours import Neighbours
from huaxiang.recommend.sequence import Config as SequenceConfig
from huaxiang.recommend.sequence import SequenceRecommender
from huaxiang.training import Config as TrainingConfig
from recommend.small_shops import training_of

SPLIT = leave_last_out(histories_of([[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 0], [4, 0, 1]] * 4))
NEXT = Next(targets=SPLIT, had=SPLIT.histories)
HELD_OUT = HeldOut(
    description="", training=SPLIT.histories, known=SPLIT.histories, validation=NEXT, test=NEXT
)


def members(*, most: int) -> dict[str, Recommender]:
    return {"neighbours": Neighbours(), "closed_form": ClosedForm(Config(max_items=most))}


def silent(stage: str, done: int, total: int, note: str) -> None:
    """Say nothing."""


def tried(*, most: int) -> Ensembles:
    lesson = training_of(SPLIT.histories, n_items=5)
    return fit_ensembles(members(most=most), lesson, HELD_OUT, progress=silent)


def test_a_member_that_takes_fewer_items_is_left_out_of_both_lists(tmp_path: Path) -> None:
    ensembles = tried(most=3)
    ensembles.save(tmp_path)
    for shown in (ensembles, Ensembles.load(tmp_path)):
        assert [list(one.members) for one in (shown.new, shown.all)] == [["neighbours"], ["neighbours"]]
        assert "closed_form left out: 5 items" in shown.all.degraded_[0]


def test_a_member_that_the_catalogue_outgrew_is_left_out_when_learning_again() -> None:
    ensembles = tried(most=5)
    assert list(ensembles.new.members) == ["neighbours", "closed_form"]
    longer = training_of(SPLIT.histories, n_items=6)
    again = refit(ensembles, members(most=5), longer, stage="", progress=silent)
    assert list(again.new.members) == list(again.new.weights_) == ["neighbours"]
    assert "closed_form left out: 6 items" in again.new.degraded_[0]


def test_what_learns_in_epochs_learns_again_for_as_many_as_were_best_when_validated() -> None:
    sequence = SequenceConfig(
        dimensions=8, layers=1, training=TrainingConfig(steps=12, patience=1, learning_rate=0.05)
    )
    lesson = replace(training_of(SPLIT.histories, n_items=5), validation=SPLIT)
    first = fit_ensembles({"sequence": SequenceRecommender(sequence)}, lesson, HELD_OUT, progress=silent)
    before = first.new.members["sequence"]
    assert isinstance(before, SequenceRecommender)
    again = as_validated({"sequence": SequenceRecommender(sequence), **members(most=5)}, first.new.members)
    longer = replace(lesson, validation=None)
    fitted = again["sequence"].fit(longer)
    assert isinstance(fitted, SequenceRecommender)
    assert len(fitted.trained_.epochs) == before.trained_.best_epoch
    alone = SequenceRecommender(sequence).fit(longer)
    assert len(alone.trained_.epochs) > before.trained_.best_epoch
    assert list(again) == ["sequence", "neighbours", "closed_form"]
