"""Pictures of an evaluation, as SVG text that needs no network and scales.

A picture is drawn once: each text that the languages say differently stands in it twice, with the class `en`
or `zh`, of which the page shows one.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

Words = tuple[str, str]
"""The same in English and Chinese."""

LOSS, EPOCH, VALIDATION = ("loss", "损失"), ("epoch", "轮次"), ("validation", "验证")
COLOURS = ("#c2410c", "#0f766e", "#1d4ed8", "#a16207", "#7e22ce", "#475569", "#be185d", "#15803d")


def learning_curves(curves: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """Draw each part's loss, and its validation figure where it has one, over epochs."""
    drawn = {name: points for name, points in curves.items() if len(points) > 1}
    figure, axes = _figure(n_columns=max(1, len(drawn)), height=2.6)
    for axis, (name, points) in zip(axes, drawn.items(), strict=False):
        epochs = [point["epoch"] for point in points]
        axis.plot(epochs, [point["loss"] for point in points], color=COLOURS[2], marker=".")
        axis.set_ylabel(LOSS[0], color=COLOURS[2])
        axis.set_title(name)
        axis.set_xlabel(EPOCH[0])
        _second_curve(axis, epochs, points)
    return _svg(figure, [LOSS, EPOCH, VALIDATION])


def _second_curve(axis: Axes, epochs: Sequence[float], points: Sequence[Mapping[str, float]]) -> None:
    if all(point.get("metric") is not None for point in points):
        other = axis.twinx()
        other.plot(epochs, [point["metric"] for point in points], color=COLOURS[0], marker=".")
        other.set_ylabel(VALIDATION[0], color=COLOURS[0])
        other.spines["top"].set_visible(False)


def fit_curves(curve: Sequence[Mapping[str, float]], file: Path) -> None:
    """Draw a large model's loss and each figure of its validations over steps, as PNG.

    Parameters
    ----------
    curve
        Points with `step`, and `loss` with `learning_rate`, or the figures of a validation. Nothing is drawn
        of a model that does not learn in steps.
    """
    losses = [point for point in curve if "learning_rate" in point]
    asked = [point for point in curve if "learning_rate" not in point]
    figures = sorted({name for point in asked for name in point} - {"step", "epoch", "loss"})
    if not losses:
        return
    figure, axes = _figure(n_columns=1 + bool(figures), height=2.8)
    axes[0].plot([p["step"] for p in losses], [p["loss"] for p in losses], color=COLOURS[2], linewidth=1)
    held = [(point["step"], point["loss"]) for point in asked if "loss" in point]
    axes[0].plot([step for step, _ in held], [loss for _, loss in held], color=COLOURS[0], marker=".")
    axes[0].set_ylabel(LOSS[0])
    for number, name in enumerate(figures):
        points = [(point["step"], point[name]) for point in asked if name in point]
        axes[1].plot(*zip(*points, strict=True), marker=".", label=name, color=COLOURS[number % 8])
    if figures:
        axes[1].set_ylabel(VALIDATION[0])
        axes[1].legend(loc="lower right", fontsize=7, frameon=False)
    for axis in axes:
        axis.set_xlabel("step")
    figure.savefig(file, format="png", dpi=110, metadata={"Software": None})


def search_history(trials: Sequence[Mapping[str, Any]], file: Path, *, figure: str) -> None:
    """Draw what each trial of a search reached, over its number and its step size, as PNG."""
    drawn, axes = _figure(n_columns=2, height=2.8)
    for state, colour in (("complete", COLOURS[2]), ("pruned", COLOURS[5])):
        of = [trial for trial in trials if trial["state"] == state and trial["value"] is not None]
        values = [trial["value"] for trial in of]
        axes[0].scatter([trial["number"] for trial in of], values, s=16, color=colour, label=state)
        axes[1].scatter([trial["learning_rate"] for trial in of], values, s=16, color=colour)
    axes[0].set_xlabel("trial")
    axes[0].set_ylabel(figure)
    axes[0].legend(fontsize=7, frameon=False)
    axes[1].set_xlabel("learning rate")
    _in_steps_of_ten(axes[1])
    drawn.savefig(file, format="png", dpi=110, metadata={"Software": None})


def tuning_history(ways: Sequence[Mapping[str, Any]], file: Path) -> None:
    """Draw what each trial of each way's search reached, the best so far, and where it began, as PNG.

    Parameters
    ----------
    ways
        Each `{name, start: {"ndcg@10"}, trials: [{"ndcg@10"}]}`; nothing is drawn where none has trials.
    """
    drawn = [way for way in ways if way["trials"]]
    if not drawn:
        return
    figure, axes = _figure(n_columns=len(drawn), height=2.8)
    for axis, way in zip(axes, drawn, strict=True):
        values = np.array([np.nan if t["ndcg@10"] is None else t["ndcg@10"] for t in way["trials"]])
        numbers = np.arange(1, len(values) + 1)
        axis.scatter(numbers, values, s=14, color=COLOURS[2])
        axis.plot(numbers, np.fmax.accumulate(values), color=COLOURS[1], drawstyle="steps-post")
        axis.axhline(way["start"]["ndcg@10"], color="#94a3b8", linewidth=1, linestyle="--")
        axis.set_title(way["name"])
        axis.set_xlabel("trial")
    axes[0].set_ylabel("NDCG@10, validation")
    figure.savefig(file, format="png", dpi=110, metadata={"Software": None})


def pareto(rows: Sequence[Mapping[str, Any]], file: Path, *, best: str) -> None:
    """Draw what forms of a model cost against how well they do, as PNG; those that none beats are filled.

    Parameters
    ----------
    rows
        With `variant`, `model_mb`, `texts_per_s_1`, `pareto`, and the figure named `best`.
    """
    figure, axes = _figure(n_columns=2, height=3.2)
    sides = (("model_mb", "MB"), ("texts_per_s_1", "texts / s, one thread"))
    for axis, (cost, label) in zip(axes, sides, strict=True):
        for at, row in enumerate(rows):
            colour = COLOURS[at % len(COLOURS)]
            inside = colour if row["pareto"] else "none"
            axis.scatter([row[cost]], [row[best]], s=46, facecolors=inside, edgecolors=colour)
            place = (row[cost], row[best])
            axis.annotate(str(at + 1), place, xytext=(5, 4), textcoords="offset points", fontsize=8)
        _in_steps_of_ten(axis)
        axis.set_xlabel(label)
        axis.margins(x=0.15, y=0.2)
    axes[0].set_ylabel(best)
    names = [f"{at + 1} {row['variant']}" for at, row in enumerate(rows)]
    figure.legend(handles=[_named(name) for name in names], fontsize=7, loc="outside lower center", ncols=2)
    figure.savefig(file, format="png", dpi=110, metadata={"Software": None})


def _in_steps_of_ten(axis: Axes) -> None:
    """Let equal factors be equally far apart; powers of ten would be formulas, which are switched off."""
    from matplotlib.ticker import LogLocator, NullLocator

    axis.set_xscale("log")
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_locator(NullLocator())


def _named(name: str) -> Line2D:
    """Return a line of a legend that is words alone."""
    from matplotlib.lines import Line2D

    return Line2D([], [], linestyle="none", label=name)


def bars(
    values: Mapping[str, float], *, label: str, words: Iterable[Words] = (), limit: float | None = None
) -> str:
    """Draw one horizontal bar per name; `words` are names that Chinese says differently."""
    figure, (axis,) = _figure(n_columns=1, height=0.5 + 0.32 * max(1, len(values)))
    names = list(values)[::-1]
    axis.barh(names, [values[name] for name in names], color=COLOURS[1], height=0.6)
    for row, name in enumerate(names):
        axis.text(values[name], row, f" {values[name]:.3f}", va="center", fontsize=8)
    axis.set_xlabel(label)
    axis.set_xlim(0, limit or 1.18 * max([*values.values(), 1e-9]))
    return _svg(figure, words)


def bar_picture(values: Mapping[str, float], file: Path, *, label: str) -> None:
    """Draw one horizontal bar per name, the first on top, as PNG."""
    figure, (axis,) = _figure(n_columns=1, height=0.5 + 0.22 * max(1, len(values)))
    names = list(values)[::-1]
    axis.barh(names, [values[name] for name in names], color=COLOURS[1], height=0.7)
    axis.set_xlabel(label)
    figure.savefig(file, format="png", dpi=110, metadata={"Software": None})


def intervals(groups: Mapping[str, Mapping[str, Mapping[str, float]]], file: Path, *, label: str) -> None:
    """Draw, for each group name → model → `{mean, low, high}`, a point and its interval per model, as PNG."""
    n_most = max(len(models) for models in groups.values())
    figure, axes = _figure(n_columns=len(groups), height=0.9 + 0.3 * n_most)
    for axis, (name, models) in zip(axes, groups.items(), strict=True):
        worst_first = sorted(models.items(), key=lambda one: one[1]["mean"])
        for row, (_, one) in enumerate(worst_first):
            axis.plot([one["low"], one["high"]], [row, row], color=COLOURS[1], linewidth=3, alpha=0.4)
            axis.plot([one["mean"]], [row], color=COLOURS[1], marker="o", markersize=5)
            axis.annotate(
                f"{one['mean']:.4f}", (one["high"], row), (4, -3), textcoords="offset points", fontsize=7
            )
        axis.set_yticks(range(len(worst_first)), [model for model, _ in worst_first])
        axis.set_xlabel(label)
        axis.set_title(name)
        axis.margins(x=0.18, y=0.5 / n_most)
    figure.savefig(file, format="png", dpi=110, metadata={"Software": None})


def grouped_bars(groups: Sequence[Mapping[str, Any]], *, label: str) -> str:
    """Draw, for each group `{name, names, n, models: {model: figure}}`, one bar per model."""
    models = list(groups[0]["models"])
    figure, (axis,) = _figure(n_columns=1, height=2.9)
    width = 0.8 / len(models)
    for column, model in enumerate(models):
        places = [row + width * (column - (len(models) - 1) / 2) for row in range(len(groups))]
        heights = [group["models"][model] for group in groups]
        axis.bar(places, heights, width=width, color=COLOURS[column % len(COLOURS)], label=model)
    words = [_called(group) for group in groups]
    axis.set_xticks(range(len(groups)), [english for english, _ in words])
    if len(groups) >= 7:
        axis.tick_params(axis="x", labelrotation=30)
        for tick in axis.get_xticklabels():
            tick.set(rotation_mode="anchor", horizontalalignment="right")
    for row, group in enumerate(groups):
        above = axis.get_xaxis_transform()
        axis.text(row, 1.0, f"n={group['n']:,}", transform=above, ha="center", va="bottom", fontsize=8)
    axis.set_ylabel(label)
    axis.legend(fontsize=7, ncols=4, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.06))
    return _svg(figure, words)


def reliability(points: Sequence[Mapping[str, float]], *, x_label: Words, y_label: Words) -> str:
    """Draw what was claimed against what happened; the diagonal is perfect."""
    figure, (axis,) = _figure(n_columns=1, height=3.2)
    top = max([point["claimed"] for point in points] + [point["happened"] for point in points] + [1e-6])
    axis.plot([0, top], [0, top], color="#94a3b8", linewidth=1, linestyle="--")
    axis.plot(
        [point["claimed"] for point in points],
        [point["happened"] for point in points],
        color=COLOURS[0],
        marker="o",
    )
    axis.set_xlabel(x_label[0])
    axis.set_ylabel(y_label[0])
    return _svg(figure, [x_label, y_label])


def reliability_of(confidence_N: NDArray[Any], right_N: NDArray[np.bool_], file: Path) -> None:
    """Draw how often a model is right where it is how sure, with how many rows there are, as PNG.

    Parameters
    ----------
    confidence_N
        Probability of the class that was chosen; 0 to 1.
    """
    figure, axes = _figure(n_columns=2, height=2.8)
    edges = np.linspace(0, 1, 16)
    bins = np.clip(np.digitize(confidence_N, edges) - 1, 0, 14)
    seen = [at for at in range(15) if (bins == at).any()]
    axes[0].plot([0, 1], [0, 1], color="#94a3b8", linewidth=1, linestyle="--")
    claimed = [float(confidence_N[bins == at].mean()) for at in seen]
    axes[0].plot(claimed, [float(right_N[bins == at].mean()) for at in seen], color=COLOURS[0], marker="o")
    axes[0].set_xlabel("confidence")
    axes[0].set_ylabel("accuracy")
    axes[1].bar(edges[:-1] + 1 / 30, np.bincount(bins, minlength=15), width=1 / 16, color=COLOURS[1])
    axes[1].set_xlabel("confidence")
    axes[1].set_ylabel("rows")
    figure.savefig(file, format="png", dpi=110, metadata={"Software": None})


def interest_map(places: Mapping[str, Any]) -> str:
    """Draw items on a plane, coloured by category, one shopper's events ringed and interests starred."""
    figure, (axis,) = _figure(n_columns=1, height=4.6)
    words = []
    for number, group in enumerate(places["groups"]):
        colour, label = "#cbd5e1", None
        if group["name"] is not None:
            colour = COLOURS[number % len(COLOURS)]
            words.append(_called(group, longest=34))
            label = words[-1][0]
        axis.scatter(group["x"], group["y"], s=9, color=colour, alpha=0.6, label=label, linewidths=0)
    axis.scatter(places["events"]["x"], places["events"]["y"], s=46, facecolors="none", edgecolors="#0f172a")
    for interest in places["interests"]:
        axis.scatter([interest["x"]], [interest["y"]], marker="*", s=190, color="#0f172a", zorder=5)
        place = (interest["x"], interest["y"])
        words.append(_called(interest, longest=34))
        axis.annotate(words[-1][0], place, xytext=(8, 6), textcoords="offset points", fontsize=8)
    axis.set_xticks([])
    axis.set_yticks([])
    axis.legend(fontsize=7, ncols=1, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return _svg(figure, words)


def _figure(*, n_columns: int, height: float) -> tuple[Figure, Sequence[Axes]]:
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    rcParams["svg.fonttype"] = "none"
    rcParams["text.parse_math"] = False  # names are the shop's: a $ in one is no formula
    rcParams["font.family"] = ["sans-serif"]
    figure = Figure(figsize=(7.2, height), layout="constrained")
    axes = [figure.add_subplot(1, n_columns, column + 1) for column in range(n_columns)]
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=8)
        axis.title.set_fontsize(9)
    return figure, axes


def _svg(figure: Figure, words: Iterable[Words]) -> str:
    import warnings

    out = io.StringIO()
    with warnings.catch_warnings():
        # The browser draws the Chinese letters that matplotlib's measuring font lacks.
        warnings.filterwarnings("ignore", message="Glyph")
        figure.savefig(out, format="svg", metadata={"Date": None})
    return _in_both(out.getvalue()[out.getvalue().index("<svg") :], words)


def _in_both(drawn: str, words: Iterable[Words]) -> str:
    """Return a picture with these texts in both languages, each in the place of the English."""
    chinese_of = {escape(english): escape(chinese) for english, chinese in words if english != chinese}

    def both(found: re.Match[str]) -> str:
        style, english = found.groups()
        if english not in chinese_of:
            return found.group()
        chinese = chinese_of[english]
        return f'<text class="en"{style}>{english}</text><text class="zh"{style}>{chinese}</text>'

    return re.sub("<text([^>]*)>([^<]*)</text>", both, drawn)


def _called(one: Mapping[str, Any], *, longest: int = 18) -> Words:
    """Return what each language calls a group or an interest; runs made before knew one name for both."""
    names = one.get("names", {})
    english, chinese = (names.get(language, one["name"]) for language in ("en", "zh"))
    return _short(english, longest=longest), _short(chinese, longest=longest)


def _short(name: str, *, longest: int) -> str:
    return name if len(name) <= longest else name[: longest - 1] + "…"
