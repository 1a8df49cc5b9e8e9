"""What texts ask for and refuse, in both languages."""

from __future__ import annotations

import pytest

from boutique import POPULATION
from huaxiang.profile.acts import DISLIKED
from huaxiang.profile.wishes import is_chinese, read_wishes

VALUES = POPULATION.values


def said(text: str) -> set[str]:
    """Return values asked for, and those refused with a minus."""
    wishes = read_wishes(text, VALUES.words, things=VALUES.things).wishes
    return {"-" * (wish.side == DISLIKED) + VALUES.names[value] for wish in wishes for value in wish.values}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("red running shoes", {"red", "Running Shoes"}),
        ("a dress", {"Dresses"}),
        ("Nike boots", {"Nike", "Boots"}),
        ("no leather", {"-leather"}),
        ("no leather or wool", {"-leather", "-wool"}),
        ("boots without leather, red", {"Boots", "-leather", "red"}),
        ("red but not blue", {"red", "-blue"}),
        ("not blue, red please", {"-blue", "red"}),
        ("I don't like red, I want blue shoes from Nike", {"-red", "blue", "Nike"}),
        ("no leather boots", {"-leather"}),
        ("I hate boots", {"-Boots"}),
        ("anything but black", {"-black"}),
        ("not too red", {"red"}),
        ("leather-free boots", {"-leather", "Boots"}),
        ("我想要一双跑步鞋", {"Running Shoes"}),
        ("耐克的红色靴子", {"Nike", "red", "Boots"}),
        ("不要皮革", {"-leather"}),
        ("不要皮革和羊毛", {"-leather", "-wool"}),
        ("不喜欢红色，喜欢蓝色", {"-red", "blue"}),
        ("不要红色的裙子", {"-red"}),
        ("红色不要，要蓝色的背包", {"-red", "blue", "Backpacks"}),
        ("红色不要蓝色", {"red", "-blue"}),
        ("除了黑色都可以", {"-black"}),
        ("有没有红色的背包", {"red", "Backpacks"}),
        ("对羊毛过敏，要棉的", {"-wool", "cotton"}),
        ("我不介意红色", {"red"}),
        ("明白", set()),
        ("", set()),
    ],
)
def test_wishes_and_refusals(text: str, expected: set[str]) -> None:
    assert said(text) == expected


def test_spans_are_the_words() -> None:
    text = "我想要耐克跑步鞋，不要红色"
    wishes = read_wishes(text, VALUES.words, things=VALUES.things).wishes
    assert [text[wish.start : wish.end] for wish in wishes] == ["耐克", "跑步鞋", "红色"]


def test_one_character_makes_it_chinese() -> None:
    assert is_chinese("Nike 鞋") and not is_chinese("Nike")
