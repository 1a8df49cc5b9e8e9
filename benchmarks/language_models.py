"""Pretrained and fine-tuned language models against the simplest way, by the commands that users give.

    python benchmarks/language_models.py chinese|clothing [--table FILE] [--test FILE] [--seeds 0,1,2]

`chinese`: a tokenizer and a small BERT from the reviews themselves (hidden words, following passages), then
fine-tuned on their feeling; beside it scikit-learn's character TF-IDF with logistic regression, our runs
of words with a linear model, the same net without pretraining, and the mix of net and linear model. Wanted:
accuracy ≥ .955 with ≤ 20 M parameters in ≤ 60 minutes on two cores, above the others beyond the interval.

`clothing`: MiniLM in full and by LoRA on whether a dress is recommended (AUC ≥ .978) and on its rating
(mean distance ≤ .40), beside runs of words, and the mix of the two.

What is pretrained on never contains a test row: test rows are taken out of the table first, by their text.
A folder that is there already is not made again, so that a stopped run goes on.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from huaxiang.encoders.finetuning.predictor import Predictor
from huaxiang.encoders.finetuning.tables import Rows, read_rows, split_rows
from huaxiang.evaluate.hardware import hardware
from huaxiang.shop.tables import read_table

DATA = Path(__file__).parents[2] / "shared/data/reviews"
PRETRAIN = ("training.epochs=10", "training.learning_rate=1e-3", "max_tokens=160", "vocabulary=8000")
FINETUNE = (
    "training.epochs=3",
    "training.learning_rate=3e-4",
    "max_tokens=160",
    "dropout=0.2",
    "hidden_share=0.15",
)
CLOTHING = ("training.epochs=3", "training.learning_rate=5e-5", "max_tokens=160")
CLOTHING_LORA = ("training.epochs=3", "training.learning_rate=5e-4", "max_tokens=160")

LINEAR, FULL = "runs of words, linear", "MiniLM, full"
TFIDF = "character TF-IDF + logistic regression"

Figures = dict[str, list[float]]
Right = NDArray[np.bool_]


def main() -> None:
    """Make the models of each seed and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=("chinese", "clothing"))
    parser.add_argument("--table", type=Path)
    parser.add_argument("--test", type=Path, help="unseen rows of the same layout; else a tenth of the table")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--out", type=Path, default=Path("runs/language_models"))
    parser.add_argument("--limit", type=int, help="rows of the table, for a quick look")
    parser.add_argument("--quick", action="store_true", help="a tiny net and one round, for a quick look")
    asked = parser.parse_args()
    names = {"chinese": "online_shopping_10_cats.csv.gz", "clothing": "womens_clothing.csv.gz"}
    table = asked.table or DATA / names[asked.what]
    text = ["review"] if asked.what == "chinese" else ["Title", "Review Text"]
    label = "label" if asked.what == "chinese" else "Rating"
    folder = asked.out / asked.what
    folder.mkdir(parents=True, exist_ok=True)
    rest, test = separated(table, asked.test, text, label, folder, limit=asked.limit)
    print(f"{hardware()}; {table.name}: {_n_rows(rest):,} rows to learn from, {_n_rows(test):,} to test on")
    measure = chinese if asked.what == "chinese" else clothing
    found: dict[str, Figures] = {}
    for seed in (int(part) for part in asked.seeds.split(",")):
        for way, figures in measure(rest, test, folder / f"seed{seed}", seed, asked.quick).items():
            for name, value in figures.items():
                found.setdefault(way, {}).setdefault(name, []).append(value)
        print_table(found)


def separated(
    table: Path, test: Path | None, text: list[str], label: str, folder: Path, *, limit: int | None
) -> tuple[Path, Path]:
    """Write the rows to learn from and those to test on; none with a text of the other side."""
    rest_file, test_file = folder / "rest.parquet", folder / "test.parquet"
    rows = read_rows(table, text=text, label=label)
    if test is None:
        rest, held = split_rows(rows, share=0.1, salt="benchmark")
    else:
        held = read_rows(test, text=text, label=label)
        unseen = set(held.keys)
        rest = rows.take([row for row, key in enumerate(rows.keys) if key not in unseen])
    frame = read_table(table).frame
    lines = np.random.default_rng(0).permutation(rest.lines)[: limit or len(rest)]
    frame.filter(pl.col("huaxiang.line").is_in(lines.tolist())).write_parquet(rest_file)
    source = frame if test is None else read_table(test).frame
    source.filter(pl.col("huaxiang.line").is_in(held.lines.tolist())).write_parquet(test_file)
    return rest_file, test_file


def chinese(rest: Path, test: Path, folder: Path, seed: int, quick: bool) -> dict[str, dict[str, float]]:
    """Return the figures of each way for one seed."""
    size = "tiny" if quick else "small"
    fewer = ["training.epochs=1"] if quick else []
    columns = ["--text", "review", "--label", "label"]
    bert = folder / "bert"
    spent = made(
        ["pretrain", "text", "--texts", rest, "--text", "review", "--group", "category"]
        + ["--objective", "mlm+nsp", "--from-scratch", size, "--seed", seed, "--out", bert]
        + _set(*PRETRAIN, *fewer),
        bert,
    )
    seconds = {"pretraining": spent}
    for name, model, further in (
        (LINEAR, "ngrams", []),
        ("net, pretrained", bert, []),
        ("net, untrained start", bert, ["untrained=true"]),
    ):
        out = folder / name.replace(", ", "-").replace(" ", "-")
        seconds[name] = made(
            ["finetune", "classify", "--train", rest, "--test", test, *columns, "--model", model]
            + ["--seed", seed, "--out", out]
            + (_set(*FINETUNE, *further, *fewer) if model != "ngrams" else []),
            out,
        )
    mix = folder / "mix"
    _mixed([folder / "net-pretrained", folder / "runs-of-words-linear"], rest, test, columns, mix)
    names = {
        LINEAR: folder / "runs-of-words-linear",
        "net, untrained start": folder / "net-untrained-start",
        "net, pretrained": folder / "net-pretrained",
        "net, pretrained + runs of words": mix,
    }
    found = {name: _figures(place, ("accuracy", "macro_f1", "auc")) for name, place in names.items()}
    found["net, pretrained"]["minutes"] = (seconds["pretraining"] + seconds["net, pretrained"]) / 60
    rows = read_rows(test, text=["review"], label="label")
    right = {name: _right(place, rows) for name, place in names.items()}
    tfidf = tfidf_right(rest, rows)
    found = {TFIDF: {"accuracy": float(tfidf.mean())}, **found}
    _compare({TFIDF: tfidf, **right})
    return found


def tfidf_right(rest: Path, test: Rows) -> Right:
    """Return which test rows scikit-learn's character TF-IDF with logistic regression has right."""
    learnt = read_rows(rest, text=["review"], label="label")
    words = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), min_df=2, sublinear_tf=True)
    linear = LogisticRegression(C=10, max_iter=300).fit(words.fit_transform(learnt.texts), learnt.labels)
    return np.asarray(linear.predict(words.transform(test.texts)) == np.array(test.labels))


def clothing(rest: Path, test: Path, folder: Path, seed: int, quick: bool) -> dict[str, dict[str, float]]:
    """Return the figures of each way for one seed."""
    found: dict[str, dict[str, float]] = {}
    fewer = ["training.epochs=0.1"] if quick else []
    for name, model, further in (
        (LINEAR, "ngrams", ()),
        (FULL, "minilm", CLOTHING),
        ("MiniLM, LoRA", "minilm", (*CLOTHING_LORA, "method=lora")),
    ):
        for task, label, figure in (
            (["classify"], "Recommended IND", "auc"),
            (["regress", "--grades"], "Rating", "mae"),
        ):
            out = folder / _place(label, name)
            made(
                ["finetune", *task, "--train", rest, "--test", test, "--text", "Title"]
                + ["--text", "Review Text", "--label", label, "--model", model, "--seed", seed, "--out", out]
                + _set(*further, *(fewer if further else ())),
                out,
            )
            found.setdefault(name, {})[figure] = _figures(out, (figure,))[figure]
    columns = ["--text", "Title", "--text", "Review Text"]
    for label, figure in (("Recommended IND", "auc"), ("Rating", "mae")):
        members = [folder / _place(label, name) for name in (FULL, LINEAR)]
        mix = folder / _place(label, "mix")
        _mixed(members, rest, test, [*columns, "--label", label], mix)
        found.setdefault(f"{FULL} + runs of words", {})[figure] = _figures(mix, (figure,))[figure]
    return found


def _mixed(members: Sequence[Path], rest: Path, test: Path, columns: Sequence[object], mix: Path) -> None:
    """Make a weighted ensemble of two models, the weights chosen on rows that neither learnt from."""
    made(
        ["finetune", "ensemble", *(part for one in members for part in ("--member", one))]
        + ["--train", rest, "--test", test, *columns, "--way", "weighted", "--out", mix],
        mix,
    )


def _place(label: str, name: str) -> str:
    return f"{label}-{name}".replace(", ", "-").replace(" ", "-")


def made(command: Sequence[object], out: Path) -> float:
    """Run a command unless its folder is there; return the seconds that its fit took."""
    if not (out / "seconds.json").exists():
        started = time.perf_counter()
        said = [sys.executable, "-m", "huaxiang", *map(str, command)]
        subprocess.run(said, check=True, stdout=subprocess.DEVNULL)
        (out / "seconds.json").write_text(json.dumps(time.perf_counter() - started), encoding="utf-8")
    return float(json.loads((out / "seconds.json").read_text(encoding="utf-8")))


def print_table(found: Mapping[str, Figures]) -> None:
    """Print mean and range over the seeds."""
    names = sorted({name for figures in found.values() for name in figures})
    print("\n| way | " + " | ".join(names) + " |\n| --- |" + " --- |" * len(names))
    for way, figures in found.items():
        cells = [_cell(figures[name]) if name in figures else "" for name in names]
        print(f"| {way} | " + " | ".join(cells) + " |", flush=True)


def _compare(right: Mapping[str, Right]) -> None:
    """Print by how much each way differs from the last one, with paired bootstrap intervals."""
    last = list(right)[-1]
    n = len(right[last])
    drawn = np.random.default_rng(0).integers(0, n, (2000, n))
    for name in list(right)[:-1]:
        gap = right[last].astype(float) - right[name]
        low, high = np.percentile(gap[drawn].mean(1), [2.5, 97.5])
        print(f"{last} − {name}: {100 * gap.mean():+.2f} points [{100 * low:+.2f}, {100 * high:+.2f}]")


def _right(place: Path, rows: Rows) -> Right:
    said = Predictor(place).predict(rows.texts)["prediction"]
    return np.array([one == label for one, label in zip(said, rows.labels, strict=True)])


def _figures(place: Path, names: Sequence[str]) -> dict[str, float]:
    metrics = json.loads((place / "metrics.json").read_text(encoding="utf-8"))["test"]
    return {name: float(metrics[name]) for name in names if name in metrics}


def _set(*changes: str) -> list[str]:
    return [part for change in changes for part in ("--set", change)]


def _cell(values: Sequence[float]) -> str:
    if len(values) == 1:
        return f"{values[0]:.4f}"
    return f"{np.mean(values):.4f} [{min(values):.4f}, {max(values):.4f}]"


def _n_rows(file: Path) -> int:
    return int(pl.scan_parquet(file).select(pl.len()).collect().item())


if __name__ == "__main__":
    main()
