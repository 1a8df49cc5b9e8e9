"""Queries and titles are read as words that can be compared."""

from __future__ import annotations

import pytest

from huaxiang.search.learnt.spelling import Speller
from huaxiang.search.learnt.wording import head_of, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("4x8 plywood", "4 x 8 plywood"),
        ("4*8 plywood", "4 x 8 plywood"),
        ("4 by 8 plywood", "4 x 8 plywood"),
        ("3/4 in. pipe", "3/4 in pipe"),
        ('3/4" pipe', "3/4 in pipe"),
        ("1-1/2 inch pipe", "1 1/2 in pipe"),
        ("5-gal. bucket", "5 gal bucket"),
        ("12 Foot ladder", "12 ft ladder"),
        ("10,000 BTU", "10000 btu"),
        ("M18 drill", "m18 drill"),
        ("Tom's &amp; Jane's", "toms and janes"),
        ("½ in. nut", "1/2 in nut"),
        ("红色 连衣裙", "红色 连衣裙"),
        ("...", ""),
    ],
)
def test_the_same_thing_is_written_one_way(text: str, words: str) -> None:
    assert words_of(text) == words.split()


@pytest.mark.parametrize(
    ("title", "head"),
    [
        ("12-Gauge Angle", "angle"),
        ("Wall Bracket for 32 in. TV", "bracket"),
        ("Faucet in Chrome", "faucet"),
        ("Faucet Chrome", "faucet"),
        ("3 in. x 8 ft.", ""),
    ],
)
def test_the_head_is_what_a_title_names(title: str, head: str) -> None:
    assert head_of(words_of(title)) == head


SPELLER = Speller({"lawn": 50, "sprinkler": 9, "air": 40, "conditioner": 30, "dishwasher": 60, "dish": 1})


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("sprkinler", "sprinkler"),
        ("lawns", "lawns"),
        ("airconditioner", "air conditioner"),
        ("dish washer", "dishwasher"),
        ("zzzzzz", "zzzzzz"),
        ("law", "law"),
    ],
)
def test_a_misspelt_word_becomes_one_of_the_catalogue(written: str, meant: str) -> None:
    assert SPELLER.mended(written.split()) == meant.split()
