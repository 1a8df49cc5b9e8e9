"""Our models beside other projects', on the same files, protocol and metrics.

    python benchmarks/peers_amazon.py [--peers implicit,rectools] [--models neighbours,ease,closed_form]
        [--data ../shared/data/amazon_beauty] [--venv runs/peers] [--repeats 3]

Each package is installed in a virtual environment of its own, and runs as a process that is given the
training sequences and hands back lists as arrays; how good the lists are is computed here. Leave-one-out
over the full catalogue, masked: the newest 50 events, items already had left out. The settings of
`implicit` are chosen on the validation items from the grids below; the transformers of `RecTools` have
their authors' settings but for the width, and stop by themselves on the validation items of 4,096
shoppers, or after 100 minutes; ours were chosen on them before. Repeats take turns, so that all suffer
alike from whatever else the machine does. Last it says how much CPU time each of ours took for the
validation NDCG that a transformer ended with, and the transformer itself.
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
MASKED = PROTOCOLS["masked"]

Settings = Mapping[str, Any]
Grid = Mapping[str, Sequence[Any]]
TRANSFORMER: Grid = {
    "n_factors": [64],
    "n_blocks": [2],
    "n_heads": [2],
    "dropout_rate": [0.2],
    "session_max_len": [50],
    "lr": [0.001],
    "batch_size": [128],
    "patience": [5],
    "minutes": [100],
}
GRIDS: Mapping[str, Mapping[str, Grid]] = {
    "implicit": {
        "implicit ALS": {
            "method": ["als"],
            "factors": [128, 256],
            "alpha": [1, 5, 20],
            "regularization": [0.01, 0.1],
        },
        "implicit item-kNN": {"method": ["cosine", "tfidf", "bm25"], "K": [20, 50, 100, 200]},
    },
    "rectools": {
        "RecTools SASRec": {**TRANSFORMER, "layers": ["sasrec"], "loss": ["softmax"]},
        "RecTools eSASRec": {
            **TRANSFORMER,
            "layers": ["ligr"],
            "loss": ["sampled_softmax"],
            "n_negatives": [256],
        },
    },
}
"""Package → model → settings to choose among; one way alone is not chosen."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One model, fitted and measured once."""

    measured: Measurement
    train_s: float
    train_cpu_s: float
    rank_s: float
    rank_cpu_s: float
    looks: Sequence[Mapping[str, float]] = ()
    """Validation NDCG@10 and the seconds until then, once for ours, after each epoch for a transformer."""


def main() -> None:
    """Choose the peers' settings, let everyone take turns, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--peers", default="implicit")
    parser.add_argument("--models", default="neighbours,ease,closed_form")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--venv", type=Path, default=Path("runs/peers"))
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    if not asked.data.exists():
        sys.exit(f"skipped: {asked.data} is absent")
    dataset = read_dataset(asked.data, cache=asked.cache, progress=lambda *_: None)
    print(f"{hardware()}; {dataset.name}, masked, {dataset.test.histories.n_shoppers} shoppers", flush=True)
    ours = asked.models.split(",")
    takers: dict[str, Callable[[int], Turn]] = {name: partial(our_turn, name, dataset) for name in ours}
    for package in asked.peers.split(","):
        python = peers_python(asked.venv / package, package)
        for name, grid in GRIDS[package].items():
            peer = partial(peers_turn, package, python)
            settings = chosen_settings(peer, dataset, grid)
            print(f"{name}: {dict(settings)}", flush=True)
            takers[name] = partial(peer, name, settings, dataset, dataset.test)
    turns: dict[str, list[Turn]] = {name: [] for name in takers}
    for seed in range(asked.repeats):
        for name, take in takers.items():
            turns[name].append(take(seed))
    print_table(turns, ours)
    print_time_to(turns, ours)


def peers_python(venv: Path, package: str) -> Path:
    """Return a peer's interpreter; its environment is made where it is missing."""
    python = venv / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*install, "-r", str(PEERS / f"requirements_{package}.txt")], check=True, stderr=subprocess.DEVNULL
    )
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
    some = sample(dataset.validation, N_VALIDATION, seed=0)
    ndcg = float(measured_under(model, some, MASKED).ndcg_U.mean())
    began_cpu = time.process_time()
    measured = measured_under(model, dataset.test, MASKED)
    return Turn(
        measured=measured,
        train_s=train_s,
        train_cpu_s=train_cpu_s,
        rank_s=measured.rank_s,
        rank_cpu_s=time.process_time() - began_cpu,
        looks=[{"ndcg": ndcg, "train_s": train_s, "train_cpu_s": train_cpu_s}],
    )


def chosen_settings(peer: Callable[..., Turn], dataset: Dataset, grid: Grid) -> Settings:
    """Return the settings of the grid with the best NDCG of the validation items of a sample."""
    some = sample(dataset.validation, N_VALIDATION, seed=0)
    ways = [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
    if len(ways) == 1:
        return ways[0]
    turns = [peer("peer", way, dataset, some, 0) for way in ways]
    best = max(range(len(ways)), key=lambda number: turns[number].measured.ndcg_U.mean())
    return ways[best]


def peers_turn(
    package: str, python: Path, name: str, settings: Settings, dataset: Dataset, targets: Targets, seed: int
) -> Turn:
    """Return a peer's figures: it lists in a process of its own, and is measured here."""
    histories = newest(targets.histories, MASKED.history)
    cut_off = int((targets.histories.lengths() - histories.lengths()).max())
    with tempfile.TemporaryDirectory() as given:
        folder = Path(given)
        some = sample(dataset.validation, N_VALIDATION, seed=0)
        _write(folder, "training", dataset.training)
        _write(folder, "histories", histories)
        _write(folder, "validation", newest(some.histories, MASKED.history))
        np.save(folder / "validation.wanted.npy", some.item_rows)
        sizes = [dataset.catalogue.n_items, K + cut_off]
        (folder / "sizes.json").write_text(json.dumps(sizes), encoding="utf-8")
        command = [
            str(python),
            "-W",
            "ignore",
            str(PEERS / f"{package}_lists.py"),
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


def print_time_to(turns: Mapping[str, Sequence[Turn]], ours: Sequence[str]) -> None:
    """Print the CPU time until the validation NDCG that each transformer ended with."""
    for name, taken in turns.items():
        best = [max((look["ndcg"] for look in turn.looks), default=0.0) for turn in taken]
        if name in ours or not any(best):
            continue
        goal = statistics.median(best)
        print(f"CPU-s of training until the validation NDCG@{K} of {name}, {goal:.4f}:")
        for other in (*ours, name):
            reached = [
                _time_to(turn, goal if other in ours else own)
                for turn, own in zip(turns[other], best, strict=True)
            ]
            print(f"  {other:18} {', '.join('not reached' if s is None else f'{s:.0f}' for s in reached)}")


def _time_to(turn: Turn, goal: float) -> float | None:
    return next((look["train_cpu_s"] for look in turn.looks if look["ndcg"] >= goal), None)


def print_table(turns: Mapping[str, Sequence[Turn]], ours: Sequence[str]) -> None:
    """Print figures and cost of each model, and what ours have over the peers, shopper by shopper."""
    for name, taken in turns.items():
        figures = ", ".join(_figure(taken, figure) for figure in ("recall_U", "ndcg_U"))
        wall = " + ".join(_median(taken, cost) for cost in ("train_s", "rank_s"))
        cpu = " + ".join(_median(taken, cost) for cost in ("train_cpu_s", "rank_cpu_s"))
        print(f"{name:18} {figures}; fit + rank {wall} s, {cpu} CPU-s")
    for own, peer in product(ours, [name for name in turns if name not in ours]):
        gaps = ", ".join(_gap(turns[own], turns[peer], figure) for figure in ("recall_U", "ndcg_U"))
        print(f"{own} minus {peer}: {gaps}")


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
