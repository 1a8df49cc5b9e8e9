"""What the pages say of a shop's events and values."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from boutique import CATALOGUE
from huaxiang.console.reading import _line, value_label
from huaxiang.records import Event, EventType

SHOP: Any = SimpleNamespace(serving=SimpleNamespace(model=SimpleNamespace(catalogue=CATALOGUE)))


@pytest.mark.parametrize(("language", "about"), [("en", "brand: Nike · likes"), ("zh", "品牌: 耐克 · 喜欢")])
def test_a_correction_is_told_in_the_readers_language(language: str, about: str) -> None:
    said = {"dimension": "brand", "value": "Nike", "side": "liked"}
    event = Event(event_id="1", shopper_id="s-1", type=EventType.CORRECT, context=said)
    assert _line(SHOP, event, language).about == about


@pytest.mark.parametrize(
    ("language", "label"), [("en", "price limit: ≤ 100 CNY"), ("zh", "价格上限: ≤ 100 CNY")]
)
def test_a_price_limit_is_told_in_whole_units(language: str, label: str) -> None:
    assert value_label(SHOP, "price_limit", "<=10000 minor", language=language) == label
