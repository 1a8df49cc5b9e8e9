"""The report says everything in both languages, and switches between them by itself."""

from __future__ import annotations

import re
from typing import Any

import pytest

from huaxiang.evaluate.report import REMOVAL, report_html
from huaxiang.notes import note

FIGURE = {"mean": 0.2, "low": 0.1, "high": 0.3}
MODEL = {
    "name": "popular",
    "uses": ["ids", "text"],
    "is_best": True,
    "train_s": 1.0,
    "rank_s": 0.1,
    "test": {"ndcg@10": FIGURE},
    "lists": {"taken": 0.1, "coverage": 0.2, "variety": 0.3, "novelty": 4.0, "calibration": None},
}


def facts(**more: Any) -> dict[str, Any]:
    """Return the least that a report is made of, and `more`."""
    return {
        "shop": "Boutique",
        "sums": {
            "lines_read": 1,
            "events": 1,
            "set_aside": {},
            "quarantined": {},
            "shoppers": 1,
            "anonymous_sessions": 0,
            "items": 1,
        },
        "guesses": [],
        "built_at": "2026-01-31 12:00 UTC",
        "hardware": "2 cores",
        "version": "0.1",
        "split": note("split_by_time", kinds="purchase", day="2026-01-01"),
        "parts": {"new": {"n_shoppers": 1, "models": [MODEL], "against_members": {}}},
        **more,
    }


def said_in(page: str, language: str) -> str:
    """Return what the page shows in one language, and nothing else."""
    other = {"en": "zh", "zh": "en"}[language]
    body = re.sub(rf'<(\w+) class="{other}"[^>]*>.*?</\1>', "", page[page.index("<body>") :], flags=re.DOTALL)
    return re.sub(r"<[^>]+>", "|", body)


def test_how_it_was_held_out_is_said_in_both_languages() -> None:
    page = report_html(facts())
    assert "Held out: by time: purchase from 2026-01-01 on." in said_in(page, "en")
    assert "留出：按时间：2026-01-01 起的购买；" in said_in(page, "zh")
    assert "by time" not in said_in(page, "zh")


def test_what_was_left_out_is_said_in_both_languages() -> None:
    page = report_html(facts(guesses=[note("left_out", name="ease", n_items=9, limit=5)]))
    assert "ease left out: 9 items are more than its 5" in said_in(page, "en")
    assert "未使用 ease：9 件商品超过其上限 5" in said_in(page, "zh")
    assert "left out" not in said_in(page, "zh")


def test_what_models_read_is_said_in_both_languages() -> None:
    page = report_html(facts())
    assert "|ids, text|" in said_in(page, "en")
    assert "|商品编号、文本|" in said_in(page, "zh")


@pytest.mark.parametrize("name", REMOVAL)
def test_each_test_of_evidence_is_named_in_both_languages(name: str) -> None:
    page = report_html(facts(removal={name: {"share": 0.5, "n": 2}}))
    assert f"|{name}|" in said_in(page, "en")
    assert f"|{REMOVAL[name]}|" in said_in(page, "zh")
    assert name not in said_in(page, "zh")


def group(english: str, chinese: str) -> dict[str, Any]:
    return {"name": english, "names": {"en": english, "zh": chinese}, "n": 30, "models": {"popular": 0.2}}


def place(english: str, chinese: str) -> dict[str, Any]:
    return {"name": english, "names": {"en": english, "zh": chinese}, "x": 0.1, "y": 0.2}


PICTURED = {
    "by_popularity": [group("never seen", "从未出现")],
    "by_category": [group(f"bag & {n}", f"包 & {n}") for n in range(8)],
    "map": {
        "groups": [{**place("vase", "花瓶"), "x": [0.1], "y": [0.3]}],
        "events": {"x": [], "y": []},
        "interests": [place("blue shorts", "蓝色短裤")],
    },
    "fusion": {"text": 0.4, "image": 0.6},
    "curves": {"sequence": [{"epoch": n, "loss": 1.0, "metric": 0.1} for n in (1, 2)]},
    "calibration": [{"claimed": 0.1, "happened": 0.2}],
}
LABELS = (
    ("never seen", "从未出现"),
    ("bag &amp; 7", "包 &amp; 7"),
    ("vase", "花瓶"),
    ("blue shorts", "蓝色短裤"),
    ("image", "图像"),
    ("epoch", "轮次"),
    ("validation", "验证"),
    ("claimed share", "声称的占比"),
)


@pytest.fixture(scope="module")
def pictured() -> str:
    """Return a page with every kind of picture."""
    return report_html(facts(**PICTURED))


@pytest.mark.parametrize(("english", "chinese"), LABELS)
def test_pictures_are_labelled_in_the_readers_language(pictured: str, english: str, chinese: str) -> None:
    for language, shown, hidden in (("en", english, chinese), ("zh", chinese, english)):
        assert f"|{shown}|" in said_in(pictured, language)
        assert f"|{hidden}|" not in said_in(pictured, language)


def test_a_picture_is_drawn_once_for_both_languages(pictured: str) -> None:
    assert pictured.count("<svg") == len(PICTURED)


def test_groups_of_runs_that_knew_one_name_are_called_by_it() -> None:
    older = {name: value for name, value in group("never seen", "").items() if name != "names"}
    page = report_html(facts(by_popularity=[older]))
    assert "|never seen|" in said_in(page, "en")
    assert "|never seen|" in said_in(page, "zh")
