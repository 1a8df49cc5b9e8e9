"""The index of words: what it scores, what lies beside it, and its way to the disk."""

from __future__ import annotations

from pathlib import Path

import bm25s
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.errors import ArtefactError
from huaxiang.search.lexical import K1, B, LexicalIndex

DOCUMENTS = [["red", "dress"], ["blue", "dress", "dress"], ["mug"], []]
words = st.lists(st.sampled_from(["red", "blue", "dress", "mug", "hat"]), max_size=6)


def test_an_item_with_every_word_scores_above_one_with_some() -> None:
    scores = LexicalIndex.of(DOCUMENTS).scores(["red", "dress"])
    assert scores.argsort()[::-1].tolist()[:2] == [0, 1]
    assert scores[2] == scores[3] == 0


def test_scores_are_those_of_bm25_over_what_the_query_could_have_at_most() -> None:
    index, query = LexicalIndex.of(DOCUMENTS), ["red", "dress"]
    reference = bm25s.BM25(k1=K1, b=B, method="lucene")
    reference.index(DOCUMENTS, show_progress=False, leave_progress=False)
    most = sum(index.idf(term) for term in query)
    np.testing.assert_allclose(index.scores(query), reference.get_scores(query) / most, rtol=1e-5)


def test_a_word_that_no_item_has_leaves_the_others_a_smaller_share() -> None:
    index = LexicalIndex.of(DOCUMENTS)
    assert 0 < index.scores(["red", "unicorn"])[0] < index.scores(["red"])[0]


def test_a_word_counts_once_and_as_much_as_it_tells() -> None:
    covered = LexicalIndex.of(DOCUMENTS).covered(["dress", "dress", "mug", "unicorn"])
    assert covered[0] == covered[1] and covered[3] == 0  # twice "dress" is no more than once
    assert covered[2] > covered[1]  # fewer items have "mug"
    assert covered[1] + covered[2] == pytest.approx(1)  # what no item has counts for none


@given(st.lists(words, min_size=1, max_size=6), words)
def test_an_item_beside_the_index_covers_as_one_in_it(documents: list[list[str]], query: list[str]) -> None:
    index = LexicalIndex.of(documents)
    beside = index.with_items(dict(enumerate(documents)))
    np.testing.assert_allclose(beside.covered(query), index.covered(query), rtol=1e-6)


@given(st.lists(words, min_size=1, max_size=6), words)
def test_an_item_beside_the_index_scores_as_one_in_it(documents: list[list[str]], query: list[str]) -> None:
    index = LexicalIndex.of(documents)
    beside = index.with_items({0: documents[0]})
    np.testing.assert_allclose(beside.scores(query), index.scores(query), atol=1e-6)


def test_a_changed_item_is_found_by_its_new_words_and_not_by_its_old() -> None:
    changed = LexicalIndex.of(DOCUMENTS).with_items({0: ["mug", "green"]})
    assert changed.scores(["red"])[0] == 0
    assert changed.scores(["green"])[0] > 0
    assert changed.n_with_all(["mug", "green"]) == 1


def test_an_index_says_when_too_much_lies_beside_it() -> None:
    index = LexicalIndex.of(DOCUMENTS)
    assert not index.with_items({0: ["mug"]}).is_outgrown
    assert index.with_items({row: ["mug"] for row in range(1_001)}).is_outgrown


@pytest.mark.parametrize("documents", [DOCUMENTS, [[], []], []], ids=["some", "empty texts", "no items"])
def test_an_index_reads_back_equal(documents: list[list[str]], tmp_path: Path) -> None:
    index = LexicalIndex.of(documents)
    index = index.with_items({len(documents): ["hat"]}) if documents == DOCUMENTS else index
    index.save(tmp_path)
    again = LexicalIndex.load(tmp_path)
    for query in (["red", "dress"], ["hat"], ["unicorn"]):
        np.testing.assert_array_equal(again.scores(query), index.scores(query))


def test_a_damaged_index_says_what_to_do(tmp_path: Path) -> None:
    LexicalIndex.of(DOCUMENTS).save(tmp_path)
    (tmp_path / "huaxiang.json").write_text("{", encoding="utf-8")
    with pytest.raises(ArtefactError, match="build the run again"):
        LexicalIndex.load(tmp_path)
