"""The script that goes on training the student: what it starts from, and what it holds out."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import polars as pl
import pytest

from huaxiang.encoders.student import SHIPPED, StudentEncoder

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import adapt_student

    return adapt_student


def test_training_starts_where_the_shipped_student_stands(script: ModuleType, tmp_path: Path) -> None:
    unchanged = script.encoder_of(script.student_of(SHIPPED, script.ADAPTING).eval(), tmp_path)
    texts = ["红色连衣裙", "跑步鞋", "Nike 不锈钢保温杯"]
    cosines = (unchanged.encode(texts).vectors_ID * StudentEncoder().encode(texts).vectors_ID).sum(1)
    np.testing.assert_allclose(cosines, 1, atol=1e-4)


def test_variants_of_a_product_are_never_on_both_sides(script: ModuleType) -> None:
    items = pl.DataFrame(
        {
            "item_id": [f"p{n}-{variant}" for n in range(40) for variant in (1, 2)],
            "group_id": [f"p{n}" for n in range(40) for _ in (1, 2)],
            "title_zh": [f"鞋{n}" for n in range(40) for _ in (1, 2)],
            "title_en": [f"Shoe {n}" for n in range(40) for _ in (1, 2)],
            "description_zh": None,
            "description_en": None,
        }
    )
    asked = script.own_texts(items).asked
    parts = [set(asked[part]) for part in ("train", "validation", "test")]
    assert all(parts) and not (parts[0] & parts[1] | parts[0] & parts[2] | parts[1] & parts[2])
