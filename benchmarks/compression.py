"""What each way to make a fine-tuned model smaller costs: size, speed, quality, and the Pareto front.

    python benchmarks/compression.py --model models/sentiment --train reviews.csv.gz \
        [--ways half+int8,small+int8,…] [--seeds 7,8,9] [--out runs/compression]

A way is any of tiny, small, medium, base, half, third or a folder (the student), prune=.3, neurons=.3, trim
and int8, joined by +. Figures are of the teacher's own test rows; speeds are of one and of two threads,
warmed, the forms of one way taking turns. A star marks what no other form of its way beats.
Wanted: ≥ 4 times smaller and ≥ 2 times faster with at most half a point lost.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from huaxiang.evaluate.hardware import hardware

WAYS = "int8,trim+int8,half+int8,half+trim+int8,small+trim+int8,tiny+trim+int8,prune=.3+int8"


def main() -> None:
    """Print one table for all ways: the mean over seeds, and the spread of the quality."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="folder that huaxiang finetune wrote")
    parser.add_argument("--train", type=Path, required=True, help="the table it learnt from")
    parser.add_argument("--ways", default=WAYS)
    parser.add_argument("--seeds", default="7")
    parser.add_argument("--out", type=Path, default=Path("runs/compression"))
    parser.add_argument("more", nargs="*", help="further options of huaxiang compress, after --")
    asked = parser.parse_args()
    seeds = [int(seed) for seed in asked.seeds.split(",")]
    print(hardware())
    for way in asked.ways.split(","):
        tables = [compressed(asked, way, seed) for seed in seeds]
        for rows in zip(*tables, strict=True):
            print(line(way, rows))


def compressed(asked: argparse.Namespace, way: str, seed: int) -> list[dict[str, Any]]:
    """Return the table of one way and seed."""
    out = asked.out / f"{way.replace('/', '_')}_{seed}"
    command = [sys.executable, "-m", "huaxiang", "compress", "--model", asked.model, "--train", asked.train]
    command += [*options(way), "--seed", str(seed), "--out", out, "--json", *asked.more]
    said = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, check=True)
    rows: list[dict[str, Any]] = json.loads(said.stdout)["metrics"]["variants"]
    return rows


def options(way: str) -> list[str]:
    """Return what to say to `huaxiang compress` for a way.

    Examples
    --------
    >>> options("half+prune=.3+int8")
    ['--distil', 'half', '--prune', '.3', '--int8']
    """
    found: list[str] = []
    for part in way.split("+"):
        name, _, share = part.partition("=")
        known = {"int8": ["--int8"], "trim": ["--trim-vocabulary"]}
        known |= {"prune": ["--prune", share], "neurons": ["--prune-neurons", share]}
        found += known.get(name, ["--distil", part])
    return found


def line(way: str, rows: tuple[dict[str, Any], ...]) -> str:
    """Return one form of one way over its seeds."""
    first = rows[0]
    best = next(name.removesuffix("_change") for name in first if name.endswith("_change"))
    quality = [row[best] for row in rows]
    means = {
        name: statistics.mean(row[name] for row in rows)
        for name in first
        if name not in ("variant", "pareto")
    }
    speeds = f"{means['texts_per_s_1']:8.1f} {means['texts_per_s_2']:8.1f} texts/s"
    return (
        f"{way:28} {first['variant']:26} {first['parameters']:>12,} {means['model_mb']:8.2f} MB, "
        f"{means['times_smaller']:.2f}x smaller; {speeds}, {means['times_faster']:.2f}x faster; "
        f"{best} {means[best]:.4f} [{min(quality):.4f}, {max(quality):.4f}] "
        f"{means[best + '_change']:+.4f}{' *' if first['pareto'] else ''}"
    )


if __name__ == "__main__":
    main()
