"""Models: the versions, how they did on the newest days, which one is served, and the way back."""

from __future__ import annotations

from functools import partial

from nicegui import ui

from huaxiang.console.frame import Word, card, page_frame, while_signed_in
from huaxiang.console.session import Visit
from huaxiang.errors import HuaxiangError


def show_models(visit: Visit) -> None:
    """Build the page."""
    with page_frame(visit, "models") as say:
        column = ui.column().classes("w-full gap-4")
        _fill(visit, say, column)


def _fill(visit: Visit, say: Word, column: ui.column) -> None:
    column.clear()
    with column:
        for version in visit.service.models.versions(visit.shop):
            with card(), ui.row().classes("w-full items-center gap-4"):
                with ui.column().classes("gap-0 grow min-w-0"):
                    ui.label(version.name).classes("font-semibold break-all")
                    ui.label(f"{say('made_at')}: {version.made_at}").classes("hx-quiet")
                    for name, value in version.metrics.items():
                        ui.label(f"{name}: {value:.4f}")
                    if version.decision:
                        ui.label(f"{say('decision')}: {version.decision}").classes("hx-quiet")
                ui.badge(say(version.status)).props(
                    "color=primary" if version.status == "serving" else "color=grey"
                )
                if version.status in ("ready", "retired"):
                    label = say("promote") if version.status == "ready" else say("roll_back")
                    promote = partial(_promote, visit, say, column, version.name)
                    ui.button(label, on_click=while_signed_in(visit, promote)).props("outline")


async def _promote(visit: Visit, say: Word, column: ui.column, name: str) -> None:
    try:
        await visit.service.models.promote(visit.shop, name)
    except HuaxiangError as error:
        ui.notify(str(error), type="negative")
        return
    ui.notify(say("promoted"), type="positive")
    _fill(visit, say, column)
