"""What is read out of a query."""

from __future__ import annotations

import pytest

from boutique import CATALOGUE
from huaxiang.errors import InputError
from huaxiang.profile.values import values_of
from huaxiang.search.spelling import Vocabulary
from huaxiang.search.understand import LONGEST, Understood, understand

VALUES = values_of(CATALOGUE)
WORDS = Vocabulary.of(CATALOGUE.titles["en"])


def read(text: str, *, verbatim: bool = False) -> Understood:
    return understand(
        text,
        values=VALUES,
        vocabulary=WORDS,
        is_word=lambda word: False,
        verbatim=verbatim,
        currency="CNY",
    )


def names(found: Understood, kind: str = "wanted") -> list[str]:
    return [VALUES.names[one.values[0]] for one in getattr(found, kind)]


def test_a_query_names_values_and_a_price() -> None:
    found = read("red dress under 100")
    assert names(found) == ["red", "Dresses"]
    assert (found.min_minor, found.max_minor) == (None, 10_000)
    assert found.core == "red dress"


def test_chinese_and_english_are_read_in_one_query() -> None:
    found = read("红色 nike 鞋 500元以内 不要皮革")
    assert names(found)[:2] == ["red", "Nike"]
    assert names(found, "refused") == ["leather"]
    assert found.max_minor == 50_000
    assert "皮革" not in found.core


def test_values_are_also_looked_for_under_their_names_in_other_languages() -> None:
    assert any("红色" in wording for wording in read("red boots").wordings)
    assert any("red" in wording for wording in read("红色靴子").wordings)


def test_a_mistake_is_corrected_unless_the_words_are_meant_so() -> None:
    assert read("red drss").searched == "red dress"
    assert read("red drss", verbatim=True).searched == "red drss"


def test_a_name_of_the_lexicon_is_no_mistake() -> None:
    assert read("sneakers").searched == "sneakers"


def test_a_price_in_another_currency_is_not_taken_for_one_of_the_shop() -> None:
    found = read("dress under 50 euros")
    assert (found.max_minor, found.currency) == (None, "EUR")


def test_a_query_of_nothing_but_a_price_keeps_its_words() -> None:
    assert read("under 100").core == "under 100"


@pytest.mark.parametrize("text", ["", "   ", "!!!", "🎉🎉", "<b></b>"])
def test_a_query_without_words_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="no letter or digit"):
        read(text)


def test_a_query_of_a_page_is_refused_with_its_limit() -> None:
    with pytest.raises(InputError, match=f"at most {LONGEST}"):
        read("a" * 10_000)
