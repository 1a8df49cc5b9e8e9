from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.encoders.finetuning.tables import Rows, read_rows, split_rows
from huaxiang.errors import InputError


def written(folder: Path, lines: list[str], name: str = "t.csv") -> Path:
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / name


def test_rows_without_text_or_label_are_left_out_and_counted(tmp_path: Path) -> None:
    lines = ["text,label", *(f"good {n},1" for n in range(30)), ",1", "bad,", "🎉<br>,"]
    rows = read_rows(written(tmp_path, lines), text=["text"], label="label")
    assert (len(rows), rows.n_left_out) == (30, 3)
    assert rows.lines[:2].tolist() == [2, 3]


def test_several_columns_are_joined_in_the_order_given(tmp_path: Path) -> None:
    lines = ["a,b,label", *("x,y,1" for _ in range(20))]
    assert read_rows(written(tmp_path, lines), text=["b", "a"], label="label").texts[0] == "y ; x"


@pytest.mark.parametrize("missing", ["text", "label", "shopper"])
def test_a_missing_column_is_named(tmp_path: Path, missing: str) -> None:
    kept = [name for name in ("text", "label", "shopper") if name != missing]
    path = written(tmp_path, [",".join(kept), *("a,b" for _ in range(30))])
    with pytest.raises(InputError, match=f"no such column: t.csv {missing}; choose of {', '.join(kept)}"):
        read_rows(path, text=["text"], label="label", split_by="shopper")


def test_too_few_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="too few rows: t.csv label '1'"):
        read_rows(written(tmp_path, ["text,label", "a,1"]), text=["text"], label="label")


@given(keys=st.lists(st.integers(0, 30), min_size=1, max_size=80), share=st.floats(0.05, 0.6))
def test_rows_of_one_key_stay_on_one_side(keys: list[int], share: float) -> None:
    texts = tuple(f"t{n}" for n in range(len(keys)))
    rows = Rows(file="f", texts=texts, labels=texts, keys=tuple(map(str, keys)), lines=np.arange(len(keys)))
    left, held = split_rows(rows, share=share, salt="test")
    assert len(left) + len(held) == len(rows)
    assert not set(left.keys) & set(held.keys)
