"""`huaxiang write`: what a model writes, what is kept of it, and what is said when it can't."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from answering_model import model
from command_line import call
from huaxiang.model import load

if TYPE_CHECKING:
    from conftest import SmallBuild


def test_products_are_written_from_what_the_shop_states(small_build: SmallBuild, tmp_path: Path) -> None:
    out, sentences = tmp_path / "texts.csv", tmp_path / "sentences.parquet"
    with model(lambda facts: facts.splitlines()[0] + " It is waterproof.") as server:
        said = call(
            "write",
            "products",
            "--shop",
            small_build.shop,
            "--endpoint",
            server.url,
            "--endpoint-model",
            "tiny",
            "--most",
            "5",
            "--out",
            out,
            "--sentences",
            sentences,
            "--encoder",
            "none",
            "--json",
        )
    assert said.code == 0, said.err
    counts = said.json["counts"]
    assert (counts["subjects"], counts["sentences"], counts["passed"]) == (5, 10, 5)
    assert said.json["sent_to"] == server.url
    texts = pl.read_csv(out)
    assert texts["passed"].to_list() == [1] * 5
    assert not texts["text"].str.contains("waterproof").any()
    refused = pl.read_parquet(sentences).filter(pl.col("refused").is_not_null())
    assert refused["sentence"].to_list() == ["It is waterproof."] * 5


@pytest.mark.parametrize("language", ["en", "zh"])
def test_portraits_keep_every_fact(small_build: SmallBuild, tmp_path: Path, language: str) -> None:
    out = tmp_path / "portraits.csv"
    with model("I am the best. 我最好。") as server:
        said = call(
            "write",
            "portraits",
            "--run",
            small_build.run,
            "--language",
            language,
            "--endpoint",
            server.url,
            "--endpoint-model",
            "tiny",
            "--most",
            "9",
            "--out",
            out,
        )
    assert said.code == 0, said.err
    assert "refused: says nothing of what is known" in said.out
    assert f"What is known was sent to {server.url}." in said.out.replace("\n", "")
    texts = pl.read_csv(out)
    assert len(texts) == 9
    shopper = texts["id"][0]
    facts = [sentence.text for sentence in load(small_build.run).profile(shopper).portrait[language]]
    assert texts["text"][0] == ("" if language == "zh" else " ").join(facts)


@pytest.mark.parametrize(
    ("further", "said"),
    [
        ((), "nobody to write: --model, --endpoint; give --model FOLDER"),
        (("--endpoint", "localhost", "--endpoint-model", "m"), "not an address"),
        (("--model", "nowhere"), "can't be loaded: nowhere"),
        (("--model", "nowhere", "--language", "fr"), "can't be loaded: nowhere"),
    ],
)
def test_what_is_wrong_is_said(
    small_build: SmallBuild, tmp_path: Path, further: tuple[str, ...], said: str
) -> None:
    out = tmp_path / "texts.csv"
    answer = call("write", "products", "--shop", small_build.shop, "--out", out, *further)
    assert answer.code == 2
    assert said in answer.err.replace("\n", " ")
    assert not out.exists()


def test_another_kind_of_file_is_refused_before_anything_is_sent(
    small_build: SmallBuild, tmp_path: Path
) -> None:
    with model("Red.") as server:
        answer = call(
            "write",
            "products",
            "--shop",
            small_build.shop,
            "--out",
            tmp_path / "texts.xlsx",
            "--endpoint",
            server.url,
            "--endpoint-model",
            "m",
        )
    assert answer.code == 2
    assert "unknown kind of file" in answer.err
    assert not server.asked
