from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.encoders.pretraining.corpus import corpus_of
from huaxiang.encoders.pretraining.encoded import Encoded, encode_corpus
from huaxiang.encoders.pretraining.masked import IGNORED, MaskedConfig, MaskedLesson, hidden_words
from huaxiang.encoders.pretraining.tokenizer import train_tokenizer, wrapped
from huaxiang.encoders.pretraining.words import words_of

TEXTS = [((f"第{n}条红色连衣裙。", f"质量很好{n}。", "It fits well."), f"g{n % 2}") for n in range(40)]


@pytest.fixture(scope="module")
def encoded() -> Encoded:
    corpus = corpus_of(TEXTS, name="t")
    tokenizer = wrapped(train_tokenizer((d.text for d in corpus.documents), size=300), max_tokens=64)
    return encode_corpus(corpus, tokenizer)


def test_words_are_jiebas_in_chinese_and_runs_of_letters_elsewhere() -> None:
    assert words_of("连衣裙 fits42").tolist() == [0, 0, 0, -1, 1, 1, 1, 1, 2, 2]


@given(
    words=st.lists(st.integers(0, 30), min_size=1, max_size=60).map(sorted),
    share=st.floats(0.05, 0.9),
    seed=st.integers(0, 99),
)
def test_a_word_is_hidden_whole_or_not_at_all(words: list[int], share: float, seed: int) -> None:
    numbers = np.array(words, np.int64)
    hidden = hidden_words(numbers, share, np.random.default_rng(seed))
    assert hidden.any()
    for number in set(words):
        assert len(set(hidden[numbers == number].tolist())) == 1


def test_a_batch_hides_some_tokens_and_asks_for_the_true_ones(encoded: Encoded) -> None:
    lesson = MaskedLesson(encoded, MaskedConfig(hidden_share=0.5, pairs=False))
    batch = lesson.batch(np.array([0]), np.random.default_rng(0))
    ids, labels = batch["input_ids"][0].numpy(), batch["labels"][0].numpy()
    true, _ = encoded.tokens(0, 0, encoded.n_sentences(0))
    whole = np.where(labels == IGNORED, ids, labels)[1 : 1 + len(true)]
    assert whole.tolist() == true.tolist()
    assert (ids == encoded.marks.mask).any()


def test_a_swapped_second_passage_is_another_documents_and_is_labelled(encoded: Encoded) -> None:
    lesson = MaskedLesson(encoded, MaskedConfig(hidden_share=0.01))
    batch = lesson.batch(np.arange(40), np.random.default_rng(0))
    follows = batch["follows"].numpy()
    assert set(follows.tolist()) == {0, 1}
    assert 8 < follows.sum() < 32
    assert bool((batch["token_type_ids"].sum(1) > 0).all())


def test_no_row_is_longer_than_allowed(encoded: Encoded) -> None:
    lesson = MaskedLesson(encoded, MaskedConfig(max_tokens=16))
    batch = lesson.batch(np.arange(40), np.random.default_rng(1))
    assert int(batch["attention_mask"].sum(1).max()) <= 16
    assert batch["input_ids"].shape[1] <= 16


def test_a_swapped_passage_is_no_longer_than_the_true_one() -> None:
    short = [((f"红色 {n}。", "很好。"), "") for n in range(30)]
    long = [((f"蓝色 {n}。", "这件衣服穿起来非常舒服而且颜色也好看 " * 3 + "。"), "") for n in range(30)]
    corpus = corpus_of([*short, *long], name="texts")
    tokenizer = wrapped(train_tokenizer((d.text for d in corpus.documents), size=300), max_tokens=64)
    lesson = MaskedLesson(encode_corpus(corpus, tokenizer), MaskedConfig())
    rows = np.arange(60)
    batch = lesson.batch(rows, np.random.default_rng(0))
    assert set(batch["follows"].tolist()) == {0, 1}
    assert (batch["attention_mask"].sum(1).numpy() <= lesson.lengths_N[rows]).all()


def test_the_same_rng_gives_the_same_batch(encoded: Encoded) -> None:
    lesson = MaskedLesson(encoded, MaskedConfig())
    first, again = (lesson.batch(np.arange(9), np.random.default_rng(5)) for _ in range(2))
    assert all((first[name] == again[name]).all() for name in first)
