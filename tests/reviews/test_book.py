"""Sums that come and go with reviews."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from huaxiang.reviews.base import Review
from reviews.few_reviews import Shelves, book_of, review

TEXTS = ("It runs small.", "Lovely colour.", "面料太薄了。", None, "", "😀", "great")


def some(n: int = 12) -> list[Review]:
    return [
        review(TEXTS[k % len(TEXTS)], [None, 1.0, 5.0][k % 3], item=("d1", "d2", "m1")[k % 3], day=k)
        for k in range(n)
    ]


@settings(deadline=None, max_examples=30)
@given(kept=st.sets(st.integers(0, 11)))
def test_a_review_that_is_gone_leaves_what_there_would_be_without_it(kept: set[int]) -> None:
    reviews = some()
    forgotten = book_of(*reviews)
    forgotten.insight("d1")
    forgotten.keep_only({reviews[row].position for row in kept})
    fresh = book_of(*(reviews[row] for row in sorted(kept)))
    for item in ("d1", "d2", "m1"):
        assert forgotten.insight(item).as_json() == fresh.insight(item).as_json()


@settings(deadline=None, max_examples=20)
@given(st.permutations(range(12)))
def test_the_order_in_which_reviews_come_changes_nothing(order: list[int]) -> None:
    reviews = some()
    book = book_of()
    for row in order:
        book.add([reviews[row]])
    assert book.insight("d1").as_json() == book_of(*reviews).insight("d1").as_json()


def test_a_review_is_counted_once() -> None:
    one = review("It runs small.", 2.0)
    book = book_of(one)
    book.add([one])
    assert len(book) == 1 and book.tally_of("d1").n_reviews == 1


def test_a_new_review_is_in_the_next_answer() -> None:
    book = book_of(review("Lovely colour.", 5.0))
    assert book.insight("d1").tally.n_reviews == 1
    book.add([review("It runs small.", 1.0)])
    assert book.insight("d1").tally.aspects["fit"].n_negative == 1


def test_an_item_is_compared_with_the_others_of_its_category_only() -> None:
    book = book_of(*(review(None, 5.0, item="d2") for _ in range(3)), review(None, 1.0, item="m1"))
    assert book.insight("d1").category_stars == 5.0
    assert book.insight("m1").category_stars is None


def test_an_item_without_reviews_says_so_in_both_languages() -> None:
    said = book_of().insight("d1").as_json()
    assert said["n_reviews"] == 0 and said["degraded"] == ["none"] and said["mean_rating"] is None
    assert said["summary"]["en"][0]["text"] == "Nobody has reviewed this item yet."
    assert said["summary"]["zh"][0]["text"] == "这件商品还没有评价。"
    assert Shelves().title("d1", language="en") == said["title"]
