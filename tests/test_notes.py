"""Notes on what is not as it should be: whatever the code can say, it can say in Chinese."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

import huaxiang
from huaxiang.notes import FORMS, note, spoken

SOURCE = Path(huaxiang.__file__).parent
CHINESE = re.compile("[\u4e00-\u9fff]")


def parts_of(form: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(form) if name is not None}


def sources(*, but: str = "") -> list[tuple[str, str]]:
    files = [(path.relative_to(SOURCE).as_posix(), path) for path in sorted(SOURCE.rglob("*.py"))]
    return [(name, path.read_text(encoding="utf-8")) for name, path in files if name != but]


@pytest.mark.parametrize("name", FORMS)
def test_a_form_says_the_same_in_chinese(name: str) -> None:
    english, chinese = FORMS[name]
    assert CHINESE.search(chinese)
    assert not CHINESE.search(english)
    assert parts_of(chinese) == parts_of(english)


@pytest.mark.parametrize("name", FORMS)
def test_every_note_is_found_again_and_said_in_chinese(name: str) -> None:
    english, chinese = FORMS[name]
    parts = {part: f"p{number}" for number, part in enumerate(sorted(parts_of(english)))}
    made = note(name, **parts)
    assert spoken(made, language="en") == made == english.format(**parts)
    assert spoken(made, language="zh") == chinese.format(**parts)


def test_every_note_that_the_code_makes_has_a_form_and_every_form_is_made() -> None:
    made = {name for _, text in sources() for name in re.findall(r"\bnote\(\s*\"(\w+)\"", text)}
    assert made == set(FORMS)


def test_a_note_is_made_of_a_form_alone() -> None:
    """What is told apart from other words by type, the type checker keeps apart: nothing may go round it."""
    another_maker = r"\bNote\(|\bcast\(\"?Note\b|(?<![\w.])(?<!def )note\((?!\s*\")"
    not_typed = r"\b(degraded_?|notes): (tuple|Sequence|list)\[str|\bproblems: \w+\[int, str"
    shapes = ("serve/answer_shapes.py", "serve/review_shapes.py")
    outside = ("client/", *shapes, "serve/writer.py")  # of JSON, and notes of another kind
    found = [
        (name, made.group())
        for name, text in sources(but="notes.py")
        if not name.startswith(outside)
        for made in re.finditer(f"{another_maker}|{not_typed}", text)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("the photo was not used: photo is missing", "未使用照片：照片缺失"),
        ("no consent for recommend; popular items", "顾客未授权用于推荐，列出热门商品"),
        ("by time: add_to_cart and purchase from 2025-06-19 on", "按时间：2025-06-19 起的加入购物车或购买"),
        ("what a later release says", "what a later release says"),
    ],
)
def test_parts_are_said_in_chinese_too(english: str, chinese: str) -> None:
    assert spoken(english, language="zh") == chinese
