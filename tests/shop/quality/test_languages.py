"""The language of a text is told by script and common words."""

from __future__ import annotations

import pytest

from huaxiang.shop.quality.languages import language_of, usual_language

TOLD = {
    "红色连衣裙，很好看": "zh",
    "iPhone 15 手机壳，透明的，质量不错": "zh",
    "Soft red dress": "en",
    "it's lovely & fits well 👗": "en",
    "Las Vegas poster": "en",
    "非常好 I love this dress so much 下次再来": "mixed",
    "La robe est très belle et les couleurs sont vives": "other",
    "このドレスはとても素敵です": "other",
    "Очень красивое платье": "other",
    "原피스 예뻐요": "other",
    "": "other",
    "12 × 30": "other",
    "👍👍👍": "other",
}


@pytest.mark.parametrize(("text", "language"), TOLD.items())
def test_language_is_told(text: str, language: str) -> None:
    assert language_of(text) == language


def test_another_language_is_never_the_usual_one() -> None:
    assert usual_language({"other": 99, "en": 1}) is None
