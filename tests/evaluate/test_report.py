"""The report says everything in both languages, and switches between them by itself."""

from __future__ import annotations

import re
from typing import Any

from huaxiang.evaluate.report import report_html
from huaxiang.notes import note

FIGURE = {"mean": 0.2, "low": 0.1, "high": 0.3}
MODEL = {
    "name": "popular",
    "uses": ["events"],
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
