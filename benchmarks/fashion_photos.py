"""Claim: a photo encoder taught from scratch on a shop's photos tells them apart and finds them by words.

By command, `huaxiang pretrain image` on the products of `fashion`, or of any folder with the same files,
split by title: what is learnt, what the weights are chosen by, and what is reported never share a title.
Beside it the same network untrained, a linear model on the title's character TF-IDF, and both together.
Retrieval is among products of different titles that nobody learnt from.

    python benchmarks/fashion_photos.py --limit 2000 --epochs 2 --seeds 0      # a quick check
    python benchmarks/fashion_photos.py --seeds 0,1,2                          # the full size
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from huaxiang.encoders.pretraining.photo_served import PhotoTagger
from huaxiang.encoders.product_tags import Likely, fused
from huaxiang.evaluate.hardware import hardware
from huaxiang.metrics import paired_bootstrap_interval
from huaxiang.shop.images import Photos

DATA = Path(__file__).parents[1].parent / "shared" / "data" / "fashion"
COLUMNS = ("subCategory", "articleType", "baseColour", "usage")
PHOTOS = "images_60x80.zip"
RECALLS = (
    "text_to_photo_recall@1",
    "text_to_photo_recall@10",
    "photo_to_text_recall@1",
    "photo_to_text_recall@10",
)
WEIGHTS = np.linspace(0, 1, 21)
Shares = NDArray[np.float64]


@dataclass(frozen=True)
class Told:
    """How likely each class is for some products, and which is true (−1 where it was never learnt)."""

    likely: Shares
    true: NDArray[np.int64]

    @property
    def right(self) -> NDArray[np.bool_]:
        """Which products were told right."""
        return np.asarray(self.likely.argmax(1) == self.true)


def main() -> None:
    """Print two Markdown tables, and keep the figures as JSON."""
    asked = _arguments()
    if not (asked.data / "products.csv.gz").exists():
        sys.exit(f"skipped: needs {asked.data}")
    print(hardware())
    runs = []
    for seed in asked.seeds:
        with tempfile.TemporaryDirectory() as folder:
            table = _table(asked.data, asked.limit, Path(folder))
            out = asked.out / f"seed-{seed}"
            facts = _pretrain(table, asked, out, seed)
            runs.append({"facts": facts, "columns": _columns(table, asked.data / PHOTOS, out, seed)})
            (asked.out / "figures.json").write_text(json.dumps(runs, indent=1), encoding="utf-8")
    _print_cost(runs)
    _print_columns([run["columns"] for run in runs])
    _print_retrieval([run["facts"] for run in runs])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with products.csv.gz and " + PHOTOS)
    parser.add_argument("--out", type=Path, default=Path("runs/fashion-photos"))
    parser.add_argument(
        "--seeds", type=lambda said: [int(seed) for seed in said.split(",")], default=[0, 1, 2]
    )
    parser.add_argument("--epochs", type=float, default=30)
    parser.add_argument(
        "--limit", type=int, default=None, help="products, drawn by a fixed seed; all if not said"
    )
    parser.add_argument("--network", default="resnet18")
    parser.add_argument("--size", default="60x80")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--still-text", action="store_true", help="leave the text encoder as it is")
    parser.add_argument("--set", action="append", default=[], help="a setting of `huaxiang pretrain image`")
    return parser.parse_args()


def _table(data: Path, limit: int | None, folder: Path) -> Path:
    products = pl.read_csv(data / "products.csv.gz", infer_schema=False)
    if limit is not None:
        products = products.sample(min(limit, len(products)), seed=0)
    products.write_csv(folder / "products.csv")
    return folder / "products.csv"


def _pretrain(table: Path, asked: argparse.Namespace, out: Path, seed: int) -> dict[str, Any]:
    """Run the command, or go on with one that was stopped; its progress stays on stderr."""
    tags = [word for column in COLUMNS for word in ("--tags", column)]
    command = [sys.executable, "-m", "huaxiang", "pretrain", "image", "--json", "--skip-missing"]
    command += ["--table", str(table), "--photos", str(asked.data / PHOTOS), "--text", "title", *tags]
    command += ["--objective", "tags+contrastive", "--from-scratch", asked.network, "--size", asked.size]
    command += ["--epochs", str(asked.epochs), "--batch", str(asked.batch), "--seed", str(seed)]
    command += ["--learning-rate", str(asked.learning_rate), "--out", str(out)]
    command += [] if asked.still_text else ["--tune-text"]
    command += [word for change in ("fewest_of_a_tag=1", *asked.set) for word in ("--set", change)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout)
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


def _columns(table: Path, photos: Path, out: Path, seed: int) -> dict[str, Any]:
    """Return the figures of each column from photo, title and both, on the part nobody learnt from."""
    products = pl.read_csv(table, infer_schema=False)
    held_out = json.loads((out / "held_out.json").read_text(encoding="utf-8"))
    asked = {part: products.filter(pl.col("id").is_in(held_out[part])) for part in ("validation", "test")}
    learnt = products.filter(~pl.col("id").is_in([*held_out["validation"], *held_out["test"]]))
    tagger, place = PhotoTagger(out), Photos(photos)
    likely = {
        part: tagger.likely([place.get(f"{one}.jpg") for one in rows["id"]])[0]
        for part, rows in asked.items()
    }
    words = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=2)
    titles_NV = words.fit_transform(learnt["title"].fill_null(""))
    figures = {}
    for column in COLUMNS:
        classes = [value for dimension, value in tagger.tags if dimension == column]
        linear = LogisticRegression(C=30, max_iter=300, random_state=seed).fit(titles_NV, learnt[column])
        by_photo, by_title = {}, {}
        for part, rows in asked.items():
            true = np.array([classes.index(value) if value in classes else -1 for value in rows[column]])
            by_photo[part] = Told(likely[part][:, tagger.choices[column]].astype(float), true)
            said = linear.predict_proba(words.transform(rows["title"].fill_null("")))
            by_title[part] = Told(_in_order(said, list(linear.classes_), classes), true)
        figures[column] = _compared(by_photo, by_title, seed)
    return figures


def _in_order(said: Shares, known: list[str], classes: list[str]) -> Shares:
    ordered = np.zeros((len(said), len(classes)))
    for at, value in enumerate(known):
        if value in classes:
            ordered[:, classes.index(value)] = said[:, at]
    return ordered


def _compared(photo: dict[str, Told], title: dict[str, Told], seed: int) -> dict[str, Any]:
    """Return accuracy and macro-F1 of each way; the fusion's weight is chosen on the validation part."""
    weight = max(WEIGHTS, key=lambda w: _fused(photo["validation"], title["validation"], w).right.mean())
    fused = _fused(photo["test"], title["test"], float(weight))
    ways = {"photo": photo["test"], "title": title["test"], "fused": fused}
    figures: dict[str, Any] = {name: _figures(told) for name, told in ways.items()}
    rng = np.random.default_rng(seed)
    figures["fused over the better one"] = paired_bootstrap_interval(
        fused.right, max(photo["test"].right, title["test"].right, key=np.mean), rng=rng
    )
    return figures | {"weight of the photo": float(weight)}


def _fused(photo: Told, title: Told, weight: float) -> Told:
    both = fused(_likely(photo), _likely(title), photo_weight=weight)
    return Told(both.shares_IV.astype(float), photo.true)


def _likely(told: Told) -> Likely:
    n_items, n_values = told.likely.shape
    values = tuple(str(at) for at in range(n_values))
    return Likely(values=values, shares_IV=told.likely, present_I=np.ones(n_items, np.bool_))


def _figures(told: Told) -> dict[str, float]:
    guessed = told.likely.argmax(1)
    macro = f1_score(told.true, guessed, average="macro", zero_division=0.0)
    return {"accuracy": float(told.right.mean()), "macro_f1": float(macro)}


def _print_cost(runs: list[dict[str, Any]]) -> None:
    facts = runs[0]["facts"]
    minutes = [run["facts"]["learnt"]["seconds"] / 60 for run in runs]
    rows, learnt = facts["rows"], facts["learnt"]
    print(f"\n{len(runs)} seeds; {rows['learnt']:,} products learnt, {rows['test']:,} reported; ", end="")
    print(
        f"{facts['n_parameters']:,} parameters, {learnt['steps']:,} steps in {learnt['precision']}; ", end=""
    )
    print(f"fit {_spread(minutes, 1)} min\n")


def _print_columns(runs: list[dict[str, Any]]) -> None:
    print(
        "| column | way | accuracy | macro-F1 | fused − better alone, 95 % |\n| --- | --- | --- | --- | --- |"
    )
    for column in COLUMNS:
        for way in ("photo", "title", "fused"):
            cells = [_spread([run[column][way][name] for run in runs]) for name in ("accuracy", "macro_f1")]
            gaps = [run[column]["fused over the better one"] for run in runs]
            interval = "; ".join(f"{low:+.4f} … {high:+.4f}" for low, high in gaps) if way == "fused" else ""
            print(f"| {column} | {way} | {cells[0]} | {cells[1]} | {interval} |")


def _print_retrieval(facts: list[dict[str, Any]]) -> None:
    among = facts[0]["metrics"]["test"]["n_found_among"]
    print(
        f"\n| among {among:,.0f} unseen products | untrained | taught | chance |\n| --- | --- | --- | --- |"
    )
    for name in RECALLS:
        cells = [_spread([one["metrics"][part][name] for one in facts]) for part in ("untrained", "test")]
        chance = int(name.rpartition("@")[2]) / among
        print(f"| {name.replace('_', ' ')} | {cells[0]} | {cells[1]} | {chance:.4f} |")


def _spread(values: list[float], digits: int = 4) -> str:
    middle = f"{statistics.mean(values):.{digits}f}"
    return middle if len(values) < 2 else f"{middle} ± {statistics.stdev(values):.{digits}f}"


if __name__ == "__main__":
    main()
