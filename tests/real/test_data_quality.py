"""The public reviews, checked whole: known faults are found, and personal data is masked."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from huaxiang.shop.quality.cleaning import Cleaned, Config, clean
from huaxiang.shop.quality.given import guessed_text_columns, read_given

pytestmark = [pytest.mark.real, pytest.mark.slow]


def counts(cleaned: Cleaned) -> dict[str, int]:
    return dict(cleaned.findings["kind"].value_counts().iter_rows())


def test_chinese_reviews_of_ten_categories(shared_data: Path) -> None:
    given = read_given(shared_data / "reviews" / "online_shopping_10_cats.csv.gz")
    cleaned = clean(given, Config(texts=("review",), label="label"))
    found = counts(cleaned)
    assert (found["byte_order_mark"], found["email"]) == (15, 5)
    assert found["phone"] >= 25
    assert found["duplicate"] + found["near_duplicate"] >= 390
    assert cleaned.languages["review"]["zh"] > 53_000
    like_a_mobile = r"(?:^|[^0-9A-Za-z])1[3-9]\d{9}(?:[^0-9A-Za-z]|$)"
    reviews = cleaned.frame["review"].drop_nulls()
    (left,) = reviews.filter(reviews.str.contains(like_a_mobile))
    assert "订单号" in left  # the number of an order
    assert cleaned.judged is not None
    assert cleaned.judged.accuracy > 0.92
    assert 500 < len(cleaned.judged.doubts) < 2_500


def test_english_reviews_of_clothing(shared_data: Path) -> None:
    given = read_given(shared_data / "reviews" / "womens_clothing.csv.gz")
    assert guessed_text_columns(given) == ("Review Text",)
    cleaned = clean(given, Config(texts=("Review Text",), numbers=("Age", "Rating")))
    found = counts(cleaned)
    assert (found["empty"], found["markup"]) == (845, 53)
    assert not {"email", "phone", "id", "address"} & set(found)  # sizes and heights are none
    assert (
        cleaned.frame.height
        == pl.read_csv(shared_data / "reviews/womens_clothing.csv.gz", columns=[0]).height
    )
