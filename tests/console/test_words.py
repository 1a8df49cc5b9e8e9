from __future__ import annotations

import re
from pathlib import Path

import pytest

import huaxiang.console
from huaxiang.console.sign_in import sign_in_page
from huaxiang.console.words import keys, word
from huaxiang.notes import EVENT_TYPES, PURPOSES
from huaxiang.records import EventType
from huaxiang.serve import settings

PAGES = Path(huaxiang.console.__file__).parent


def test_every_word_is_there_in_both_languages() -> None:
    for key in keys():
        assert word(key, "en") != word(key, "zh")
        assert re.search("[一-鿿]", word(key, "zh"))


def test_every_word_that_a_page_says_is_known() -> None:
    said = {key for page in PAGES.glob("*.py") for key in re.findall(r'say\("(\w+)"\)', page.read_text())}
    assert said <= set(keys())


def test_every_kind_of_event_has_a_chinese_name() -> None:
    assert set(EVENT_TYPES) == {str(kind) for kind in EventType}


def test_purposes_are_called_alike_in_notes_and_on_pages() -> None:
    assert PURPOSES == {purpose: word(purpose, "zh") for purpose in settings.PURPOSES}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_sign_in_page_repeats_nothing_that_was_typed(language: str) -> None:
    page = sign_in_page(language, is_refused=True)
    assert "role=alert" in page
    assert "value=" not in page
