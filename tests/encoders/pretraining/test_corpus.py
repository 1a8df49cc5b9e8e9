from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.encoders.pretraining.corpus import corpus_of, corpus_of_shop, corpus_of_table, sentences_of
from huaxiang.errors import InputError
from huaxiang.shop.read import read_shop
from huaxiang.shop.simulate import Config, simulate

ROWS = [((f"Dress {n}. Fits well!", None), "dresses") for n in range(40)]


def test_emphasis_stays_with_its_sentence() -> None:
    assert sentences_of("太差了！！！退货") == ["太差了!!!", "退货"]


def test_a_passage_is_cut_after_chinese_and_english_ends() -> None:
    assert sentences_of("很好。不错！ Soft. Warm") == ["很好。", "不错!", "Soft.", "Warm"]


def test_markup_and_emptiness_are_no_sentences() -> None:
    assert sentences_of("<p>Red</p>\x00 !!! 🎉") == ["Red !!!"]
    assert sentences_of(None) == sentences_of("…") == []


def test_a_repeated_document_is_read_once_and_counted() -> None:
    corpus = corpus_of(ROWS * 3, name="t")
    assert (len(corpus.documents), corpus.n_repeated) == (40, 80)


def test_too_few_texts_are_refused() -> None:
    with pytest.raises(InputError, match="too few texts to learn from: t '2'; at least 20"):
        corpus_of(ROWS[:2], name="t")


@given(share=st.floats(0.05, 0.5), n=st.integers(20, 60))
def test_no_document_is_on_both_sides_and_a_side_does_not_change_with_others(share: float, n: int) -> None:
    rows = [((f"text number {i}",), "") for i in range(n)]
    learn, held = corpus_of(rows, name="t").split(share)
    assert not {d.text for d in learn.documents} & {d.text for d in held.documents}
    more_learn, _ = corpus_of([*rows, *ROWS], name="t").split(share)
    assert {d.text for d in learn.documents} <= {d.text for d in more_learn.documents}


def test_a_shop_gives_titles_with_descriptions_in_each_language(tmp_path: Path) -> None:
    simulate(tmp_path / "shop", config=Config(n_shoppers=30, n_items=40), seed=1)
    shop = read_shop(tmp_path / "shop")
    corpus = corpus_of_shop(shop)
    titles = {document.sentences[0] for document in corpus.documents}
    assert shop.items["title_en"][0] in titles
    assert shop.items["title_zh"][0] in titles


def test_a_missing_column_is_named_with_those_there_are(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\nx,y\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"no such column: t.csv review; choose of a, b"):
        corpus_of_table(tmp_path / "t.csv", ["review"])
