"""Reasons checked by leaving events out, on a linear shopper whose arithmetic is plain."""

import numpy as np
import pytest
from numpy.typing import NDArray

from huaxiang.ranking.base import Case, Deeds, ScoreKept
from huaxiang.ranking.effects import Effects
from huaxiang.ranking.reasons import advantages, named_events, reason_events
from huaxiang.ranking.removal import Claim, audit_reasons, drops, log_softmax
from huaxiang.ranking.wording import said
from huaxiang.records import EventType, Matrix

EFFECTS = np.array([[3, 0, 0], [0, 2, 0], [0.1, 0.1, 0.1], [0, 0, 1]], dtype=np.float32)
"""Event 0 is why item 0, event 1 why item 1, event 3 why item 2; event 2 lifts all alike."""


def linear(effects_EI: Matrix) -> ScoreKept:
    def scores(keep_XE: NDArray[np.bool_]) -> Matrix:
        return np.asarray(keep_XE.astype(np.float32) @ effects_EI)

    return scores


def case(effects_EI: Matrix, *, checked: bool = True) -> Case:
    n_events = len(effects_EI)
    return Case(
        scores_I=effects_EI.sum(axis=0),
        effects=Effects.of(effects_EI),
        deeds=Deeds(
            event_ids=[f"e{row}" for row in range(n_events)],
            types=np.full(n_events, EventType.PURCHASE.code, dtype=np.uint8),
            item_rows=np.arange(n_events, dtype=np.int32),
            texts=[None] * n_events,
        ),
        had_rows=np.zeros(0, dtype=np.int32),
        score_kept=linear(effects_EI) if checked else None,
    )


def claim(item_row: int, events: list[int]) -> Claim:
    return Claim(score_kept=linear(EFFECTS), n_events=4, item_row=item_row, events=events)


def test_each_item_is_given_its_own_event() -> None:
    assert reason_events(case(EFFECTS), np.array([0, 1, 2])) == [[0], [1], [3]]


def test_an_event_that_lifts_everything_is_no_reason() -> None:
    alike = np.array([[5, 5, 5], [0.2, 0, 0]], dtype=np.float32)
    assert reason_events(case(alike), np.array([0, 1])) == [[1], []]


def test_a_choice_that_fails_the_check_is_replaced_by_one_that_stands() -> None:
    misleading = case(np.array([[2, 0], [1, 0]], dtype=np.float32))
    truth = linear(np.array([[-1, 0], [1, 0]], dtype=np.float32))
    misled = Case(
        **{
            **{name: getattr(misleading, name) for name in misleading.__dataclass_fields__},
            "score_kept": truth,
        }
    )
    assert reason_events(misled, np.array([0])) == [[1]]


def test_at_most_three_events_are_named_and_never_all() -> None:
    assert named_events(np.ones((5, 1))) == [[0, 1, 2]]
    assert named_events(np.ones((2, 1))) == [[0]]
    assert named_events(np.ones((1, 1))) == [[0]]
    assert named_events(np.zeros((0, 2))) == [[], []]


def test_advantage_is_the_first_order_fall_in_log_softmax() -> None:
    small = EFFECTS * np.float32(1e-3)
    removed = np.eye(4, dtype=bool)
    expected = drops(linear(small), removed, np.zeros(4, dtype=int))
    found = advantages(Effects.of(small), small.sum(axis=0), np.array([0]))[:, 0]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_log_softmax_rows_sum_to_one() -> None:
    np.testing.assert_allclose(np.exp(log_softmax(EFFECTS)).sum(axis=1), 1)


def test_true_claims_hold_and_false_ones_do_not() -> None:
    rng = np.random.default_rng(1)
    true = audit_reasons([claim(0, [0]), claim(1, [1]), claim(2, [3])] * 5, rng=rng)
    false = audit_reasons([claim(0, [1]), claim(1, [0])] * 5, rng=rng)
    assert (true.share_lowered, true.share_above_random, true.share_held) == (1, 1, 1)
    assert (false.share_lowered, false.share_held) == (0, 0)


def test_a_claim_that_names_everything_is_not_compared() -> None:
    audit = audit_reasons([claim(0, [0, 1, 2, 3])], rng=np.random.default_rng(1))
    assert (audit.n_claims, audit.n_comparable) == (1, 0)


@pytest.mark.parametrize("kind", list(EventType))
def test_every_kind_of_event_has_words_in_both_languages(kind: EventType) -> None:
    english, chinese = (said(str(kind), language=code, about="X") for code in ("en", "zh"))
    assert english.isascii() or "“" in english
    assert not chinese.isascii()


def test_long_titles_are_cut() -> None:
    assert said("purchase", language="en", about="x" * 100).endswith("…")
