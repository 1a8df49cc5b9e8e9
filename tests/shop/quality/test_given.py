"""Files of every kind are read; what can't be is refused with a place and a remedy."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pytest

from huaxiang.errors import InputError
from huaxiang.shop.quality.given import guessed_text_columns, read_given, row_ids_in, text_column
from shop.quality.dirty import SHORT, SOFT, table


def test_the_three_kinds_of_file_read_alike(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": ["1", "2"], "text": ["red", "蓝色"]})
    frame.write_csv(tmp_path / "a.csv")
    frame.write_ndjson(tmp_path / "a.jsonl")
    frame.write_parquet(tmp_path / "a.parquet")
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress((tmp_path / "a.csv").read_bytes()))
    for name in ("a.csv", "a.jsonl", "a.parquet", "a.csv.gz"):
        assert read_given(tmp_path / name).frame.equals(frame)


def test_lines_that_cannot_be_read_are_kept_apart(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "red"}\nnonsense\n{"text": "blue"}\n')
    given = read_given(tmp_path / "a.jsonl")
    assert (list(given.lines), given.unreadable) == ([1, 3], {2: "not JSON"})


BAD = {
    "none": (None, "no such file"),
    "empty": (b"", "file is empty"),
    "header": (b"id,text\n", "file has no rows"),
    "another encoding": ("id,text\n1,红色\n".encode("gbk"), "not written in utf-8: a.csv:2 .*--encoding gbk"),
}


@pytest.mark.parametrize(("content", "said"), BAD.values(), ids=BAD)
def test_files_that_cannot_be_read_are_refused(tmp_path: Path, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(InputError, match=said) as caught:
        read_given(tmp_path / "a.csv")
    assert "shop.toml" not in str(caught.value)
    assert caught.value.remedy


def test_a_typed_column_of_numbers_holds_no_texts(tmp_path: Path) -> None:
    pl.DataFrame({"n": [1, 2]}).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(InputError, match="column holds no texts: a.parquet n 'Int64'"):
        text_column(read_given(tmp_path / "a.parquet"), "n")


def test_columns_of_texts_are_guessed() -> None:
    texts = table([SOFT, SHORT], colour=["red", "blue"], day=["2024-01-01", "2024-01-02"])
    assert guessed_text_columns(texts) == ("text",)
    with pytest.raises(InputError, match="no column reads like texts"):
        guessed_text_columns(table(["a", "b"]))


def test_ids_are_lines_or_a_column_without_repeats() -> None:
    assert row_ids_in(table(["a", "b"]), None) == ["2", "3"]
    with pytest.raises(InputError, match="id of an earlier row: reviews.csv:3 id '7'"):
        row_ids_in(table(["a", "b"], id=["7", "7"]), "id")
    with pytest.raises(InputError, match="row has no id: reviews.csv:3 id"):
        row_ids_in(table(["a", "b"], id=["7", None]), "id")
