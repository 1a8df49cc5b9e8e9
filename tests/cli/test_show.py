"""What the terminal draws, in the reader's language."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.console import Console

from boutique import CATALOGUE, diary
from huaxiang.cli.show import show_profile, show_slate
from huaxiang.notes import note
from huaxiang.profile.weights import Config
from huaxiang.records import Profile, Slate


def drawn(profile: Profile, language: str) -> str:
    console = Console(width=160)
    with console.capture() as shown:
        show_profile(console, profile, CATALOGUE, language=language)
    return shown.get()


@pytest.mark.parametrize(
    ("language", "name", "title"), [("en", "red Running Shoes", " runner"), ("zh", "红色跑步鞋", "商品")]
)
def test_interests_and_their_items_are_named_in_the_readers_language(
    language: str, name: str, title: str
) -> None:
    made = diary(*[(n, "purchase", item) for n, item in enumerate((3, 4, 3, 4))])
    shown = drawn(made.derived(config=Config(interests=1)).profile, language)
    [row] = [line for line in shown.splitlines() if name in line and line.startswith("│") and "1.00" in line]
    assert title in row


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "degraded: 3 texts or photos are not read yet"), ("zh", "降级: 3 条文字或照片尚未读取")],
)
def test_notes_are_said_in_the_readers_language(language: str, said: str) -> None:
    notes = (note("not_read_yet", n=3),)
    console = Console(width=160)
    with console.capture() as shown:
        slate = Slate(shopper_id=None, model="m", slate_id="s", items=(), degraded=notes)
        show_slate(console, slate, language=language)
    assert said in shown.get()
    assert said in drawn(replace(diary((1, "purchase", 0)).derived().profile, degraded=notes), language)
