"""Price limits in both languages, and numbers that are none."""

from __future__ import annotations

import pytest

from huaxiang.profile.prices import find_price_limit, price_limit_of


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("running shoes under 100", "<=10000 minor"),
        ("under $1,299.50 please", "<=129950 minor"),
        ("no more than 80 euros", "<=8000 minor"),
        ("I don't want to spend more than 60", "<=6000 minor"),
        ("budget of 2k", "<=200000 minor"),
        ("between 50 and 80", "5000-8000 minor"),
        ("from £20 to £30", "2000-3000 minor"),
        ("£20-£30", "2000-3000 minor"),
        ("at least 40 dollars", ">=4000 minor"),
        ("50 or less", "<=5000 minor"),
        ("around 100", "8000-12000 minor"),
        ("我想要一双跑步鞋，500元以内", "<=50000 minor"),
        ("不超过300", "<=30000 minor"),
        ("不要超过三百块", "<=30000 minor"),
        ("五百以下的背包", "<=50000 minor"),
        ("预算一千二", "<=120000 minor"),
        ("200到300元之间", "20000-30000 minor"),
        ("两百元以上", ">=20000 minor"),
        ("一百五左右", "12000-18000 minor"),
        ("1.5万以内", "<=1500000 minor"),
        ("５００元以内", "<=50000 minor"),
    ],
)
def test_price_limits_are_found(text: str, value: str) -> None:
    limit = find_price_limit(text)
    assert limit is not None
    assert limit.as_value() == value


@pytest.mark.parametrize(
    "text",
    [
        "a size 42 shoe",
        "more than 3 colours",
        "2 to 3 days",
        "under 30 cm",
        "红色的裙子",
        "3个以上",
        "20寸以内",
        "",
        "0元以内",
    ],
)
def test_other_numbers_are_no_price(text: str) -> None:
    assert find_price_limit(text) is None


def test_the_words_are_the_evidence() -> None:
    text = "我想要一双跑步鞋，500元以内，红色"
    limit = find_price_limit(text)
    assert limit is not None and text[limit.start : limit.end] == "500元以内"


def test_a_named_currency_is_kept_and_the_shops_own_is_not() -> None:
    assert find_price_limit("50欧元以内").currency == "EUR"
    assert find_price_limit("50元以内").currency is None


def test_yen_have_no_minor_unit() -> None:
    assert find_price_limit("5000日元以内").max_minor == 5000


@pytest.mark.parametrize("value", ["<=50000 minor", ">=100 minor", "5-8 minor"])
def test_values_read_back(value: str) -> None:
    assert price_limit_of(value).as_value() == value
    assert price_limit_of("red") is None
