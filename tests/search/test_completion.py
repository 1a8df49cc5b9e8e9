"""Ways to finish a query."""

from __future__ import annotations

from huaxiang.search.completion import Completions
from huaxiang.search.index import SearchIndex
from huaxiang.search.lexical import LexicalIndex
from huaxiang.search.spelling import Vocabulary
from huaxiang.search.tokens import terms

TITLES = ["Red running shoes", "Red running socks", "Blue rug", "红色跑步鞋", "红色地毯"]
COMPLETIONS = Completions.of({"category": {"running shoes": 2, "跑步鞋": 1, "rug": 1}}, TITLES)
INDEX = SearchIndex(
    lexical=LexicalIndex.of([terms(title) for title in TITLES]),
    vocabulary=Vocabulary.of(TITLES),
    completions=COMPLETIONS,
)


def suggested(typed: str, k: int = 8) -> list[str]:
    return [one.text for one in INDEX.suggest(typed, k=k)]


def test_kinds_of_things_come_before_words_of_titles() -> None:
    assert suggested("ru")[:2] == ["running shoes", "rug"]


def test_the_last_word_is_finished_where_nothing_begins_like_the_whole() -> None:
    assert suggested("blue ru") == ["blue rug"]


def test_what_would_find_nothing_is_not_suggested() -> None:
    assert "blue running shoes" not in suggested("blue ru")


def test_chinese_is_finished_too() -> None:
    assert "跑步鞋" in suggested("跑")


def test_what_is_typed_already_is_no_suggestion() -> None:
    assert suggested("rug") == []


def test_nothing_begins_like_this() -> None:
    assert suggested("zzz") == []
