"""`huaxiang augment`: more rows from a table's own, each of which says where it came from."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from answering_model import model
from command_line import call
from encoders.hardening.tiny_language import tiny_masked, tiny_translator
from huaxiang.encoders.hardening.edits import Deletion, Swap

ROWS = """review,label,note
"Lovely red dress, but it did not fit",0,a
这条红色连衣裙质量很好，尺码也准,1,b
,1,c
very soft and comfortable shoes,1,d
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    file = tmp_path / "in.csv"
    file.write_text(ROWS, encoding="utf-8")
    return file


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "parquet"])
def test_every_row_stays_and_copies_follow_with_their_label(table: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"out.{suffix}"
    said = call(
        "augment",
        "--input",
        table,
        "--text",
        "review",
        "--ways",
        "delete,swap,typos",
        "--copies",
        "2",
        "--out",
        out,
        "--json",
    )
    assert said.code == 0, said.err
    assert said.json["schema"] == "huaxiang.augment/1"
    assert (said.json["rows"], said.json["without_text"]) == (4, 1)
    read = pl.read_parquet(out) if suffix == "parquet" else pl.read_csv(out, infer_schema=False)
    before = pl.read_csv(table, infer_schema=False)
    assert read[:4].select(before.columns).equals(before)
    copies = read[4:]
    assert len(copies) == said.json["copies"] > 6
    label = {str(line + 2): label for line, label in enumerate(before["label"])}
    assert [label[str(line)] for line in copies["augmented_from"]] == copies["label"].to_list()
    assert set(copies["augmented_by"]) == {"delete", "swap", "typos"}
    assert copies["review"].null_count() == 0


def test_the_same_seed_writes_the_same_file(table: Path, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.csv", "b.csv", "c.csv")]
    for file, seed in zip(files, ("1", "1", "2"), strict=True):
        assert call("augment", "--input", table, "--text", "review", "--seed", seed, "--out", file).code == 0
    first, again, other = (file.read_bytes() for file in files)
    assert first == again != other


def test_a_stopped_command_goes_on_and_ends_with_the_same_file(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, stopped = tmp_path / "whole.csv", tmp_path / "stopped.csv"
    said = ["augment", "--input", table, "--text", "review", "--ways", "delete,swap", "--json"]
    once = call(*said, "--out", whole)
    swapped, deleted = Swap.augment, Deletion.augment

    def stop(*_: object) -> list[str]:
        raise KeyboardInterrupt

    monkeypatch.setattr(Swap, "augment", stop)
    assert call(*said, "--out", stopped).code != 0
    assert not stopped.exists()
    monkeypatch.setattr(Swap, "augment", swapped)
    monkeypatch.setattr(Deletion, "augment", stop)
    rest = call(*said, "--out", stopped)
    assert rest.code == 0, rest.err
    assert stopped.read_bytes() == whole.read_bytes()
    assert rest.json["ways"] == once.json["ways"]
    assert sorted(tmp_path.iterdir()) == sorted([table, whole, stopped])
    monkeypatch.setattr(Deletion, "augment", deleted)


def test_models_by_folder_write_and_what_was_refused_is_counted(table: Path, tmp_path: Path) -> None:
    masked, both = tiny_masked(tmp_path / "masked"), tiny_translator(tmp_path / "translator")
    thesaurus = tmp_path / "same.csv"
    thesaurus.write_text("word,synonyms\nlovely,pretty\n质量,品质\n", encoding="utf-8")
    said = call(
        "augment",
        "--input",
        table,
        "--text",
        "review",
        "--out",
        tmp_path / "out.csv",
        "--ways",
        "synonyms,masked,back_translation",
        "--thesaurus",
        thesaurus,
        "--masked",
        masked,
        "--there",
        both,
        "--back",
        both,
        "--encoder",
        "hashed",
        "--least",
        "0.5",
        "--json",
    )
    assert said.code == 0, said.err
    ways = said.json["ways"]
    assert ways["synonyms"] == {"copies": 2, "counted": {"changed": 2, "nothing to change": 1}}
    assert sum(ways["masked"]["counted"].values()) == 3
    assert sum(ways["back_translation"]["counted"].values()) == 3
    assert ways["back_translation"]["copies"] == 0
    assert said.json["sent_to"] is None


def test_an_endpoint_by_environment_and_that_texts_leave_is_said(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with model(lambda text: f"{text} 好") as server:
        monkeypatch.setenv("HUAXIANG_LLM_URL", server.url)
        monkeypatch.setenv("HUAXIANG_LLM_MODEL", "tiny")
        monkeypatch.setenv("HUAXIANG_LLM_KEY", "secret")
        said = call(
            "augment",
            "--input",
            table,
            "--text",
            "review",
            "--out",
            tmp_path / "out.csv",
            "--ways",
            "back_translation",
            "--languages",
            "English,Chinese",
            "--encoder",
            "hashed",
            "--least",
            "0.3",
        )
        assert server.headers == ["Bearer secret"] * 6
    assert said.code == 0, said.err
    assert "3 new texts (changed 3)" in said.out
    assert "the texts were sent to http://127.0.0.1" in said.out
    assert "secret" not in said.out + said.err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--text", "nothing"), "column is missing: in.csv nothing; there is review, label, note"),
        (("--ways", "shuffle"), "choose delete, swap, typos"),
        (("--ways", "synonyms"), "give a thesaurus"),
        (("--ways", "back_translation"), "two translation models"),
        (("--ways", "back_translation", "--endpoint", "http://a", "--model", "b"), "name that of the texts"),
        (("--out", "out.txt"), ".parquet"),
        (("--copies", "0"), "1 or more"),
        (("--rate", "2"), "between 0 and 1"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_given_wrongly_is_refused(
    table: Path, tmp_path: Path, more: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HUAXIANG_LLM_URL", raising=False)
    given = {"--input": str(table), "--text": "review", "--out": str(tmp_path / "out.csv")}
    given |= dict(zip(more[::2], more[1::2], strict=True))
    answer = call("augment", *(part for option in given.items() for part in option))
    assert answer.code == 2
    assert said in answer.err
    assert not (tmp_path / "out.csv").exists()


def test_a_table_that_is_augmented_already_is_refused(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    call("augment", "--input", table, "--text", "review", "--out", out)
    answer = call("augment", "--input", out, "--text", "review", "--out", tmp_path / "again.csv")
    assert answer.code == 2
    assert "augmented already" in answer.err


def test_a_broken_row_is_named(tmp_path: Path) -> None:
    file = tmp_path / "in.csv"
    file.write_text("review,label\ngood,1\nbad,very bad,0\n")
    answer = call("augment", "--input", file, "--text", "review", "--out", tmp_path / "out.csv")
    assert answer.code == 2
    assert "in.csv:3" in answer.err
