"""Texts cut into terms, in two languages at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.search.tokens import terms, tokens


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Running shoes", "running shoe"),
        ('12" pipe', "12 inch pipe"),
        ("12-ft cord", "12 feet cord"),
        ("Crème brûlée", "creme brulee"),
        ("ＮＩＫＥ ５００", "nike 500"),
        ("500毫升", "500 ml"),
        ("men’s", "men's"),
    ],
)
def test_what_means_the_same_has_the_same_terms(one: str, other: str) -> None:
    assert terms(one) == terms(other)


def test_in_between_words_is_no_inch() -> None:
    assert terms("chair in oak") == ["chair", "oak"]
    assert terms("3 in chair") == ["3", "in.", "chair"]


def test_both_languages_are_cut_in_one_text() -> None:
    found = terms("Nike 跑步鞋 size 42")
    assert (found[0], found[-2:]) == ("nike", ["size", "42"])
    assert "跑步" in "".join(found)


@given(st.text(max_size=200))
def test_any_text_has_tokens_where_they_say(text: str) -> None:
    for token in tokens(text):
        assert 0 <= token.start < token.end <= len(text)
        assert token.term
