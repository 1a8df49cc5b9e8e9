"""Search as shoppers get it: words or a photo, for anybody or for one shopper, with the reasons."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from nicegui import ui

from huaxiang.console.frame import QUIET, Word, asking_form, card, page_frame, while_signed_in
from huaxiang.console.items import photo_of
from huaxiang.console.reading import price_of
from huaxiang.console.session import Visit
from huaxiang.console.words import name_of
from huaxiang.errors import HuaxiangError
from huaxiang.notes import spoken
from huaxiang.search.base import Query, SearchResult
from huaxiang.search.filters import narrowed
from huaxiang.serve.searching import jpeg, search

N_FOUND = 24
MOST_VALUES = 6
"""Values that a dimension offers to narrow by."""
MOST_SUGGESTED = 6


def show_search(visit: Visit, words: str, shopper_id: str, narrow: str) -> None:
    """Build the page.

    Parameters
    ----------
    narrow
        Filters as `dimension=value`, a line each.
    """
    chosen = [one for one in narrow.split("\n") if one]
    with page_frame(visit, "search") as say:
        with card():
            _asking(visit, say, words, shopper_id)
        found = ui.column().classes("w-full gap-4")
        if words.strip():
            with found:
                _answer(visit, say, {"text": words}, shopper_id, chosen)
        with card(say("by_photo")):
            _photo_box(visit, say, shopper_id, found)


def _asking(visit: Visit, say: Word, words: str, shopper_id: str) -> None:
    with asking_form("/search", say("search"), icon="search"):
        box = ui.input(say("search_words"), value=words).classes("grow").props("clearable name=words")
        whom = (
            ui.input(say("search_for"), value=shopper_id).classes("w-48 max-sm:w-full").props("name=shopper")
        )

        def finish() -> None:
            finishing.clear()
            with finishing:
                for one in visit.shop.serving.model.suggest(box.value or "", k=MOST_SUGGESTED):
                    ui.chip(
                        one.text, on_click=lambda text=one.text: ui.navigate.to(_address(text, whom.value))
                    ).props("outline clickable dense")

        box.on("update:model-value", while_signed_in(visit, finish), throttle=0.3)
    finishing = ui.row().classes("gap-1")


def _photo_box(visit: Visit, say: Word, shopper_id: str, found: ui.column) -> None:
    async def take(event: Any) -> None:
        content = await event.file.read()
        found.clear()
        with found:
            try:
                picture = visit.service.photos.pictures.decode(content)
            except HuaxiangError as error:
                _alert(say, error)
                return
            _answer(visit, say, {"image": jpeg(picture)}, shopper_id, [])

    ui.upload(
        label=say("choose_photo"),
        auto_upload=True,
        max_file_size=visit.service.settings.limits.picture_bytes,
        max_files=1,
        on_upload=while_signed_in(visit, take),
        on_rejected=lambda: ui.notify(say("photo_refused"), type="negative"),
    ).props('accept="image/*" flat bordered').classes("w-full")


def _answer(visit: Visit, say: Word, asked: dict[str, Any], shopper_id: str, chosen: list[str]) -> None:
    """Show what answers words or a photo, or why nothing can."""
    try:
        query = Query(**asked, k=N_FOUND, language=visit.language, filters=narrowed(chosen))
        result = search(visit.shop, shopper_id.strip() or None, query, is_shown=False).result
    except HuaxiangError as error:
        _alert(say, error)
        return
    _show(visit, say, result, asked.get("text", ""), shopper_id, chosen)


def _alert(say: Word, error: HuaxiangError) -> None:
    ui.label(f"{say('not_searched')} {error}").props("role=alert").classes("text-negative")


def _show(
    visit: Visit, say: Word, result: SearchResult, words: str, shopper_id: str, chosen: list[str]
) -> None:
    with ui.row().classes("w-full items-center gap-3"):
        ui.label(say("n_found").format(n=f"{result.n_found:,}")).classes("font-semibold").props(
            "role=heading aria-level=2"
        )
        if result.is_personal:
            ui.label(say("in_their_order")).style(f"color:{QUIET}")
        if result.query is not None and result.query.did_you_mean:
            meant = result.query.did_you_mean
            ui.link(f"{say('did_you_mean')} {meant}", _address(meant, shopper_id))
    for note in result.degraded:
        ui.label(spoken(note, language=visit.language)).classes("hx-quiet")
    _narrowing(visit, say, result, words, shopper_id, chosen)
    with ui.grid().classes("w-full grid-cols-2 sm:grid-cols-4 lg:grid-cols-6 gap-4"):
        for ranked in result.items:
            with ui.column().classes("gap-1 min-w-0"):
                with ui.link(target=f"/items/{quote(ranked.item_id, safe='')}").classes(
                    "no-underline text-inherit"
                ):
                    ui.element("img").props(f'src="{photo_of(ranked.item_id)}" alt="" loading=lazy').style(
                        "width:100%;aspect-ratio:1;object-fit:cover;border-radius:8px;background:#e8e8ea"
                    )
                    ui.label(ranked.title).classes("text-sm line-clamp-2")
                price = price_of(visit.shop.serving.model.catalogue, ranked.item_id)
                if price:
                    ui.label(price).classes("text-sm font-semibold")
                for text in ranked.said:
                    ui.label(text).classes("hx-quiet line-clamp-2")


def _narrowing(
    visit: Visit, say: Word, result: SearchResult, words: str, shopper_id: str, chosen: list[str]
) -> None:
    if not words:
        return
    with ui.row().classes("w-full gap-x-4 gap-y-1"):
        for one in chosen:
            rest = [other for other in chosen if other != one]
            ui.chip(one, icon="close").props("clickable dense color=primary text-color=white").on(
                "click", lambda rest=rest: ui.navigate.to(_address(words, shopper_id, rest))
            )
        for dimension in dict.fromkeys(one.dimension for one in result.facets):
            counts = [one for one in result.facets if one.dimension == dimension][:MOST_VALUES]
            with ui.row().classes("items-center gap-1"):
                ui.label(name_of(dimension, visit.language)).classes("hx-quiet")
                for count in counts:
                    narrower = [*chosen, f"{dimension}={count.value}"]
                    ui.chip(f"{count.label} {count.n_items}").props("clickable outline dense").on(
                        "click",
                        lambda narrower=narrower: ui.navigate.to(_address(words, shopper_id, narrower)),
                    )


def _address(words: str, shopper_id: str, chosen: list[str] | None = None) -> str:
    asked = {"words": words.strip(), "shopper": (shopper_id or "").strip(), "narrow": "\n".join(chosen or ())}
    return "/search?" + urlencode({name: said for name, said in asked.items() if said})
