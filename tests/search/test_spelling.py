"""Misspelt words, and words that only look so."""

from __future__ import annotations

import pytest

from huaxiang.search.spelling import Vocabulary, corrected

WORDS = Vocabulary.of(["Running shoes", "Running socks", "Trail backpack", "Soda glass", "红色双肩包"])


def meant(text: str, *, known: str = "") -> str:
    return corrected(text, WORDS.corrections(text, is_word=lambda word: word in known.split()))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("runing shoos", "running shoes"),
        ("bakcpack", "backpack"),
        ("Runningsocks", "running socks"),
        ("shoes", "shoes"),
        ("XL", "XL"),
        ("rnng", "rnng"),
        ("红色双肩抱", "红色双肩抱"),
        ("ab12cd", "ab12cd"),
    ],
    ids=["one letter", "two swapped", "run together", "right", "short", "too far", "Chinese", "a code"],
)
def test_a_word_is_read_as_the_nearest_of_the_catalogue(written: str, read: str) -> None:
    assert meant(written) == read


def test_a_word_of_the_language_is_no_mistake() -> None:
    assert meant("sofa") == "soda"
    assert meant("sofa", known="sofa") == "sofa"


def test_of_words_as_near_the_more_frequent_is_meant() -> None:
    words = Vocabulary.of(["boots", "boots", "books"])
    assert words.nearest("booxs") == "boots"


def test_words_of_new_items_count() -> None:
    assert WORDS.nearest("umbrela") is None
    assert WORDS.with_texts(["Umbrella"]).nearest("umbrela") == "umbrella"


def test_a_long_word_is_answered_quickly_enough_to_be_asked() -> None:
    assert WORDS.nearest("x" * 400) is None
