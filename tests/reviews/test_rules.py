"""What the shipped reader makes of a text, in English and in Chinese."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.reviews.base import NOTHING_READ
from huaxiang.reviews.lexicon import aspect_name, aspects
from huaxiang.reviews.rules import RuleReader

READER = RuleReader()


@pytest.mark.parametrize(
    ("text", "judged"),
    [
        ("It runs small.", {"fit": -1}),
        ("尺码偏小。", {"fit": -1}),
        ("The colour is lovely but the fabric is thin.", {"colour": 1, "fabric": -1}),
        ("颜色很漂亮，但是面料太薄。", {"colour": 1, "fabric": -1}),
        ("Not comfortable at all.", {"comfort": -1}),
        ("穿着不舒服。", {"comfort": -1}),
        ("没有色差，质量很好。", {"colour": 1, "quality": 1}),
        ("The delivery, which I dreaded, was fast.", {"delivery": 1}),
        ("物流很快，就是客服态度差。", {"delivery": 1, "service": -1}),
        ("The zip sticks.", {"quality": -1}),
        ("It has a screen.", {"screen": 0}),
        ("Love it! 面料太薄了。", {"fabric": -1}),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else "",
)
def test_a_text_praises_and_blames_these_sides(text: str, judged: dict[str, int]) -> None:
    assert READER.read([text])[0].judged() == judged


@pytest.mark.parametrize(
    ("text", "is_praise"),
    [("Great, I love it.", True), ("很好，非常喜欢", True), ("Terrible. I want to return it.", False)]
    + [("太失望了，不推荐", False), ("not good", False), ("no problem, works great", True), ("不错", True)],
)
def test_the_score_has_the_sign_of_the_whole(text: str, is_praise: bool) -> None:
    assert (READER.read([text])[0].score > 0) is is_praise


@pytest.mark.parametrize("text", ["", "   ", "😀😀😀", "!!!"])
def test_a_text_without_words_says_nothing(text: str) -> None:
    assert READER.read([text]) == [NOTHING_READ]


def test_what_follows_a_but_weighs_more() -> None:
    first, second = READER.read(["Great but terrible.", "Terrible but great."])
    assert first.score < 0 < second.score


def test_every_aspect_has_a_name_in_both_languages() -> None:
    names = {aspect_name(aspect, language=language) for aspect in aspects() for language in ("en", "zh")}
    assert len(names) == 2 * len(aspects())


@given(st.text(max_size=300))
def test_any_text_is_read_and_every_mention_lies_in_its_sentence(text: str) -> None:
    [reading] = READER.read([text])
    assert -1 <= reading.score <= 1
    for mention in reading.mentions:
        assert 0 <= mention.sentence_start <= mention.start < mention.end <= mention.sentence_end <= len(text)


@pytest.mark.parametrize("piece", ["good fit ", "不好看", "<b>", "a", "尺码，", "but not "])
def test_a_text_of_a_hundred_thousand_characters_is_read_in_time(piece: str) -> None:
    started = time.process_time()
    READER.read([piece * (100_000 // len(piece))])
    assert time.process_time() - started < 20  # quadratic would take minutes
