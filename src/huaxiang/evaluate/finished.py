"""Fits of a benchmark that ended: what they listed is kept, so that a stopped benchmark goes on after them.

What was learnt from, every setting, the seed and the sources of the recommenders make the key: a fit is read
back only where it would come out the same.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from huaxiang.errors import StorageError
from huaxiang.evaluate.measure import Measurement, measurement
from huaxiang.files import write_json, write_whole
from huaxiang.recommend.base import Recommender, Targets

VERSION = 1
SOURCES = (
    "recommend",
    "training.py",
    "metrics.py",
    "ranking",
    "evaluate/amazon.py",
    "evaluate/disturbed.py",
    "evaluate/fitted.py",
)
"""What decides, besides data and settings, what is listed; paths below the package."""


def key_of(model: Recommender, **facts: Any) -> dict[str, Any]:
    """Return what must be the same for a finished fit to be read back."""
    return json.loads(  # type: ignore[no-any-return]
        json.dumps(
            {"version": VERSION, "sources": _sources(), "model": _described(model), **facts}, sort_keys=True
        )
    )


def read_finished(
    file: Path, key: Mapping[str, Any], targets: Mapping[str, Targets]
) -> tuple[dict[str, Measurement], dict[str, Any]] | None:
    """Return how well each split was foretold and what else was kept; None where there is no such fit."""
    try:
        with file.open("rb") as source, np.load(source, allow_pickle=False) as kept:
            said = json.loads(str(kept["said"]))
            if said["key"] != key:
                return None
            measured = {
                name: measurement(said["key"]["model"]["name"], kept[name], own, rank_s=said["rank_s"][name])
                for name, own in targets.items()
            }
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None  # not there, or cut off: it is fitted again
    return measured, said["facts"]


def keep_finished(
    file: Path, key: Mapping[str, Any], measured: Mapping[str, Measurement], facts: Mapping[str, Any]
) -> None:
    """Write what `read_finished` reads, beside its place first.

    Raises
    ------
    StorageError
        It can't be written.
    """
    rank_s = {name: own.rank_s for name, own in measured.items()}
    said = json.dumps({"key": key, "rank_s": rank_s, "facts": facts})
    arrays: dict[str, Any] = {name: own.top_UK for name, own in measured.items()}
    out = io.BytesIO()
    np.savez_compressed(out, said=np.array(said), **arrays)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, out.getvalue())
    except OSError as error:
        remedy = "free some space, or choose another folder"
        raise StorageError("finished fit can't be written", file=str(file), remedy=remedy) from error


def write_results(folder: Path, results: Mapping[str, Any]) -> None:
    """Write the whole result as JSON, its tables as Markdown and its picture as PNG."""
    from huaxiang.evaluate.charts import intervals

    write_json(folder / "results.json", results)
    (folder / "results.md").write_text(tables_of(results), encoding="utf-8")
    intervals(
        {
            one["protocol"]: {row["name"]: row["test"]["ndcg@10"] for row in one["models"]}
            for one in results["protocols"]
        },
        folder / "results.png",
        label="NDCG@10",
    )


def tables_of(results: Mapping[str, Any]) -> str:
    """Return one Markdown table per protocol, and the machine."""
    swapped = f", neighbours swapped with probability {results['swap']:g}" if results["swap"] else ""
    size = f"{results['n_shoppers']:,} shoppers, {results['n_items']:,} items"
    parts = [f"# {results['dataset']}{swapped}\n\n{size}\n"]
    for one in results["protocols"]:
        parts.append(
            f"\n## {one['protocol']}, histories of up to {one['history']}\n\n"
            "| model | Recall@10 | NDCG@10 | seeds | validation | NDCG@10 − best "
            "| training, CPU s | ranking, s |\n"
            "| --- | --- | --- | --- | --- | --- | --- | --- |\n"
        )
        parts += [_line(row) for row in one["models"]]
        parts += _refits([row for row in one["models"] if "refit" in row])
        parts += _groups("taken before", _by_name(one["by_interactions"]))
        parts += _groups("events known", one.get("newcomers", {}))
    return "".join([*parts, f"\n{results['hardware']}; huaxiang {version('huaxiang')}\n"])


def _line(row: Mapping[str, Any]) -> str:
    name = f"**{row['name']}**" if row["is_best"] else row["name"]
    recall, ndcg = (_interval(row["test"][figure]) for figure in ("recall@10", "ndcg@10"))
    seeds = ", ".join(f"{value:.4f}" for value in row["test"]["ndcg@10"]["per_seed"])
    validation = " / ".join(f"{row['validation'][figure]:.4f}" for figure in ("recall@10", "ndcg@10"))
    gap = _interval(row["gap_to_best"]) if row["gap_to_best"] else ""
    seconds = f"{row['train_cpu_s']:.0f} | {row['rank_s']:.1f}"
    return f"| {name} | {recall} | {ndcg} | {seeds} | {validation} | {gap} | {seconds} |\n"


def _refits(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a table of what the second fits listed, which had the validation items to learn from."""
    if not rows:
        return []
    lines = [
        "\nLearnt again with the validation items\n\n| model | Recall@10 | NDCG@10 |\n| --- | --- | --- |\n"
    ]
    for row in rows:
        recall, ndcg = (_interval(row["refit"][figure]) for figure in ("recall@10", "ndcg@10"))
        lines.append(f"| {row['name']} | {recall} | {ndcg} |\n")
    return lines


def _by_name(groups: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return the groups that hold somebody, as their range and number say them."""
    told = {}
    for group in groups:
        low, high = group["from"], group["to"]
        name = f"{low}+" if high is None else str(low) if low == high else f"{low}–{high}"
        if group["n"]:
            told[f"{name} ({group['n']:,})"] = group["recall@10"]
    return told


def _groups(head: str, groups: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return a table of Recall@10, one line per group."""
    if not groups:
        return []
    names = list(next(iter(groups.values())))
    lines = [f"\nRecall@10\n\n| {head} | {' | '.join(names)} |\n", f"| --- {'| --- ' * len(names)}|\n"]
    return lines + [
        f"| {group} | {' | '.join(_interval(figures[name]) for name in names)} |\n"
        for group, figures in groups.items()
    ]


def _interval(figure: Mapping[str, float]) -> str:
    return f"{figure['mean']:.4f} [{figure['low']:.4f}, {figure['high']:.4f}]"


def _described(model: Recommender) -> dict[str, Any]:
    members = getattr(model, "members", {})
    config = getattr(model, "config", None)
    return {
        "name": model.name,
        "config": asdict(config) if config is not None else {},
        "members": {name: _described(member) for name, member in members.items()},
    }


@lru_cache(maxsize=1)
def _sources() -> str:
    root = Path(__file__).parents[1]
    total = hashlib.sha256()
    for name in SOURCES:
        files = sorted((root / name).rglob("*.py")) if (root / name).is_dir() else [root / name]
        for file in files:
            total.update(file.read_bytes())
    return total.hexdigest()[:16]
