"""The overview: how the service does now, and what comes of its lists."""

from __future__ import annotations

from collections.abc import Mapping

from nicegui import ui

from huaxiang.console.frame import DISLIKED, LIKED, QUIET, Word, card, figure, page_frame, while_signed_in
from huaxiang.console.reading import plain_label
from huaxiang.console.session import Visit
from huaxiang.console.words import name_of
from huaxiang.feedback.drift import Comparison, Drift

_EVERY_S = 1.0
_DRIFT_EVERY_S = 5.0
_MOST_WATCHED = 12
_NARROW = {"watched": "!whitespace-nowrap", "verdict": "!whitespace-nowrap"}


def show_overview(visit: Visit) -> None:
    """Build the page."""
    with page_frame(visit, "overview") as say:
        labels = _figures(visit, say)
        with card(say("last_minute")):
            chart = ui.echart(_curve_options(say)).classes("w-full h-56")
        with card(say("ctr")):
            outcomes = ui.column().classes("w-full gap-1")
        with card(say("drift")):
            _keep_showing_drift(visit, say, ui.column().classes("w-full gap-1"))

        def renew() -> None:
            _renew_figures(visit, labels)
            _renew_curve(visit, chart)

        renew()
        _show_outcomes(visit, say, outcomes)
        ui.timer(_EVERY_S, while_signed_in(visit, renew))


def _figures(visit: Visit, say: Word) -> dict[str, ui.label]:
    names = (
        "events_per_s",
        "lists_per_s",
        "p50_ms",
        "p99_ms",
        "freshness",
        "waiting",
        "model",
        "n_items",
        "rebuilt",
    )
    with card(), ui.row().classes("w-full gap-x-8 gap-y-4"):
        return {name: figure(say(name), "–") for name in names}


def _renew_figures(visit: Visit, labels: Mapping[str, ui.label]) -> None:
    shop, pulse = visit.shop, visit.service.pulse
    beat = pulse.summary()
    shown = {
        "events_per_s": f"{beat.events_per_s:,.0f}",
        "lists_per_s": f"{beat.lists_per_s:,.0f}",
        "p50_ms": f"{beat.list_p50_ms:.1f} ms" if beat.list_p50_ms is not None else "–",
        "p99_ms": f"{beat.list_p99_ms:.1f} ms" if beat.list_p99_ms is not None else "–",
        "freshness": f"{shop.lag_s:.1f} s",
        "waiting": f"{visit.service.writer.n_waiting:,}",
        "model": shop.serving.model.name[:10],
        "n_items": f"{shop.serving.model.catalogue.n_items:,}",
        "rebuilt": f"{shop.states.counts.rebuilt:,}",
    }
    for name, value in shown.items():
        labels[name].set_text(value)


def _curve_options(say: Word) -> dict[str, object]:
    def line(name: str, colour: str) -> dict[str, object]:
        return {
            "name": name,
            "type": "line",
            "showSymbol": False,
            "data": [],
            "color": colour,
            "smooth": True,
        }

    return {
        "animation": False,
        "grid": {"left": 48, "right": 16, "top": 32, "bottom": 24},
        "legend": {"top": 0, "textStyle": {"color": QUIET}},
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "category", "data": [], "axisLabel": {"color": QUIET}},
        "yAxis": {"type": "value", "axisLabel": {"color": QUIET}, "minInterval": 1},
        "series": [line(say("events_per_s"), LIKED), line(say("lists_per_s"), DISLIKED)],
    }


def _renew_curve(visit: Visit, chart: ui.echart) -> None:
    seconds = visit.service.pulse.seconds()
    chart.options["xAxis"]["data"] = [f"{one.ago_s} s" for one in seconds]
    chart.options["series"][0]["data"] = [one.events for one in seconds]
    chart.options["series"][1]["data"] = [one.lists for one in seconds]
    chart.update()


def _show_outcomes(visit: Visit, say: Word, column: ui.column) -> None:
    rows = [
        {
            "model": row["model"][:10],
            "placement": row["placement"],
            "lists": row["slates"],
            "clicks": _share(row["clicked"]),
            "bought": _share(row["bought"]),
        }
        for row in visit.shop.outcomes.as_json()["lists"]
    ]
    with column:
        if not rows:
            ui.label(say("nothing_yet")).classes("hx-quiet")
            return
        names = {
            "model": "model",
            "placement": "placement",
            "lists": "lists_shown",
            "clicks": "clicks",
            "bought": "bought",
        }
        columns = [
            {"name": key, "label": say(name), "field": key, "align": "left"} for key, name in names.items()
        ]
        ui.table(columns=columns, rows=rows).classes("w-full").props("flat dense")


def _keep_showing_drift(visit: Visit, say: Word, column: ui.column) -> None:
    """Show what was found, and again whenever it is looked for anew."""
    shown: list[Comparison | None] = []

    def renew() -> None:
        if shown == [visit.shop.drift]:
            return
        shown[:] = [visit.shop.drift]
        column.clear()
        with column:
            _show_drift(visit, say)

    renew()
    ui.timer(_DRIFT_EVERY_S, while_signed_in(visit, renew))


def _show_drift(visit: Visit, say: Word) -> None:
    """Show what was found when it was last looked for, what moved most first."""
    comparison = visit.shop.drift
    if comparison is None:
        ui.label(say("nothing_yet")).classes("hx-quiet")
        return
    rows = [
        {
            "watched": name_of(one.name, visit.language),
            "index": f"{one.index:.2f}",
            "verdict": say(f"drift_{one.verdict.replace(' ', '_')}"),
            "moved_most": _moved(visit, one) if one.verdict in ("moved", "large") else "–",
        }
        for one in comparison.found[:_MOST_WATCHED]
    ]
    columns = [
        {"name": key, "label": say(key), "field": key, "align": "left", "classes": _NARROW.get(key, "")}
        for key in ("watched", "index", "verdict", "moved_most")
    ]
    ui.label(f"{comparison.since:%Y-%m-%d} – {comparison.compared_at:%Y-%m-%d %H:%M} UTC").classes("hx-quiet")
    ui.table(columns=columns, rows=rows).classes("w-full").props("flat dense wrap-cells")


def _moved(visit: Visit, one: Drift) -> str:
    def said(value: str) -> str:
        dimension = one.name.removeprefix("bought ")
        return plain_label(visit.shop, dimension, value, language=visit.language)

    return ", ".join(f"{said(value)} {before:.0%} → {now:.0%}" for value, before, now in one.moved)


def _share(found: Mapping[str, float | None]) -> str:
    if found["share"] is None:
        return "–"
    return f"{found['share']:.1%} [{found['low']:.1%}, {found['high']:.1%}]"
