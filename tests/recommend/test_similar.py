from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from huaxiang.errors import ArtefactError
from huaxiang.recommend import similar
from huaxiang.recommend.similar import SimilarItems

# two products in two variants each, one of a third kind, one without a vector
ITEMS_ID = np.array([[1, 0], [0.9, 0.1], [0.8, 0.6], [0.6, 0.8], [0, 1], [0, 0]], dtype=np.float32)
ITEMS_ID[1] /= np.linalg.norm(ITEMS_ID[1])
GROUPS = np.array([0, 0, 1, 1, 2, 3], dtype=np.int32)
ALL = np.ones(6, dtype=bool)


def like(row: int, *, k: int, allowed_I: np.ndarray = ALL) -> list[int]:
    index = SimilarItems.of(ITEMS_ID)
    return index.like(row, ITEMS_ID, k=k, allowed_I=allowed_I, group_rows=GROUPS)[0].tolist()


def test_the_nearest_of_each_other_product_come_first() -> None:
    assert like(0, k=5) == [2]  # 4 is at a right angle, 5 has no vector
    assert like(3, k=5) == [4, 1] or like(3, k=5) == [4, 0]


def test_what_may_not_be_listed_makes_room_for_the_next() -> None:
    allowed_I = ALL.copy()
    allowed_I[4] = False
    assert like(3, k=1, allowed_I=allowed_I) in ([0], [1])


def test_an_item_without_a_vector_is_like_nothing() -> None:
    assert like(5, k=3) == []


def test_the_graph_finds_nearly_what_comparing_all_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    vectors_ID = rng.normal(size=(2000, 16)).astype(np.float32)
    vectors_ID /= np.linalg.norm(vectors_ID, axis=1, keepdims=True)
    exact = SimilarItems.of(vectors_ID)
    monkeypatch.setattr(similar, "MOST_EXACT", 100)
    graph = SimilarItems.of(vectors_ID)
    found = [len(set(exact.nearest(v, 10)[0]) & set(graph.nearest(v, 10)[0])) for v in vectors_ID[:50]]
    assert np.mean(found) >= 9.5


def test_a_longer_index_is_as_if_it_were_made_anew() -> None:
    short, anew = SimilarItems.of(ITEMS_ID[:4]), SimilarItems.of(ITEMS_ID)
    longer = short.with_items(ITEMS_ID, is_changed=False)
    assert (len(short), len(longer)) == (4, 6)
    for vector in ITEMS_ID:
        np.testing.assert_array_equal(longer.nearest(vector, 6)[0], anew.nearest(vector, 6)[0])
    moved_ID = ITEMS_ID[[1, 0, 3, 2, 4, 5]]
    assert short.with_items(moved_ID).nearest(moved_ID[2], 1)[0].tolist() == [2]


def test_a_stored_index_answers_alike(tmp_path: Path) -> None:
    index = SimilarItems.of(ITEMS_ID)
    index.save(tmp_path / "index.faiss")
    again = SimilarItems.load(tmp_path / "index.faiss")
    np.testing.assert_array_equal(again.nearest(ITEMS_ID[2], 4)[0], index.nearest(ITEMS_ID[2], 4)[0])


def test_a_broken_index_is_named(tmp_path: Path) -> None:
    (tmp_path / "index.faiss").write_bytes(b"no index")
    with pytest.raises(ArtefactError, match="index can't be read"):
        SimilarItems.load(tmp_path / "index.faiss")
