from __future__ import annotations

import numpy as np

from huaxiang.encoders.pretraining.cooccurrence import near_counts, token_vectors
from huaxiang.encoders.pretraining.encoded import Encoded, Marks


def encoded(*documents: list[int], n_tokens: int = 10) -> Encoded:
    lengths = [len(document) for document in documents]
    return Encoded(
        ids=np.concatenate([np.array(document, np.int64) for document in documents]),
        words=np.zeros(sum(lengths), np.int64),
        sentences=np.concatenate([[0], np.cumsum(lengths)]),
        documents=np.arange(len(documents) + 1),
        groups_N=np.zeros(len(documents), np.int64),
        marks=Marks(cls=0, sep=0, pad=0, mask=None, n_tokens=n_tokens),
    )


def test_neighbours_are_counted_both_ways_by_how_near_they_are() -> None:
    counts = near_counts(encoded([1, 2, 3])).toarray()
    assert counts[1, 2] == counts[2, 1] == 1
    assert counts[1, 3] == counts[3, 1] == 1 / 2


def test_documents_do_not_touch() -> None:
    assert near_counts(encoded([1, 2], [3, 4])).toarray()[2, 3] == 0


def test_a_token_that_never_occurs_has_a_small_vector_of_its_own() -> None:
    vectors = token_vectors(encoded([1, 2, 3] * 9), width=4)
    assert np.isfinite(vectors).all()
    assert 0 < np.linalg.norm(vectors[9]) < 0.5


def test_more_directions_than_tokens_are_filled_up() -> None:
    assert token_vectors(encoded([1, 2], n_tokens=4), width=16).shape == (4, 16)


def test_one_token_documents_give_random_vectors() -> None:
    assert token_vectors(encoded([1], [2]), width=3).std() > 0


def test_the_same_seed_gives_the_same_vectors() -> None:
    corpus = encoded([1, 2, 3, 4, 5, 1, 3] * 5)
    np.testing.assert_array_equal(
        token_vectors(corpus, width=3, seed=4), token_vectors(corpus, width=3, seed=4)
    )
