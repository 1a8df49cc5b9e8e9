"""Pictures of an evaluation, as SVG text that needs no network and scales."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#c2410c", "#0f766e", "#1d4ed8", "#a16207", "#7e22ce", "#475569", "#be185d", "#15803d")


def learning_curves(curves: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """Draw each part's loss, and its validation figure where it has one, over epochs."""
    drawn = {name: points for name, points in curves.items() if len(points) > 1}
    figure, axes = _figure(n_columns=max(1, len(drawn)), height=2.6)
    for axis, (name, points) in zip(axes, drawn.items(), strict=False):
        epochs = [point["epoch"] for point in points]
        axis.plot(epochs, [point["loss"] for point in points], color=COLOURS[2], marker=".")
        axis.set_ylabel("loss 损失", color=COLOURS[2])
        axis.set_title(name)
        axis.set_xlabel("epoch 轮次")
        _second_curve(axis, epochs, points)
    return _svg(figure)


def _second_curve(axis: Axes, epochs: Sequence[float], points: Sequence[Mapping[str, float]]) -> None:
    if all(point.get("metric") is not None for point in points):
        other = axis.twinx()
        other.plot(epochs, [point["metric"] for point in points], color=COLOURS[0], marker=".")
        other.set_ylabel("validation 验证", color=COLOURS[0])
        other.spines["top"].set_visible(False)


def bars(values: Mapping[str, float], *, label: str, limit: float | None = None) -> str:
    """Draw one horizontal bar per name."""
    figure, (axis,) = _figure(n_columns=1, height=0.5 + 0.32 * max(1, len(values)))
    names = list(values)[::-1]
    axis.barh(names, [values[name] for name in names], color=COLOURS[1], height=0.6)
    for row, name in enumerate(names):
        axis.text(values[name], row, f" {values[name]:.3f}", va="center", fontsize=8)
    axis.set_xlabel(label)
    axis.set_xlim(0, limit or 1.18 * max([*values.values(), 1e-9]))
    return _svg(figure)


def grouped_bars(groups: Sequence[Mapping[str, Any]], *, label: str) -> str:
    """Draw, for each group `{name, n, models: {model: figure}}`, one bar per model."""
    models = list(groups[0]["models"])
    figure, (axis,) = _figure(n_columns=1, height=2.9)
    width = 0.8 / len(models)
    for column, model in enumerate(models):
        places = [row + width * (column - (len(models) - 1) / 2) for row in range(len(groups))]
        heights = [group["models"][model] for group in groups]
        axis.bar(places, heights, width=width, color=COLOURS[column % len(COLOURS)], label=model)
    names = [f"{_short(group['name'])}\nn={group['n']:,}" for group in groups]
    axis.set_xticks(range(len(groups)), names, rotation=0 if len(groups) < 7 else 30)
    axis.set_ylabel(label)
    axis.legend(fontsize=7, ncols=4, frameon=False, loc="upper center", bbox_to_anchor=(0.5, 1.22))
    return _svg(figure)


def reliability(points: Sequence[Mapping[str, float]], *, x_label: str, y_label: str) -> str:
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
    axis.set_xlabel(x_label)
    axis.set_ylabel(y_label)
    return _svg(figure)


def interest_map(places: Mapping[str, Any]) -> str:
    """Draw items on a plane, coloured by category, one shopper's events ringed and interests starred."""
    figure, (axis,) = _figure(n_columns=1, height=4.6)
    for number, group in enumerate(places["groups"]):
        colour = "#cbd5e1" if group["name"] is None else COLOURS[number % len(COLOURS)]
        axis.scatter(group["x"], group["y"], s=9, color=colour, alpha=0.6, label=group["name"], linewidths=0)
    axis.scatter(places["events"]["x"], places["events"]["y"], s=46, facecolors="none", edgecolors="#0f172a")
    for interest in places["interests"]:
        axis.scatter([interest["x"]], [interest["y"]], marker="*", s=190, color="#0f172a", zorder=5)
        place = (interest["x"], interest["y"])
        axis.annotate(
            _short(interest["name"], longest=34), place, xytext=(8, 6), textcoords="offset points", fontsize=8
        )
    axis.set_xticks([])
    axis.set_yticks([])
    axis.legend(fontsize=7, ncols=1, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return _svg(figure)


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


def _svg(figure: Figure) -> str:
    import warnings

    out = io.StringIO()
    with warnings.catch_warnings():
        # The browser draws the Chinese letters that matplotlib's measuring font lacks.
        warnings.filterwarnings("ignore", message="Glyph")
        figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()[out.getvalue().index("<svg") :]


def _short(name: str, *, longest: int = 18) -> str:
    return name if len(name) <= longest else name[: longest - 1] + "…"
