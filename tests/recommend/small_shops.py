"""Small shops written out, for the tests of recommenders."""

from collections.abc import Sequence

import numpy as np

from huaxiang.recommend.base import Histories, TrainingData
from huaxiang.recommend.histories import histories_of
from huaxiang.records import Matrix
from huaxiang.shop.catalogue import Catalogue


def catalogue_of(n_items: int) -> Catalogue:
    return Catalogue(
        item_ids=[f"i{row}" for row in range(n_items)],
        titles={"en": [f"item {row}" for row in range(n_items)]},
        group_rows=np.arange(n_items, dtype=np.int32),
        price_minor=np.full(n_items, -1, dtype=np.int64),
        in_stock=np.ones(n_items, dtype=bool),
        valid_from_ms=np.zeros(n_items, dtype=np.int64),
        dimensions={},
    )


def training_of(
    sequences: Sequence[Sequence[int]] | Histories, *, n_items: int, fused: Matrix | None = None
) -> TrainingData:
    histories = sequences if isinstance(sequences, Histories) else histories_of(sequences)
    vectors = np.eye(n_items, dtype=np.float32) if fused is None else fused
    return TrainingData(histories=histories, catalogue=catalogue_of(n_items), vectors={"fused": vectors})


def unit_rows(rows: Sequence[Sequence[float]]) -> Matrix:
    vectors = np.array(rows, dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
