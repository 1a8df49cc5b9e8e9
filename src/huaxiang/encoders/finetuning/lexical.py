"""BM25: how well a product's words answer a query's, the figure that every learnt matcher stands beside."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from huaxiang.encoders.pretraining.words import words_of


def bm25_scores(
    queries: Sequence[str],
    products: Sequence[str],
    *,
    corpus: Sequence[str] | None = None,
    k1: float = 1.2,
    b: float = 0.75,
) -> NDArray[np.float64]:
    """Return the score of each pair of a query and a product, (N,); 0 where they share no word.

    Parameters
    ----------
    corpus
        Texts that tell how rare words are; None takes the products.
    k1, b
        How soon repeated words stop counting, and how much long texts are held back.

    Source
    ------
    Robertson and Zaragoza, The probabilistic relevance framework: BM25 and beyond, 2009, section 3.

    Examples
    --------
    >>> products = ["Red dress", "蓝色帽子"]
    >>> bm25_scores(["red hat", "红色 帽子"], products, corpus=["hat", "红"]).round(2).tolist()
    [1.27, 1.27]
    """
    read = {text: words_in(text) for text in {*queries, *products, *(corpus or ())}}
    documents = [read[text] for text in sorted(set(corpus or products))]
    n_with = Counter(word for document in documents for word in set(document))
    mean_length = max(1.0, float(np.mean([len(document) for document in documents])))
    rarity = {word: _rarity(n, len(documents)) for word, n in n_with.items()}
    unseen = _rarity(0, len(documents))
    scores = np.zeros(len(queries), np.float64)
    for row, (query, product) in enumerate(zip(queries, products, strict=True)):
        said = Counter(read[product])
        held_back = k1 * (1 - b + b * len(read[product]) / mean_length)
        scores[row] = sum(
            rarity.get(word, unseen) * said[word] * (k1 + 1) / (said[word] + held_back)
            for word in set(read[query])
            if word in said
        )
    return scores


def _rarity(n_with: int, n_all: int) -> float:
    return math.log1p((n_all - n_with + 0.5) / (n_with + 0.5))


def words_in(text: str) -> list[str]:
    """Return the words of a text in lower case: jieba's in Chinese.

    Examples
    --------
    >>> words_in("Angle-bracket 红色连衣裙")
    ['angle', 'bracket', '红色', '连衣裙']
    """
    lower = text.lower()
    word_of = words_of(lower)
    ends = np.flatnonzero(np.diff(word_of, append=-2)) + 1
    parts = [lower[start:end] for start, end in zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True)]
    return [part for part in parts if part and part[0].isalnum()]
