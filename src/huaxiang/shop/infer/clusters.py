"""Clusters of items by the vectors of their texts, each named by its most typical words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from huaxiang.records import Matrix
from huaxiang.shop.infer.base import Claim

_ENGLISH = re.compile(r"[a-z][a-z']{2,}")
_CHINESE = re.compile(r"[\u4e00-\u9fff]+")
_SAY_NOTHING = frozenset(
    "the and for with set pack assorted asstd box small large medium mini new design inch size piece pcs "
    "pair count ounce ounces fluid oz each style colour color from this that your".split()
)
_WORDS_IN_NAME = 2
_FEWEST_TITLES = 0.1
"""Share of a cluster's titles in which a word of its name must stand."""


def cluster_claims(
    rows: Sequence[int],
    documents: Sequence[Sequence[str]],
    vectors_ID: Matrix,
    *,
    n_clusters: int,
    confidence: float,
    fewest: int,
    seed: int,
) -> list[Claim]:
    """Return a category for each item of a cluster that is large enough and can be named.

    An item is claimed with `confidence` at the centre of its cluster, and less the farther away it is.
    `documents` are the words of each item that may name its cluster.
    """
    if len(rows) < max(fewest, 2):
        return []
    cluster_I, centres_CD = _clusters(vectors_ID, max(1, min(n_clusters, len(rows))), seed)
    nearness_I = np.einsum("id,id->i", vectors_ID, centres_CD[cluster_I])
    names = cluster_names(documents, cluster_I, len(centres_CD))
    sizes = np.bincount(cluster_I, minlength=len(centres_CD))
    return [
        Claim(row, "category", names[cluster], confidence * float(np.clip(nearness_I[place], 0, 1)))
        for place, (row, cluster) in enumerate(zip(rows, cluster_I.tolist(), strict=True))
        if sizes[cluster] >= fewest and names[cluster]
    ]


def typical_words(title: str) -> list[str]:
    """Return the words of a title that could name what it is, without plural endings.

    Examples
    --------
    >>> typical_words("SET OF 3 CAKE TINS"), typical_words("桌面收纳")
    (['cake', 'tin'], ['桌面', '收纳'])
    """
    found = [_singular(word) for word in _ENGLISH.findall(title.lower()) if word not in _SAY_NOTHING]
    if _CHINESE.search(title):
        import jieba

        jieba.setLogLevel("ERROR")
        found += [word for run in _CHINESE.findall(title) for word in jieba.lcut(run) if len(word) > 1]
    return found


def cluster_names(
    documents: Sequence[Sequence[str]], cluster_I: NDArray[np.int64], n_clusters: int
) -> list[str]:
    """Return the most typical words of each cluster, different for each; "" for one without words.

    A word is typical when the number of the cluster's titles that have it, times the log of how rare it is
    among all clusters, is high. The words of a name stand in the order in which titles have them.

    Source
    ------
    Grootendorst, BERTopic: Neural topic modeling with a class-based TF-IDF procedure, 2022, equation 2; here
    a word must also stand in a tenth of the cluster's titles, so that no single title names a cluster.

    Examples
    --------
    >>> said = [["cake", "tin"], ["cake", "tin"], ["wall", "art", "tin"]]
    >>> cluster_names(said, np.array([0, 0, 1]), 2)
    ['cake tin', 'wall art']
    """
    within: list[Counter[str]] = [Counter() for _ in range(n_clusters)]
    places: Counter[str] = Counter()
    for document, cluster in zip(documents, cluster_I.tolist(), strict=True):
        different = list(dict.fromkeys(document))
        within[cluster].update(different)
        places.update({word: place for place, word in enumerate(different)})
    everywhere = sum(within, Counter())
    mean_words = sum(everywhere.values()) / n_clusters
    names: list[str] = []
    for counts, size in zip(within, np.bincount(cluster_I, minlength=n_clusters).tolist(), strict=True):
        usual = {word: n for word, n in counts.items() if n >= _FEWEST_TITLES * size}
        typical = sorted(usual, key=lambda word: -usual[word] * np.log(1 + mean_words / everywhere[word]))
        names.append(_first_free(typical, names, key=lambda word: places[word] / everywhere[word]))
    return names


def _first_free(words: Sequence[str], taken: Sequence[str], *, key: Callable[[str], float]) -> str:
    """Return the first words as a name, ordered by `key`; one more where another cluster is called so."""
    for n_words in range(min(_WORDS_IN_NAME, len(words)), len(words) + 1):
        name = " ".join(sorted(words[:n_words], key=key))
        if name not in taken:
            return name
    return ""


def _clusters(vectors_ID: Matrix, n_clusters: int, seed: int) -> tuple[NDArray[np.int64], Matrix]:
    from sklearn.cluster import MiniBatchKMeans

    found = MiniBatchKMeans(n_clusters, random_state=seed, n_init=3, batch_size=1024).fit(vectors_ID)
    centres_CD = found.cluster_centers_ / np.maximum(
        np.linalg.norm(found.cluster_centers_, axis=1, keepdims=True), 1e-9
    )
    return found.labels_.astype(np.int64), centres_CD.astype(np.float32)


def _singular(word: str) -> str:
    if len(word) <= 3 or not word.endswith("s") or word.endswith(("ss", "us", "as", "is")):
        return word
    return word[:-2] if word.endswith(("shes", "ches", "xes", "sses")) else word[:-1]
