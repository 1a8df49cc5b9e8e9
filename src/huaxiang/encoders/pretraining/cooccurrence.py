"""Vectors of tokens from which tokens stand near which: a start that costs seconds and knows synonyms.

A small corpus teaches a transformer slowly what counting teaches at once: that 不错 and 很好 stand in like
places. The vectors are the leading directions of the positive pointwise mutual information.

Source
------
Levy and Goldberg, Neural Word Embedding as Implicit Matrix Factorization, NIPS 2014; smoothing of contexts:
Levy, Goldberg and Dagan, TACL 2015.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from huaxiang.encoders.pretraining.encoded import Encoded, Ids
from huaxiang.records import Matrix

NEAR = 6
"""Tokens on each side that count as near, the k-th with weight 1/k."""
SMOOTHING = 0.75
DEVIATION = 0.05


def token_vectors(corpus: Encoded, *, width: int, seed: int = 0) -> Matrix:
    """Return a vector for each token of the vocabulary, float32, (V, width), of the given deviation.

    Tokens that never occur get small random ones.

    Examples
    --------
    >>> from huaxiang.encoders.pretraining.encoded import Marks
    >>> ids = np.array([1, 2, 3] * 40 + [1, 4, 3] * 40)  # 2 and 4 stand in the same places
    >>> starts = np.array([0, len(ids)])
    >>> marks = Marks(cls=0, sep=0, pad=0, mask=None, n_tokens=6)
    >>> one = np.array([0, 1])
    >>> corpus = Encoded(
    ...     ids=ids, words=ids, sentences=starts, documents=one, groups_N=one[:1], marks=marks
    ... )
    >>> vectors = token_vectors(corpus, width=2)
    >>> unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    >>> bool(unit[2] @ unit[4] > unit[2] @ unit[1])
    True
    """
    from sklearn.utils.extmath import randomized_svd

    rng = np.random.default_rng(seed)
    n_tokens = corpus.marks.n_tokens
    drawn_VD = rng.normal(0, DEVIATION, (n_tokens, width)).astype(np.float32)
    shared_VV = shared_information(near_counts(corpus))
    if shared_VV.nnz == 0:
        return drawn_VD
    n_directions = min(width, n_tokens)
    left_VK, sizes_K, _ = randomized_svd(shared_VV, n_directions, random_state=seed)
    found_VD = left_VK * np.sqrt(sizes_K)
    occurs_V = np.bincount(corpus.ids, minlength=n_tokens) > 0
    found_VD = found_VD - found_VD[occurs_V].mean(0)
    scale = DEVIATION / max(float(found_VD[occurs_V].std()), 1e-9)
    drawn_VD[occurs_V, :n_directions] = (found_VD[occurs_V] * scale).astype(np.float32)
    return drawn_VD


def near_counts(corpus: Encoded) -> Any:
    """Return how often each token stands near each other one, sparse (V, V); documents don't touch."""
    from scipy.sparse import coo_matrix, csr_matrix

    n_tokens = corpus.marks.n_tokens
    document_of = np.repeat(np.arange(len(corpus)), corpus.lengths)
    counts = csr_matrix((n_tokens, n_tokens))
    for apart in range(1, NEAR + 1):
        first, second = _pairs(corpus.ids, document_of, apart)
        weights = np.full(len(first), 1 / apart)
        counts += coo_matrix((weights, (first, second)), shape=(n_tokens, n_tokens)).tocsr()
    return counts + counts.T


def shared_information(counts_VV: Any) -> Any:
    """Return the positive pointwise mutual information, sparse (V, V), contexts smoothed."""
    from scipy.sparse import csr_matrix

    counts = counts_VV.tocoo()
    of_token = np.asarray(counts_VV.sum(1)).ravel()
    of_context = np.asarray(counts_VV.sum(0)).ravel() ** SMOOTHING
    of_context = of_context / max(of_context.sum(), 1e-9)
    expected = of_token[counts.row] * of_context[counts.col]
    information = np.log(np.maximum(counts.data, 1e-12) / np.maximum(expected, 1e-12))
    is_kept = information > 0
    places = (counts.row[is_kept], counts.col[is_kept])
    return csr_matrix((information[is_kept], places), shape=counts.shape)


def _pairs(ids: Ids, document_of: Ids, apart: int) -> tuple[Ids, Ids]:
    is_same = document_of[:-apart] == document_of[apart:]
    return ids[:-apart][is_same], ids[apart:][is_same]
