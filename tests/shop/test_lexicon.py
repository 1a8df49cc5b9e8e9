from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.shop.lexicon import Mention, load_lexicon

LEXICON = load_lexicon()


def meanings(text: str) -> list[tuple[str, str]]:
    return [(said.dimension, said.value) for said in LEXICON.find(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RED WOODEN BOX", [("colour", "red"), ("material", "wood"), ("category", "storage box")]),
        ("Infrared sensor, shredded", []),
        ("two mirrors", [("category", "mirror")]),
        ("t shirt, T-Shirts", [("category", "t-shirt"), ("category", "t-shirt")]),
        ("storage, box", [("category", "storage box"), ("category", "storage box")]),
        ("红色连衣裙", [("colour", "red"), ("category", "dress")]),
        ("我想要黑T恤", [("colour", "black"), ("category", "t-shirt")]),
        ("牛仔裤", [("category", "jeans")]),
        ("我明白了，真麻烦", []),
        ("", []),
    ],
)
def test_words_are_found_longest_first_and_on_their_boundaries(
    text: str, expected: list[tuple[str, str]]
) -> None:
    assert meanings(text) == expected


def test_a_mention_says_where_it_stands() -> None:
    assert LEXICON.find("a Navy Blue cap")[0] == Mention("colour", "blue", 2, 11)


def test_letters_that_grow_when_lowered_do_not_move_spans() -> None:
    said = LEXICON.find("İ red")[0]
    assert (said.start, said.end) == (2, 5)


def test_no_word_has_two_meanings() -> None:
    words = Counter(
        word.lower()
        for values in LEXICON.names.values()
        for by_language in values.values()
        for words in by_language.values()
        for word in {word.lower() for word in words}
    )
    assert [word for word, n in words.items() if n > 1] == []


def test_labels_are_said_in_each_language_and_unknown_values_as_they_are() -> None:
    assert LEXICON.label("colour", "red", language="zh") == "红色"
    assert LEXICON.label("brand", "Nike", language="zh") == "Nike"


def test_a_shops_own_names_are_found_too() -> None:
    assert LEXICON.with_values("brand", ["耐克"]).find("我买了耐克跑鞋")[0].value == "耐克"


@given(st.text(alphabet="red box红色盒子İ- ,", max_size=40))
def test_mentions_lie_inside_the_text_and_never_overlap(text: str) -> None:
    spans = [(said.start, said.end) for said in LEXICON.find(text)]
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(left[1] <= right[0] for left, right in zip(spans, spans[1:], strict=False))
