"""The page says everything in both languages and shows nothing personal."""

from __future__ import annotations

import re

import pytest

from huaxiang.shop.quality.cleaning import Config, clean
from huaxiang.shop.quality.findings import DONE, KINDS
from huaxiang.shop.quality.report import facts_of, report_html
from shop.quality.dirty import SOFT, table

HAN = re.compile("[\u4e00-\u9fff]")


def page_of(*texts: str | None) -> str:
    cleaned = clean(table([*texts]), Config(texts=("text",)))
    facts = {"tables": [facts_of(cleaned, name="reviews.csv")], "seed": 7, "seconds": 1.0, "version": "0"}
    return report_html({**facts, "assumed": [{"en": "texts are in text", "zh": "文本列为 text"}]})


def said_in(page: str, language: str) -> str:
    other = {"en": "zh", "zh": "en"}[language]
    body = re.sub(rf'<span class="{other}">.*?</span>', "", page[page.index("</header>") :], flags=re.DOTALL)
    return re.sub(r"<[^>]+>", "|", body)


def test_each_language_says_all_and_nothing_of_the_other() -> None:
    page = page_of("cafÃ© a@b.com", SOFT, SOFT)
    assert not HAN.search(said_in(page, "en"))
    assert "编码错误造成的乱码" in said_in(page, "zh")
    for english in ("rows read", "mended", "listed", "Assumed"):
        assert f"|{english}" in said_in(page, "en")
        assert english not in said_in(page, "zh")


@pytest.mark.parametrize("words", [*KINDS.values(), *DONE.items()])
def test_every_kind_is_said_in_both_languages(words: tuple[str, str]) -> None:
    assert not HAN.search(words[0])
    assert HAN.search(words[1])


def test_what_is_shown_is_masked_and_escaped() -> None:
    page = page_of("<b>x</b> 5 < 6 <script a@b.com", "plain words")
    assert "a@b.com" not in page
    assert "&lt;script" in page


def test_a_clean_table_says_so() -> None:
    assert "|Nothing.|" in said_in(page_of("a red hat", "a blue cap"), "en")
