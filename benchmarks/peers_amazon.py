"""Our simplest models beside another project's, on the same files, protocol and metrics.

    python benchmarks/peers_amazon.py [--data ../shared/data/amazon_beauty] [--venv runs/peers] [--repeats 3]

The package `implicit` is installed in a virtual environment of its own, and runs as a process that is given
the training sequences and hands back lists as arrays; how good the lists are is computed here.
Leave-one-out over the full catalogue, masked: the newest 50 events, items already had left out. The peers'
settings are chosen on the validation items from the grids below, ours were chosen on them before. Repeats
take turns, so that all suffer alike from whatever else the machine does.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huaxiang.evaluate.amazon import (
    N_VALIDATION,
    PROTOCOLS,
    Dataset,
    measured_under,
    read_dataset,
    recommender_for,
    sample,
)
from huaxiang.evaluate.hardware import hardware
from huaxiang.evaluate.measure import K, Measurement, measurement
from huaxiang.metrics import bootstrap_interval, paired_bootstrap_interval
from huaxiang.recommend.base import Histories, Targets, TrainingData
from huaxiang.recommend.histories import newest

DATA = Path(__file__).parents[1].parent / "shared" / "data" / "amazon_beauty"
PEERS = Path(__file__).with_name("peers")
OURS = ("neighbours", "ease", "closed_form")
MASKED = PROTOCOLS["masked"]

Settings = Mapping[str, Any]
GRIDS: Mapping[str, Mapping[str, Sequence[Any]]] = {
    "implicit ALS": {
        "method": ["als"],
        "factors": [128, 256],
        "alpha": [1, 5, 20],
        "regularization": [0.01, 0.1],
    },
    "implicit item-kNN": {"method": ["cosine", "tfidf", "bm25"], "K": [20, 50, 100, 200]},
}


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One model, fitted and measured once."""

    measured: Measurement
    train_s: float
    train_cpu_s: float
    rank_s: float
    rank_cpu_s: float


def main() -> None:
    """Choose the peers' settings, let everyone take turns, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--venv", type=Path, default=Path("runs/peers"))
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    if not asked.data.exists():
        sys.exit(f"skipped: {asked.data} is absent")
    python = peers_python(asked.venv)
    dataset = read_dataset(asked.data, cache=asked.cache, progress=lambda *_: None)
    print(f"{hardware()}; {dataset.name}, masked, {dataset.test.histories.n_shoppers} shoppers", flush=True)
    takers: dict[str, Callable[[int], Turn]] = {name: partial(our_turn, name, dataset) for name in OURS}
    for name, grid in GRIDS.items():
        settings = chosen_settings(python, dataset, grid)
        print(f"{name}: {dict(settings)} chosen on validation", flush=True)
        takers[name] = partial(peers_turn, python, name, settings, dataset, dataset.test)
    turns: dict[str, list[Turn]] = {name: [] for name in takers}
    for seed in range(asked.repeats):
        for name, take in takers.items():
            turns[name].append(take(seed))
    print_table(turns)


def peers_python(venv: Path) -> Path:
    """Return the peers' interpreter; their environment is made where it is missing."""
    python = venv / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "-r", str(PEERS / "requirements.txt")], check=True, stderr=subprocess.DEVNULL)
    return python.absolute()


def our_turn(name: str, dataset: Dataset, seed: int) -> Turn:
    """Return one of our models' figures on the test items."""
    model = recommender_for(name, MASKED.name)
    training = TrainingData(
        histories=dataset.training, catalogue=dataset.catalogue, vectors=dataset.vectors, seed=seed
    )
    began, began_cpu = time.perf_counter(), time.process_time()
    model.fit(training)
    train_s, train_cpu_s = time.perf_counter() - began, time.process_time() - began_cpu
    began_cpu = time.process_time()
    measured = measured_under(model, dataset.test, MASKED)
    return Turn(
        measured=measured,
        train_s=train_s,
        train_cpu_s=train_cpu_s,
        rank_s=measured.rank_s,
        rank_cpu_s=time.process_time() - began_cpu,
    )


def chosen_settings(python: Path, dataset: Dataset, grid: Mapping[str, Sequence[Any]]) -> Settings:
    """Return the settings of the grid with the best NDCG of the validation items of a sample."""
    some = sample(dataset.validation, N_VALIDATION, seed=0)
    ways = [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
    turns = [peers_turn(python, "peer", way, dataset, some, 0) for way in ways]
    best = max(range(len(ways)), key=lambda number: turns[number].measured.ndcg_U.mean())
    return ways[best]


def peers_turn(
    python: Path, name: str, settings: Settings, dataset: Dataset, targets: Targets, seed: int
) -> Turn:
    """Return a peer's figures: it lists in a process of its own, and is measured here."""
    histories = newest(targets.histories, MASKED.history)
    cut_off = int((targets.histories.lengths() - histories.lengths()).max())
    with tempfile.TemporaryDirectory() as given:
        folder = Path(given)
        _write(folder, "training", dataset.training)
        _write(folder, "histories", histories)
        sizes = [dataset.catalogue.n_items, K + cut_off]
        (folder / "sizes.json").write_text(json.dumps(sizes), encoding="utf-8")
        command = [
            str(python),
            "-W",
            "ignore",
            str(PEERS / "implicit_lists.py"),
            given,
            json.dumps(settings),
            str(seed),
        ]
        # implicit has threads of its own, and asks that OpenBLAS should not start more.
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        environment.pop("PYTHONPATH", None)
        subprocess.run(command, check=True, env=environment)
        top_UK = np.load(folder / "top.npy", allow_pickle=False)
        cost = json.loads((folder / "cost.json").read_text(encoding="utf-8"))
    measured = measurement(name, not_had(top_UK, targets.histories), targets, rank_s=cost["rank_s"])
    return Turn(measured=measured, **cost)


def _write(folder: Path, name: str, histories: Histories) -> None:
    np.save(folder / f"{name}.offsets.npy", histories.offsets)
    np.save(folder / f"{name}.items.npy", histories.item_rows)


def not_had(top_UK: NDArray[np.int32], had: Histories) -> NDArray[np.int32]:
    """Return the first items of each list that its shopper has not had, -1 where the list is too short."""
    lists_UK = np.full((len(top_UK), K), -1, dtype=np.int32)
    for row, listed_K in enumerate(top_UK):
        own = had.item_rows[had.offsets[row] : had.offsets[row + 1]]
        left = listed_K[(listed_K >= 0) & ~np.isin(listed_K, own)][:K]
        lists_UK[row, : len(left)] = left
    return lists_UK


def print_table(turns: Mapping[str, Sequence[Turn]]) -> None:
    """Print figures and cost of each model, and what ours have over the peers, shopper by shopper."""
    for name, taken in turns.items():
        figures = ", ".join(_figure(taken, figure) for figure in ("recall_U", "ndcg_U"))
        wall = " + ".join(_median(taken, cost) for cost in ("train_s", "rank_s"))
        cpu = " + ".join(_median(taken, cost) for cost in ("train_cpu_s", "rank_cpu_s"))
        print(f"{name:18} {figures}; fit + rank {wall} s, {cpu} CPU-s")
    for ours, theirs in product(OURS, GRIDS):
        gaps = ", ".join(_gap(turns[ours], turns[theirs], figure) for figure in ("recall_U", "ndcg_U"))
        print(f"{ours} minus {theirs}: {gaps}")


def _median(taken: Sequence[Turn], cost: str) -> str:
    spent = [float(getattr(turn, cost)) for turn in taken]
    return f"{statistics.median(spent):.1f} [{min(spent):.1f}, {max(spent):.1f}]"


def _per_shopper(taken: Sequence[Turn], figure: str) -> NDArray[np.float64]:
    return np.asarray(np.mean([getattr(turn.measured, figure) for turn in taken], axis=0))


def _figure(taken: Sequence[Turn], figure: str) -> str:
    values_U = _per_shopper(taken, figure)
    low, high = bootstrap_interval(values_U, rng=np.random.default_rng(0))
    return f"{figure[:-2]}@{K} {values_U.mean():.4f} [{low:.4f}, {high:.4f}]"


def _gap(ours: Sequence[Turn], theirs: Sequence[Turn], figure: str) -> str:
    ours_U, theirs_U = _per_shopper(ours, figure), _per_shopper(theirs, figure)
    low, high = paired_bootstrap_interval(ours_U, theirs_U, rng=np.random.default_rng(0))
    return f"{figure[:-2]}@{K} {(ours_U - theirs_U).mean():+.4f} [{low:+.4f}, {high:+.4f}]"


if __name__ == "__main__":
    main()
