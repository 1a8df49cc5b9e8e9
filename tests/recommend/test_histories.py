"""Histories from states and tables, cut and split."""

import numpy as np
import polars as pl

from huaxiang.profile.contents import Contents
from huaxiang.profile.state import ProfileState, StateEvent
from huaxiang.recommend.histories import (
    histories_from_events,
    histories_from_states,
    histories_of,
    leave_last_out,
    newest,
    repeated,
    split_at,
    take_shoppers,
)
from huaxiang.recommend.weights import faded_weights
from huaxiang.records import EventType
from huaxiang.shop.base import EVENT_COLUMNS

BUY, REFUND, RATE, VIEW = (EventType.PURCHASE, EventType.REFUND, EventType.RATE, EventType.VIEW_ITEM)
DAY = 86_400_000


def state(*events: StateEvent) -> ProfileState:
    return ProfileState(strong=tuple(sorted(events)))


def bought(ms: int, item: int) -> StateEvent:
    return StateEvent(ms, ms, BUY.code, item_no=item)


def table(*rows: dict[str, object]) -> pl.DataFrame:
    blank: dict[str, object] = dict.fromkeys(EVENT_COLUMNS)
    blank |= {"anonymous": False, "item_row": -1, "type": BUY.code}
    return pl.DataFrame([blank | row for row in rows], schema=dict(EVENT_COLUMNS))


def test_states_become_histories_oldest_first() -> None:
    both = histories_from_states([state(bought(5, 1), bought(2, 0)), state(), state(bought(9, 3))])
    assert both.offsets.tolist() == [0, 2, 2, 3]
    assert both.item_rows.tolist() == [0, 1, 3]
    assert both.event_keys.tolist() == [2, 5, 9]


def test_a_plain_refund_takes_its_newest_purchase_with_it() -> None:
    refunded = state(bought(1, 7), bought(2, 7), bought(3, 8), StateEvent(4, 4, REFUND.code, item_no=7))
    assert histories_from_states([refunded]).occurred_ms.tolist() == [1, 3]


def test_low_ratings_and_goods_not_as_described_are_dislikes() -> None:
    events = (StateEvent(1, 1, RATE.code, 0, rating=20), StateEvent(2, 2, RATE.code, 1, rating=50))
    wrong = StateEvent(3, 3, REFUND.code, 2, rating=10)
    types = histories_from_states([state(*events, wrong)]).types.tolist()
    assert types == [EventType.DISLIKE.code, RATE.code, EventType.DISLIKE.code]


def test_words_carry_their_vector_and_unknown_words_are_left_out() -> None:
    contents = Contents()
    known, unknown = contents.add_text("red shoes"), contents.add_text("???")
    contents.add_vectors([known], np.array([[0.6, 0.8]], dtype=np.float32))
    said = state(
        StateEvent(1, 1, EventType.STATE.code, content=known),
        StateEvent(2, 2, EventType.STATE.code, content=unknown),
    )
    found = histories_from_states([said], contents)
    assert found.item_rows.tolist() == [-1]
    np.testing.assert_allclose(found.content_vectors[found.content_rows], [[0.6, 0.8]])


def test_items_the_model_lacks_are_left_out() -> None:
    row_of = np.array([-1, 5], dtype=np.int32)
    found = histories_from_states([state(bought(1, 0), bought(2, 1), bought(3, 9))], item_row_of=row_of)
    assert found.item_rows.tolist() == [5]


def test_a_table_becomes_whole_sequences() -> None:
    events = table(
        {"shopper_id": "b", "item_row": 2},
        {"shopper_id": "a", "item_row": 1},
        {"shopper_id": "b", "item_row": 0},
        {"shopper_id": "b", "item_row": 3, "type": EventType.VIEW_ITEM_LIST.code},
    )
    found = histories_from_events(events, order_only=True)
    assert found.shopper_ids == ["a", "b"]
    assert found.item_rows.tolist() == [1, 2, 0]
    assert found.occurred_ms.tolist() == [0, 0, 1]


def test_a_table_and_its_states_tell_the_same() -> None:
    from huaxiang.profile.bulk import build_states

    times = [3 * DAY, DAY, 2 * DAY, 4 * DAY]
    rows = [
        {
            "event_id": f"e{n}",
            "shopper_id": "a",
            "item_row": n % 2,
            "occurred_at": ms,
            "quantity": 1.0,
            "type": REFUND.code if n == 3 else BUY.code,
        }
        for n, ms in enumerate(times)
    ]
    events = table(*rows)
    from_table = histories_from_events(events, order_only=False)
    from_states = histories_from_states([build_states(events, order_only=False).state("a")])
    np.testing.assert_array_equal(from_states.item_rows, from_table.item_rows)
    np.testing.assert_array_equal(from_states.occurred_ms, from_table.occurred_ms)


def test_newest_keeps_the_end_of_each_sequence() -> None:
    assert newest(histories_of([[1, 2, 3], [4]]), 2).item_rows.tolist() == [2, 3, 4]


def test_shoppers_are_taken_in_the_order_asked_for() -> None:
    taken = take_shoppers(histories_of([[1, 2], [3], [4, 5]]), np.array([2, 0]))
    assert taken.item_rows.tolist() == [4, 5, 1, 2]
    assert repeated(histories_of([[1, 2]]), 2).item_rows.tolist() == [1, 2, 1, 2]


def test_leaving_out_twice_gives_validation_and_training() -> None:
    test = leave_last_out(histories_of([[1, 2, 3], [4, 5]]))
    validation = leave_last_out(test.histories)
    assert test.item_rows.tolist() == [3, 5]
    assert validation.item_rows.tolist() == [2]
    assert validation.histories.item_rows.tolist() == [1]


def test_a_cut_in_time_divides_what_was_from_what_came() -> None:
    whole = histories_of([[1, 2, 3, 3], [4, 5], [6]], occurred_ms=[[1, 5, 6, 7], [8, 9], [1]])
    found = split_at(whole, 5)
    assert found.histories.item_rows.tolist() == [1]
    assert found.item_rows.tolist() == [2, 3]


def test_lines_of_one_basket_are_one_moment() -> None:
    basket = histories_of([[1, 2, 3]], occurred_ms=[[0, 0, 2 * DAY]])
    assert basket.moments.tolist() == [0, 0, 1]
    assert basket.steps_back.tolist() == [1, 1, 0]
    assert basket.days_back.tolist() == [2, 2, 0]
    np.testing.assert_allclose(faded_weights(basket, step_decay=0.5, half_life_days=2), [0.25, 0.25, 1])


def test_what_a_view_counts_is_less_than_a_purchase() -> None:
    types = [[VIEW.code, BUY.code]]
    np.testing.assert_allclose(faded_weights(histories_of([[1, 2]], types=types), step_decay=1), [0.2, 1])
