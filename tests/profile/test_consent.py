from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from huaxiang.profile.bulk import as_of
from huaxiang.profile.consent import consents_in, stricter
from huaxiang.records import Event, EventType
from shopping import table

START = datetime(2026, 1, 1, tzinfo=UTC)
ANSWERS = st.dictionaries(st.sampled_from(["marketing", "search"]), st.booleans())


def answer(day: int, **answers: bool) -> Event:
    return Event(
        event_id=f"e-{day}",
        shopper_id="ann",
        type=EventType.CONSENT,
        occurred_at=START + timedelta(days=day),
        context={"consent": answers},
    )


YES, NO, SEARCH = answer(1, marketing=True), answer(2, marketing=False), answer(3, search=True)
BOUGHT = Event(event_id="b", shopper_id="bo", type=EventType.PURCHASE, occurred_at=START)


@given(st.permutations([YES, NO, SEARCH, BOUGHT]))
def test_the_newest_answer_wins_in_any_order(log: list[Event]) -> None:
    assert consents_in(table(log)) == {"ann": {"marketing": False, "search": True}}


@given(st.permutations([YES, replace(NO, occurred_at=YES.occurred_at), BOUGHT]))
def test_of_two_answers_at_one_moment_the_refusal_holds(log: list[Event]) -> None:
    assert consents_in(table(log)) == {"ann": {"marketing": False}}


def test_a_past_moment_shows_the_consent_valid_then() -> None:
    past = as_of(table([YES, NO, SEARCH]), occurred_until=START + timedelta(days=1))
    assert consents_in(past) == {"ann": {"marketing": True}}


@given(ANSWERS, ANSWERS)
def test_joined_shoppers_keep_every_refusal(first: dict[str, bool], second: dict[str, bool]) -> None:
    joined = stricter(first, second)
    refused = {
        purpose for answers in (first, second) for purpose, is_allowed in answers.items() if not is_allowed
    }
    assert {purpose for purpose, is_allowed in joined.items() if not is_allowed} == refused
    assert joined == stricter(second, first)
