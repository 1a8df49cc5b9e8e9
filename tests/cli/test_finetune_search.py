"""`finetune search` from the command line."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from command_line import call
from encoders.finetuning.shops_of_pairs import encoder_of_words, judged_pairs
from huaxiang.search.learnt.relevance import Relevance

SMALL = ("--set", "n_trees=20", "--set", "least_rows=5", "--set", "seeds=1", "--set", "senses=4")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("search")
    pairs = judged_pairs(40)
    with (folder / "pairs.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["query", "product", "relevance"])
        writer.writerows(zip(pairs.queries, pairs.products, pairs.relevance_N, strict=True))
    return folder


def options(home: Path, **changed: str | Path) -> list[str | Path]:
    said: dict[str, str | Path] = {
        "train": home / "pairs.csv",
        "query": "query",
        "product": "product",
        "label": "relevance",
        "out": home / "search",
        "cache": home / "cache",
        **changed,
    }
    return [part for name, value in said.items() for part in (f"--{name}", value)]


def test_search_stands_beside_plain_ways_and_can_be_loaded(home: Path) -> None:
    made = call("finetune", "search", *options(home, model="hashed"), *SMALL, "--json")
    assert made.code == 0, made.err
    assert made.json["schema"] == "huaxiang.finetune/1"
    assert {"BM25", "encoder", "rank fusion", "learnt"} <= set(made.json["metrics"]["test"])
    assert {"recall@10", "recall@100"} <= set(made.json["metrics"]["catalogue"]["learnt"])
    assert {"importance_graded.png", "importance_found.png", "README.md"} <= {
        path.name for path in (home / "search").iterdir()
    }
    assert set(Relevance.load(home / "search").orders) == {"graded", "found"}


def test_what_reads_query_and_product_is_blended_in(home: Path) -> None:
    encoder_of_words(home / "words")
    few = ("--set", "training.steps=4", "--set", "training.validations=1")
    columns = ("--query", "query", "--product", "product", "--label", "relevance", "--train")
    match = call(
        "finetune",
        "match",
        *columns,
        home / "pairs.csv",
        "--model",
        home / "words",
        "--out",
        home / "m",
        *few,
    )
    assert match.code == 0, match.err
    said = options(home, model="hashed", out=home / "both", cross=home / "m")
    made = call("finetune", "search", *said, *SMALL, "--json")
    assert made.code == 0, made.err
    assert {"read", "learnt, read"} <= set(made.json["metrics"]["test"])
    relevance = Relevance.load(home / "both")
    assert relevance.blend is not None
    assert 0 <= relevance.blend.weight <= 1
    moved = home / "moved"
    (home / "both").rename(moved)
    shutil.rmtree(home / "m")  # the folder is whole by itself
    assert Relevance.load(moved).reader is not None


def test_a_column_that_is_not_there_is_named(home: Path) -> None:
    made = call("finetune", "search", *options(home, label="stars", model="hashed"))
    assert made.code == 2
    assert "stars" in made.err
