"""`finetune match`, `finetune behaviour` and what reads their folders, from the command line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import polars as pl
import pytest

from command_line import call
from encoders.finetuning.shops_of_pairs import encoder_of_words, judged_pairs
from huaxiang.shop.simulate import Config, simulate

QUICK = (
    "--set",
    "training.steps=6",
    "--set",
    "training.validations=2",
    "--set",
    "training.learning_rate=3e-3",
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finetune")
    encoder_of_words(folder / "model")
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
        "model": home / "model",
        "out": home / "match",
        **changed,
    }
    return [part for name, value in said.items() for part in (f"--{name}", value)]


def test_match_tells_its_figures_beside_words_alone_and_predicts_in_both_stages(home: Path) -> None:
    made = call("finetune", "match", *options(home), *QUICK, "--cross", "--json")
    assert made.code == 0, made.err
    assert made.json["schema"] == "huaxiang.finetune/1"
    assert {"test", "untuned", "bm25", "cross", "blended"} <= set(made.json["metrics"])
    assert json.loads((home / "match" / "manifest.json").read_text())["task"] == {"kind": "match"}
    (home / "new.csv").write_text("id,query,product\n1,wood,pine\n2,metal,\n")
    scored = call(
        "predict", "--model", home / "match", "--input", home / "new.csv", "--out", home / "s.csv", "--json"
    )
    assert scored.json["errors"] == 1
    table = pl.read_csv(home / "s.csv")
    assert table.columns == ["id", "query", "product", "score", "error"]
    assert table["error"].to_list() == [None, "no product"]


def test_a_command_stopped_in_the_second_stage_does_not_repeat_the_first(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    said = ("finetune", "match", *options(home, out=home / "two"), *QUICK, "--cross", "--json")
    with monkeypatch.context() as stopped:
        stopped.setattr("huaxiang.encoders.finetuning.cross.finetune", stop)
        assert call(*said).code != 0
    first = json.loads((home / "two.partial/checkpoints/match/finished/learnt.json").read_text())
    made = call(*said)
    assert made.code == 0, made.err
    assert made.json["learnt"]["seconds"] == pytest.approx(first["seconds"], abs=0.05)
    assert made.json["learnt"]["steps"] == 6
    assert not (home / "two" / "checkpoints").exists()


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"label": "grade"}, "no such column"), ({"product": "query", "label": "product"}, "not a number")],
)
def test_match_refuses_what_it_cannot_read(home: Path, changed: dict[str, str], said: str) -> None:
    refused = call("finetune", "match", *options(home, out=home / "refused", **changed))
    assert refused.code == 2
    assert said in refused.err
    assert not (home / "refused").exists()


def test_behaviour_tunes_on_a_simulated_shop_and_tells_of_unseen_items(home: Path, tmp_path: Path) -> None:
    simulate(tmp_path / "shop", config=Config(n_shoppers=60, n_items=40), seed=3)
    made = call(
        *("finetune", "behaviour", "--shop", tmp_path / "shop", "--model", home / "model"),
        *("--out", home / "tuned", *QUICK, "--set", "pairs.window=2", "--json"),
    )
    assert made.code == 0, made.err
    metrics = made.json["metrics"]
    assert {"recall@10", "recall@10_low", "recall@10_high"} <= set(metrics["test"]) & set(metrics["untuned"])
    assert (home / "tuned" / "text.onnx").is_file()


def test_behaviour_refuses_a_catalogue_alone(home: Path, tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("item_id,title\na,pine\n")
    refused = call(
        *("finetune", "behaviour", "--shop", tmp_path, "--model", home / "model", "--out", home / "none")
    )
    assert refused.code == 2
    assert "no events" in refused.err
