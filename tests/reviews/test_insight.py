"""What an item's reviews say: costs, change, contrast, flags, quotes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from huaxiang.reviews.change import changes, stretches
from huaxiang.reviews.costs import costs_of, drops
from huaxiang.reviews.flags import BURST, CONTRADICTS, DUPLICATE, MANY, STRANGER
from huaxiang.reviews.summary import review_subjects
from huaxiang.writing.check import EvidenceCheck
from reviews.few_reviews import book_of, read, review

LONG = "This dress is just the thing that I had been looking for since the spring, and I will buy it again."


def test_a_complaint_costs_its_share_times_what_it_takes_off() -> None:
    """Four of eight complain; 2 instead of 5 stars; nothing usual is assumed: 3 stars × 1/2."""
    blamed = np.array([[1.0]] * 4 + [[0.0]] * 4)
    assert drops(blamed, np.array([2.0] * 4 + [5.0] * 4), np.array([3.0])) == pytest.approx([3.0], abs=1e-4)
    reviews = read(
        *(review("It runs small.", 2.0) for _ in range(4)), *(review("Nice.", 5.0) for _ in range(4))
    )
    [cost] = costs_of(reviews, {"fit": 3.0})
    assert (cost.aspect, cost.n) == ("fit", 4)
    assert cost.cost == pytest.approx(1.5, abs=1e-3)


def test_the_dearest_complaint_comes_first_not_the_most_frequent() -> None:
    reviews = [review("The delivery took weeks.", 4.0) for _ in range(6)]
    reviews += [review("A seam came undone.", 1.0) for _ in range(4)]
    reviews += [review("Lovely.", 5.0) for _ in range(10)]
    found = book_of(*reviews).insight("d1").suggestions
    assert [one.cost.aspect for one in found] == ["quality", "delivery"]
    assert found[0].phrases[0] == ("came undone", 4) or found[0].phrases[0][1] == 4
    assert found[0].quotes[0].event_id in {one.event_id for one in reviews[6:10]}


def test_one_angry_person_among_many_makes_no_suggestion() -> None:
    reviews = [review("It runs small.", 1.0), *(review("Lovely colour.", 5.0) for _ in range(9))]
    assert book_of(*reviews).insight("d1").suggestions == ()


def test_a_fall_of_the_mean_is_told_with_its_moment() -> None:
    reviews = read(
        *(review("Nice.", 5.0, day=day) for day in range(20)),
        *(review("It runs small.", 2.0, day=day) for day in range(20, 30)),
    )
    first, second = changes(reviews)
    assert first.aspect is None and first.before > 4.5 and first.after == 2.0
    assert second.aspect == "fit" and second.after == 1.0
    assert sum(one.n for one in stretches(reviews)) == 30


def test_stretches_begin_at_midnight_and_follow_each_other() -> None:
    found = stretches(read(*(review(None, 4.0, day=day + 0.5) for day in (0, 3, 50))))
    assert all(one.starts_at.hour == 0 for one in found)
    assert all(a.ends_at == b.starts_at for a, b in zip(found[:-1], found[1:], strict=True))


def test_what_is_blamed_more_than_in_the_category_is_told() -> None:
    reviews = [review("It runs small.", 3.0, item="d1") for _ in range(8)]
    reviews += [review("Lovely colour.", 5.0, item="d2") for _ in range(40)]
    [contrast] = book_of(*reviews).insight("d1").contrast
    assert (contrast.aspect, contrast.own, contrast.usual) == ("fit", 1.0, 0.0)


def kinds(*reviews: object) -> dict[str, int]:
    book = book_of(*reviews)  # type: ignore[arg-type]
    return {flag.kind: flag.n for flag in book.insight("d1").flags}


def test_the_same_words_on_other_items_are_flagged() -> None:
    found = kinds(review(LONG, 5.0), review(LONG.upper(), 5.0, item="m1"), review("Nice.", 5.0, item="m1"))
    assert found == {DUPLICATE: 2}


def test_short_equal_texts_are_no_copies() -> None:
    assert kinds(review("Love it.", 5.0), review("Love it.", 5.0)) == {}


def test_many_fives_in_a_day_are_flagged_where_few_are_usual() -> None:
    slow = [review(None, 5.0, day=30 * k) for k in range(8)]
    burst = [review(None, 5.0, day=100 + k / 24) for k in range(9)]
    assert kinds(*slow, *burst)[BURST] == 9
    assert BURST not in kinds(*(review(None, 5.0, day=k / 4) for k in range(40)))


def test_one_shopper_with_the_same_stars_everywhere_is_flagged() -> None:
    reviews = [review(None, 5.0, item=f"d{k}", shopper="ann", day=k / 24) for k in range(1, 6)]
    assert kinds(*reviews) == {MANY: 5}


def test_words_against_stars_and_strangers_are_flagged() -> None:
    assert kinds(review("Terrible, awful, broken, I hate it.", 5.0))[CONTRADICTS] == 1
    buyers = [review(None, 4.0, is_buyer=True) for _ in range(3)]
    assert kinds(*buyers, review(None, 4.0, is_buyer=False)) == {STRANGER: 1}


def test_quotes_are_masked_and_short() -> None:
    secret = "It runs small, write to ann.lee@example.com or 555-234-5678 about it. "
    said = book_of(*(review(secret + "x " * 5000, 2.0) for _ in range(3))).insight("d1").as_json()
    assert "ann.lee" not in json.dumps(said) and "555-234" not in json.dumps(said)
    assert "[email]" in said["suggestions"][0]["evidence"][0]["text"]


@pytest.mark.parametrize("rating", [None, 3.0])
@pytest.mark.parametrize("text", [None, "", "😀", "x" * 100_000, "<script>alert(1)</script>", "好 good 差"])
def test_odd_reviews_are_counted_and_stop_nothing(text: str | None, rating: float | None) -> None:
    said = book_of(review(text, rating)).insight("d1").as_json()
    assert said["n_reviews"] == 1 and "few" in said["degraded"]
    assert ("no_rating" in said["degraded"]) is (rating is None)


def test_a_summary_is_given_to_a_writer_one_fact_at_a_time() -> None:
    found = book_of(*(review("It runs small.", 2.0) for _ in range(3))).insight("d1")
    [subject] = review_subjects({"d1": found.summary}, "en")
    assert subject.keeps_facts and subject.facts[0] == "3 reviews, 2.0 of 5 on average."
    assert "Buyers complain of size and fit (3 of 3 reviews)." in subject.facts
    invented = "Buyers complain of size and fit (5 of 3 reviews)."
    assert EvidenceCheck().verdict(invented, subject.facts, alone=subject.keeps_facts).refusal
