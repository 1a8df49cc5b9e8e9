"""`huaxiang robustness`: models side by side, on the same rows, rewritten texts and opponent."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from command_line import Answer, call
from encoders.hardening.tiny_language import tiny_pretrained

OTHERS = ("red", "dress", "a", "hat", "连衣裙", "质量", "帽子")
COLUMNS = ("--text", "review", "--label", "label")
LEARN = ("epochs=40", "learning_rate=5e-3", "precision=fp32")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Texts whose class is which of two words stands among the others."""
    rng = np.random.default_rng(0)
    rows = []
    for n in range(240):
        words = rng.choice(OTHERS, 5).tolist()
        words.insert(int(rng.integers(6)), ("soft", "lovely")[n % 2])
        rows.append((" ".join(words), n % 2))
    file = tmp_path_factory.mktemp("robustness") / "rows.csv"
    pl.DataFrame(rows, schema=["review", "label"], orient="row").write_csv(file)
    return file


def taught(table: Path, name: str, *settings: str, model: str | Path) -> Path:
    out = table.parent / name
    changes = [part for said in settings for part in ("--set", said)]
    said = ("finetune", "classify", "--train", table, *COLUMNS, "--model", model, "--seed", "1")
    answer = call(*said, "--out", out, *changes, "--json")
    assert answer.code == 0, answer.err
    return out


def network(table: Path, name: str, *further: str) -> Path:
    model = table.parent / "base"
    if not model.exists():
        tiny_pretrained(model)
    learn = [f"training.{said}" for said in LEARN]
    return taught(table, name, *learn, "max_tokens=32", "dropout=0", *further, model=model)


@pytest.fixture(scope="module")
def plain(table: Path) -> Path:
    return network(table, "plain")


@pytest.fixture(scope="module")
def ngrams(table: Path) -> Path:
    return taught(table, "字", model="ngrams")


def measured(table: Path, *models: Path, further: tuple[str | Path, ...] = ()) -> Answer:
    named = [part for model in models for part in ("--model", model)]
    quick = ("--rows", "60", "--tries", "2", "--epsilon", "1.5")
    return call("robustness", *named, "--input", table, *COLUMNS, *quick, *further)


def test_every_way_has_a_figure_and_a_model_without_weights_says_so(
    table: Path, plain: Path, ngrams: Path, tmp_path: Path
) -> None:
    (tmp_path / "same.csv").write_text("word,synonyms\nlovely,soft\n", encoding="utf-8")
    further = ("--thesaurus", tmp_path / "same.csv", "--masked", table.parent / "base", "--encoder", "hashed")
    answer = measured(table, plain, ngrams, further=(*further, "--out", tmp_path / "out", "--json"))
    assert answer.code == 0, answer.err
    assert answer.json["schema"] == "huaxiang.robustness/1"
    assert answer.json["ways"] == ["clean", "typos", "synonyms", "masked", "pgd"]
    first, second = answer.json["models"]
    assert first["ways"]["clean"]["accuracy"] == 1.0
    assert first["ways"]["synonyms"]["accuracy"] < 0.8, "lovely became soft"
    assert first["ways"]["pgd"]["worst"] <= first["ways"]["pgd"]["accuracy"] < 1.0
    assert (first["left_out"], first["ways"]["typos"]["beside_first"]) == ({}, None)
    assert second["left_out"] == {"pgd": "ngrams: no torch weights, measured under rewriting only"}
    assert second["ways"]["synonyms"]["beside_first"] == {"difference": 0.0, "low": 0.0, "high": 0.0}
    kept = json.loads((tmp_path / "out/robustness.json").read_text(encoding="utf-8"))
    assert kept["models"] == answer.json["models"]
    assert "typos 错别字" in (tmp_path / "out/robustness.svg").read_text(encoding="utf-8")


def test_people_read_a_table_the_differences_and_what_was_left_out(
    table: Path, ngrams: Path, plain: Path
) -> None:
    answer = measured(table, ngrams, plain, further=("--ways", "typos,pgd"))
    assert answer.code == 0, answer.err
    assert "plain - 字, typos: " in answer.out
    assert "plain - 字, pgd" not in answer.out, "the first has no figure to compare with"
    assert "字, pgd: ngrams: no torch weights, measured under rewriting only" in answer.out


def test_the_same_command_says_the_same_again(table: Path, plain: Path) -> None:
    first, again = (measured(table, plain, further=("--json",)).json["models"] for _ in "ab")
    assert first == again


@pytest.mark.slow
def test_a_model_taught_by_fgm_loses_less_under_pgd_and_nothing_clean(table: Path, plain: Path) -> None:
    hardened = network(table, "fgm", "adversarial=fgm", "epsilon=2")
    answer = measured(table, plain, hardened, further=("--ways", "pgd", "--rows", "120", "--json"))
    without, with_ = (model["ways"] for model in answer.json["models"])
    assert with_["clean"]["accuracy"] >= without["clean"]["accuracy"] - 0.01
    assert with_["pgd"]["accuracy"] > without["pgd"]["accuracy"] + 0.1
    assert with_["pgd"]["beside_first"]["low"] > 0


@pytest.mark.parametrize(
    ("further", "message"),
    [
        (("--ways", "typos,noise"), "setting is not known: --ways 'noise'; choose clean, typos, synonyms"),
        (("--ways", "synonyms"), "way needs more: ways 'synonyms'; give a thesaurus (--thesaurus FILE)"),
        (("--epsilon", "0"), "setting is out of range: epsilon '0.0'"),
        (("--label", "grade"), "no such column: rows.csv grade"),
    ],
    ids=["way", "thesaurus", "epsilon", "column"],
)
def test_what_can_not_be_measured_is_refused(
    table: Path, ngrams: Path, further: tuple[str, ...], message: str
) -> None:
    answer = measured(table, ngrams, further=further)
    assert answer.code == 2
    assert message in answer.err


def test_a_label_that_a_model_does_not_know_names_its_line(table: Path, ngrams: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(table.read_text(encoding="utf-8") + "a lovely hat,7\n", encoding="utf-8")
    answer = measured(tmp_path / "t.csv", ngrams)
    assert answer.code == 2
    assert "label is unknown to the model 字: t.csv:242 '7'" in answer.err
    assert "the model knows 0, 1" in answer.err


def test_only_classifiers_are_compared_each_once(table: Path, ngrams: Path, tmp_path: Path) -> None:
    said = ("finetune", "regress", "--train", table, *COLUMNS, "--model", "ngrams", "--out", tmp_path / "r")
    assert call(*said).code == 0
    assert "model chooses no class" in measured(table, tmp_path / "r").err
    assert "model is given twice: --model" in measured(table, ngrams, ngrams).err
    assert "no fine-tuned model" in measured(table, tmp_path).err
