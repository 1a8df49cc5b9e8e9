"""Items: photo, attributes, what is like it, and who likes its kind."""

from __future__ import annotations

from urllib.parse import quote

from nicegui import ui

from huaxiang.console.frame import Word, asking_form, card, page_frame
from huaxiang.console.reading import find_items, item_card
from huaxiang.console.session import HOME, Visit
from huaxiang.errors import UnknownItemError

N_FOUND = 24
N_ALIKE = 8
N_JOINED = 4


def show_items(visit: Visit, words: str) -> None:
    """Build the page on which an item is looked for."""
    with page_frame(visit, "items") as say:
        with card():
            _search_box(say, words)
        with ui.grid().classes("w-full grid-cols-2 sm:grid-cols-4 lg:grid-cols-6 gap-4"):
            for item_id in find_items(visit.shop, words, most=N_FOUND, language=visit.language):
                _tile(visit, item_id)


def show_item(visit: Visit, item_id: str) -> None:
    """Build the page of one item."""
    with page_frame(visit, "items") as say:
        with card():
            _search_box(say, "")
        try:
            card_of_item = item_card(visit.shop, item_id, language=visit.language)
        except UnknownItemError:
            ui.label(say("no_item")).props("role=alert")
            return
        with card(), ui.row().classes("w-full gap-4"):
            ui.element("img").props(f'src="{photo_of(item_id)}" alt=""').style(
                "width:160px;height:160px;object-fit:cover;border-radius:8px;background:#e8e8ea"
            )
            with ui.column().classes("gap-1 min-w-0"):
                ui.label(card_of_item.title).classes("text-xl font-semibold").props(
                    "role=heading aria-level=1"
                )
                ui.label(item_id).classes("hx-quiet break-all")
                stock = say("in_stock") if card_of_item.in_stock else say("sold_out")
                ui.label(" · ".join(part for part in (card_of_item.price, stock) if part))
                up = visit.shop.serving.model.graph.up(item_id, language=visit.language)
                if len(up) > 1:
                    ui.label(f"{say('way_up')}: " + " › ".join(node.label for node in reversed(up)))
                for name, value, note in card_of_item.attributes:
                    ui.label(f"{name}: {value}{f' ({note})' if note else ''}")
                ui.link(say("review_insight"), f"/reviews/{quote(item_id, safe='')}").classes("text-primary")
        _joined(visit, item_id, say)
        with card(say("alike")), ui.grid().classes("w-full grid-cols-2 sm:grid-cols-4 gap-4"):
            for ranked in visit.shop.serving.model.similar(item_id, k=N_ALIKE, language=visit.language).items:
                _tile(visit, ranked.item_id)


def _joined(visit: Visit, item_id: str, say: Word) -> None:
    """Show what goes with an item and what can take its place, where anything does."""
    graph, language = visit.shop.serving.model.graph, visit.language
    sides = {
        "goes_with": graph.complements(item_id, k=N_JOINED, language=language),
        "instead_of": graph.substitutes(item_id, k=N_JOINED, language=language),
    }
    for name, edges in sides.items():
        if edges:
            with card(say(name)), ui.grid().classes("w-full grid-cols-2 sm:grid-cols-4 gap-4"):
                for edge in edges:
                    note = say("bought_by").format(n=f"{edge.evidence:,}") if edge.evidence else ""
                    _tile(visit, edge.target.id, note)


def _search_box(say: Word, words: str) -> None:
    with asking_form("/items", say("find")):
        ui.input(say("find_item"), value=words).classes("grow").props("name=words")


def _tile(visit: Visit, item_id: str, note: str = "") -> None:
    model = visit.shop.serving.model
    title = model.catalogue.title(model.catalogue.row_of[item_id], language=visit.language)
    with ui.link(target=f"/items/{quote(item_id, safe='')}").classes("no-underline text-inherit"):
        ui.element("img").props(f'src="{photo_of(item_id)}" alt="" loading=lazy').style(
            "width:100%;aspect-ratio:1;object-fit:cover;border-radius:8px;background:#e8e8ea"
        )
        ui.label(title).classes("text-sm line-clamp-2")
        if note:
            ui.label(note).classes("hx-quiet")


def photo_of(item_id: str) -> str:
    """Return where the console shows an item's photo."""
    return f"{HOME}/photo/{quote(item_id, safe='')}"
