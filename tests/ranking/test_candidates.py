"""Candidates: the best variant of each product, found without sorting the whole catalogue."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from huaxiang.ranking.rank import Config, _candidates


@given(seed=st.integers(0, 10_000), n_candidates=st.sampled_from([1, 3, 10, 100]))
@settings(max_examples=60)
def test_candidates_are_the_best_variant_of_each_product_in_order(seed: int, n_candidates: int) -> None:
    rng = np.random.default_rng(seed)
    n_items = int(rng.integers(1, 80))
    scores_I = rng.integers(0, 12, n_items).astype(np.float32)  # many are equal
    allowed_I = rng.random(n_items) < 0.8
    group_rows = rng.integers(0, max(n_items // 3, 1), n_items).astype(np.int32)
    found = _candidates(
        scores_I, allowed_I, SimpleNamespace(group_rows=group_rows), Config(n_candidates=n_candidates)
    )
    expected: list[int] = []
    for row in sorted(np.flatnonzero(allowed_I), key=lambda row: (-scores_I[row], row)):
        if group_rows[row] not in group_rows[expected]:
            expected.append(int(row))
    assert found.tolist() == expected[:n_candidates]
