"""Reviews of an item: what is praised and blamed, since when, what to improve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from nicegui import ui

from huaxiang.console.frame import DISLIKED, LIKED, QUIET, Word, card, figure, page_frame
from huaxiang.console.session import Visit
from huaxiang.reviews.insight import Insight
from huaxiang.reviews.lexicon import aspect_name
from huaxiang.reviews.quotes import Quote
from huaxiang.reviews.shown import flag_text, note_text, suggestion_text

_MOST_EVIDENCE = 3


def show_reviews(visit: Visit, item_id: str) -> None:
    """Build the page of one item's reviews."""
    with page_frame(visit, "items") as say:
        if item_id not in visit.shop.item_no_of:
            ui.label(say("no_item")).props("role=alert")
            return
        book, is_whole = visit.shop.reviews.book(visit.shop)
        found = book.insight(item_id, language=visit.language)
        remarks = (*found.remarks, *(() if is_whole else ("not_all_read",)))
        _head(visit, say, found, remarks)
        if not found.tally.n_reviews:
            return
        _charts(visit, say, found)
        _suggestions(visit, say, found)
        _quotes(visit, say, found)
        _flags(visit, say, found)


def _head(visit: Visit, say: Word, found: Insight, remarks: Sequence[str]) -> None:
    with card():
        ui.link(say("back_to_item"), f"/items/{quote(found.item_id, safe='')}").classes("text-primary")
        ui.label(found.title).classes("text-xl font-semibold").props("role=heading aria-level=1")
        ui.label(found.item_id).classes("hx-quiet break-all")
        with ui.row().classes("w-full gap-x-8 gap-y-4"):
            figure(say("n_reviews"), f"{found.tally.n_reviews:,}")
            mean, usual = found.tally.mean_rating, found.category_stars
            figure(say("mean_rating"), "–" if mean is None else f"{mean:.1f}")
            figure(say("of_category"), "–" if usual is None else f"{usual:.1f}")
        with ui.column().classes("gap-1"):
            for one in found.summary.get(visit.language, ()):
                ui.label(one.text)
                _events(say, one.evidence)
            for key in remarks:
                if key != "none":  # the summary says that
                    ui.label(note_text(key, visit.language)).classes("hx-quiet")


def _events(say: Word, ids: Sequence[str]) -> None:
    if ids:
        ui.label(f"{say('event')} {', '.join(ids[:_MOST_EVIDENCE])}").classes("hx-quiet break-all")


def _charts(visit: Visit, say: Word, found: Insight) -> None:
    with ui.grid().classes("w-full grid-cols-1 lg:grid-cols-2 gap-4"):
        if found.sides:
            with card(say("praise_blame")):
                height = 80 + 30 * len(found.sides)
                ui.echart(_bars(visit, say, found)).classes("w-full").style(f"height:{height}px")
        if found.stretches:
            with card(say("rating_over_time")):
                ui.echart(_curve(say, found)).classes("w-full h-72")


def _bars(visit: Visit, say: Word, found: Insight) -> dict[str, Any]:
    sides = found.sides[::-1]  # the first is on top

    def bars(name: str, colour: str, counts: list[int]) -> dict[str, Any]:
        return {"name": name, "type": "bar", "stack": "n", "data": counts, "color": colour, "barWidth": 14}

    return {
        "animation": False,
        "grid": {"left": 8, "right": 24, "top": 32, "bottom": 8, "containLabel": True},
        "legend": {"top": 0, "textStyle": {"color": QUIET}},
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "value", "minInterval": 1, "axisLabel": {"color": QUIET}},
        "yAxis": {
            "type": "category",
            "data": [aspect_name(side.aspect, language=visit.language) for side in sides],
            "axisLabel": {"color": QUIET},
        },
        "series": [
            bars(say("praised_n"), LIKED, [side.sums.n_positive for side in sides]),
            bars(say("complained_n"), DISLIKED, [side.sums.n_negative for side in sides]),
        ],
    }


def _curve(say: Word, found: Insight) -> dict[str, Any]:
    means = [None if one.mean_stars is None else round(one.mean_stars, 2) for one in found.stretches]
    return {
        "animation": False,
        "grid": {"left": 8, "right": 8, "top": 32, "bottom": 8, "containLabel": True},
        "legend": {"top": 0, "textStyle": {"color": QUIET}},
        "tooltip": {"trigger": "axis"},
        "xAxis": {
            "type": "category",
            "data": [one.starts_at.date().isoformat() for one in found.stretches],
            "axisLabel": {"color": QUIET},
        },
        "yAxis": [
            {"type": "value", "min": 1, "max": 5, "axisLabel": {"color": QUIET}},
            {"type": "value", "minInterval": 1, "axisLabel": {"color": QUIET}, "splitLine": {"show": False}},
        ],
        "series": [
            {
                "name": say("reviews_of_a_time"),
                "type": "bar",
                "yAxisIndex": 1,
                "data": [one.n for one in found.stretches],
                "color": "#c9ccd1",
            },
            {
                "name": say("mean_rating"),
                "type": "line",
                "data": means,
                "color": LIKED,
                "connectNulls": True,
            },
        ],
    }


def _suggestions(visit: Visit, say: Word, found: Insight) -> None:
    with card(say("what_to_improve")):
        if not found.suggestions:
            ui.label(say("no_suggestion")).classes("hx-quiet")
        for rank, one in enumerate(found.suggestions, 1):
            with ui.column().classes("gap-1 w-full"):
                text = suggestion_text(one, visit.language, of=found.tally.n_texts)
                ui.label(f"{rank}. {text}").classes("font-medium")
                for said in one.quotes:
                    _quote(say, said)


def _quotes(visit: Visit, say: Word, found: Insight) -> None:
    with card(say("their_words")):
        for side in found.sides:
            if side.quotes:
                ui.label(aspect_name(side.aspect, language=visit.language)).classes("font-medium")
                for said in side.quotes:
                    _quote(say, said)


def _quote(say: Word, said: Quote) -> None:
    """Show a sentence as text: what stands in a review is never markup."""
    mark, colour = ("+", LIKED) if said.polarity > 0 else ("–", DISLIKED)
    stars = "" if said.rating is None else f"{said.rating:g}★"
    with ui.row().classes("items-baseline gap-2 no-wrap w-full"):
        ui.label(mark).style(f"color:{colour}").classes("font-bold")
        ui.label(f"“{said.text}”").classes("break-words min-w-0")
        note = " · ".join(part for part in (stars, f"{say('event')} {said.event_id}") if part)
        ui.label(note).classes("hx-quiet break-all")


def _flags(visit: Visit, say: Word, found: Insight) -> None:
    with card(say("worth_a_look")):
        if not found.flags:
            ui.label(say("nothing_odd")).classes("hx-quiet")
        for flag in found.flags:
            ui.label(flag_text(flag, visit.language))
            _events(say, flag.event_ids)
