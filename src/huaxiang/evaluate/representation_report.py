"""What representations foretold, over several shops and cut dates, as one Markdown table with intervals.

A figure of a task is the mean over the cut dates; a difference from another representation is taken resample
by resample, with the same shoppers drawn for both, before its 95 % interval is read off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huaxiang.evaluate.representation import Outcome

Floats = NDArray[np.float64]
Results = Sequence[Mapping[str, Any]]


def as_json(outcomes: Mapping[str, Mapping[str, Outcome]]) -> dict[str, Any]:
    """Return what was foretold by task and representation, with all resamples, as JSON holds it."""
    return {
        task: {
            name: {
                "figures": [_number(figure) for figure in np.round(one.figure_B, 5).tolist()],
                "novelty": _number(one.novelty),
                "diversity": _number(one.diversity),
                "score": _number(one.score),
            }
            for name, one in by_name.items()
        }
        for task, by_name in outcomes.items()
    }


def table_of(results: Results, *, ours: str) -> str:
    """Return the Markdown tables: figures by shop and task, ours less the others, and how new and varied.

    Parameters
    ----------
    results
        One for each shop and cut date: `shop`, `cut`, `n_shoppers`, and `tasks` as `as_json` made them.
    ours
        Name of the representation that the others are compared with.
    """
    names = list(next(iter(results[0]["tasks"].values())))
    figures = {(shop, task): figures_of(results, shop, task) for shop, task in _tasks(results)}
    lines = [_row(["shop", "task", *names, f"{ours} − best other"]), _row(["---"] * (len(names) + 3))]
    for (shop, task), by_name in figures.items():
        others = [name for name in names if name != ours]
        best = max(others, key=lambda name: by_name[name][0])
        gap = spoken(by_name[ours] - by_name[best])
        lines.append(_row([shop, task, *(_bold(by_name, name) for name in names), f"{gap} ({best})"]))
    lines += _averages(figures, names, ours)
    return "\n".join([*lines, "", *_challenge(results, names)])


def figures_of(results: Results, shop: str, task: str) -> dict[str, Floats]:
    """Return each representation's figure of a task, the mean over the shop's cut dates, (B + 1,)."""
    own = [one["tasks"][task] for one in results if one["shop"] == shop and task in one["tasks"]]
    of_cuts = {name: np.array([one[name]["figures"] for one in own], dtype=np.float64) for name in own[0]}
    return {name: figures_CB.mean(axis=0) for name, figures_CB in of_cuts.items()}


def spoken(figures_B: Floats) -> str:
    """Return a figure and its 95 % interval over resamples; the first is that of everybody.

    Examples
    --------
    >>> spoken(np.array([0.5, 0.25, 0.75]))
    '+0.500 [+0.263, +0.738]'
    """
    low, high = np.nanquantile(figures_B[1:], [0.025, 0.975])
    return f"{figures_B[0]:+.3f} [{low:+.3f}, {high:+.3f}]"


def _tasks(results: Results) -> list[tuple[str, str]]:
    return list(dict.fromkeys((one["shop"], task) for one in results for task in one["tasks"]))


def _bold(by_name: Mapping[str, Floats], name: str) -> str:
    is_best = by_name[name][0] == max(figures[0] for figures in by_name.values())
    return f"**{by_name[name][0]:.3f}**" if is_best else f"{by_name[name][0]:.3f}"


def _averages(
    figures: Mapping[tuple[str, str], Mapping[str, Floats]], names: Sequence[str], ours: str
) -> list[str]:
    """Return the mean over all tasks of all shops, and by how much ours is above each."""
    mean = {name: np.mean([by_name[name] for by_name in figures.values()], axis=0) for name in names}
    gaps = ["" if name == ours else spoken(mean[ours] - mean[name]) for name in names]
    return [
        _row(["all", "mean", *(_bold(mean, name) for name in names), ""]),
        _row(["all", f"{ours} − this", *gaps, ""]),
    ]


def _challenge(results: Results, names: Sequence[str]) -> list[str]:
    """Return novelty, diversity and the challenge's score of the propensities, means over the cut dates."""
    lines = [_row(["shop", "task", *names]), _row(["---"] * (len(names) + 2))]
    for shop, task in _tasks(results):
        own = [one["tasks"][task] for one in results if one["shop"] == shop and task in one["tasks"]]
        if any(one[names[0]]["novelty"] is None for one in own):
            continue
        cells = []
        for name in names:
            means = [np.mean([one[name][key] for one in own]) for key in ("novelty", "diversity", "score")]
            cells.append(" / ".join(f"{mean:.3f}" for mean in means))
        lines.append(_row([shop, f"{task}: novelty / diversity / score", *cells]))
    return lines


def _number(figure: float) -> float | None:
    """Return a figure as JSON can hold it."""
    return None if np.isnan(figure) else figure


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
