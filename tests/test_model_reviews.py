"""A model's reviews: the insight of one item, and a reason for who cares about what they praise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from huaxiang.errors import UnknownItemError
from huaxiang.model import Model
from huaxiang.model.review_reasons import with_review_reasons
from huaxiang.model.reviews import insight_into, reviews_in
from huaxiang.records import Event, EventType, Slate, Value
from huaxiang.reviews.tally import AspectSums, Tally


def test_every_review_of_the_log_is_in_it_once(small_model: Model) -> None:
    reviews = reviews_in(small_model.shop.events, small_model.catalogue.item_ids)
    assert len({one.position for one in reviews}) == len(reviews)
    item = small_model.catalogue.item_ids[0]
    own = [one for one in reviews if one.item_id == item]
    assert insight_into(small_model, item).tally.n_reviews == len(own)


def test_an_unknown_item_is_refused(small_model: Model) -> None:
    with pytest.raises(UnknownItemError):
        insight_into(small_model, "nothing")


def caring(model: Model) -> Slate:
    """Return the list of somebody who complained of the size of two things."""
    for n in range(2):
        model.learn(
            Event(
                event_id=f"own-{n}",
                shopper_id="rita",
                type=EventType.REVIEW,
                item_id=model.catalogue.item_ids[n],
                text="It runs small.",
                occurred_at=model.newest,
                received_at=model.newest,
                value=Value(rating=2.0),
            )
        )
    return model.recommend("rita", k=3)


@pytest.mark.parametrize(("language", "word"), [("en", "size and fit"), ("zh", "尺码")])
def test_an_item_praised_for_what_matters_to_a_shopper_says_so(
    small_model: Model, language: str, word: str
) -> None:
    slate = caring(small_model)
    known = small_model.profile("rita").state
    praised = Tally(n_reviews=9, n_texts=9, aspects={"fit": AspectSums(n_positive=8, n_negative=1)})
    first = slate.items[0].item_id
    found = with_review_reasons(slate, known, lambda ids: {first: praised}, language=language)
    added = found.items[0].reasons[-1]
    assert added.kind == "rule" and added.event_id == "own-1" and added.contribution == 0
    assert word in added.text and "8" in added.text and "9" in added.text
    assert found.items[1:] == slate.items[1:]


def test_blamed_or_little_reviewed_items_say_nothing(small_model: Model) -> None:
    slate = caring(small_model)
    known = small_model.profile("rita").state
    mixed = Tally(n_texts=9, aspects={"fit": AspectSums(n_positive=4, n_negative=4)})
    few = Tally(n_texts=3, aspects={"fit": AspectSums(n_positive=3)})
    ids = [one.item_id for one in slate.items]
    assert with_review_reasons(slate, known, lambda _: {ids[0]: mixed, ids[1]: few}, language="en") == slate
    nobody = replace(slate, shopper_id=None)
    assert with_review_reasons(nobody, known, lambda _: {}, language="en") == nobody
