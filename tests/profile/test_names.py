"""Values as people say them, in either language."""

from __future__ import annotations

import pytest

from boutique import CATALOGUE
from huaxiang.profile.names import value_name


@pytest.mark.parametrize(
    ("dimension", "value", "english", "chinese"),
    [
        ("brand", "Nike", "Nike", "耐克"),  # the shop's own word
        ("category", "teapot", "teapot", "茶壶"),  # the lexicon's, of what the shop doesn't sell
        ("price_limit", "<=10000 minor", "≤ 100 CNY", "≤ 100 CNY"),
        ("price_limit", "5050-8000 minor", "50.5–80 CNY", "50.5–80 CNY"),
        ("heel", "block", "block", "block"),
    ],
)
def test_values_are_said_in_the_readers_language(
    dimension: str, value: str, english: str, chinese: str
) -> None:
    said = [value_name(dimension, value, language=language, catalogue=CATALOGUE) for language in ("en", "zh")]
    assert said == [english, chinese]
