"""One shopper: portrait, facets and list with their evidence, and what the shopper may ask for.

Whoever corrects a facet here sees the list change at once: a correction is an event like any other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from urllib.parse import quote

import orjson
from nicegui import ui
from nicegui.events import ValueChangeEventArguments

from huaxiang.console.frame import (
    DISLIKED,
    LIKED,
    Word,
    asking_form,
    card,
    figure,
    page_frame,
    while_signed_in,
)
from huaxiang.console.items import photo_of
from huaxiang.console.reading import evidence_lines, timeline, value_label
from huaxiang.console.session import Visit
from huaxiang.console.words import name_of
from huaxiang.errors import HuaxiangError, UnknownShopperError
from huaxiang.notes import Note, spoken
from huaxiang.records import Evidence, Facet, Profile, Slate
from huaxiang.serve import statements
from huaxiang.serve.live import Wanted
from huaxiang.serve.settings import PURPOSES

N_FACETS = 14
N_LISTED = 8
N_TIMELINE = 40


def show_shoppers(visit: Visit) -> None:
    """Build the page on which a shopper is looked for."""
    with page_frame(visit, "shoppers") as say, card():
        _search_box(say, "")


def show_shopper(visit: Visit, shopper_id: str) -> None:
    """Build the page of one shopper."""
    with page_frame(visit, "shoppers") as say:
        with card():
            _search_box(say, shopper_id)
        try:
            ShopperPage(visit, shopper_id, say).build()
        except UnknownShopperError:
            ui.label(say("no_shopper")).props("role=alert")


def _search_box(say: Word, shopper_id: str) -> None:
    with asking_form("/shoppers", say("find")):
        ui.input(say("find_shopper"), value=shopper_id).classes("grow").props("name=shopper")


def place_of(shopper_id: str) -> str:
    """Return where the page of a shopper is, below the console's own address."""
    return f"/shoppers/{quote(shopper_id, safe='')}"


class ShopperPage:
    """The page of one shopper; its parts are renewed when a correction is made."""

    def __init__(self, visit: Visit, shopper_id: str, say: Word) -> None:
        self.visit, self.shopper_id, self.say = visit, shopper_id, say
        self.shop, self.audit = visit.shop, visit.service.audit
        self.hashed = self.shop.people.hashed(shopper_id)

    def build(self) -> None:
        """Show everything."""
        profile = self._profile()
        self._head(profile)
        with ui.grid().classes("w-full grid-cols-1 lg:grid-cols-2 gap-4"):
            with card(self.say("portrait")):
                self._portrait(profile)
            with card(self.say("list")):
                self._list_part = ui.column().classes("w-full gap-2")
            with card(self.say("facets")):
                self._facet_part = ui.column().classes("w-full gap-3")
            with ui.column().classes("w-full gap-4"):
                with card(self.say("interests")):
                    self._interests(profile)
                with card(self.say("consent")):
                    self._consent(profile)
        with card(self.say("timeline")):
            self._timeline()
        self._fill(profile)

    def _act(self, act: Callable[..., object]) -> Callable[..., Awaitable[None]]:
        return while_signed_in(self.visit, act)

    def _profile(self) -> Profile:
        with self.audit.reading(self.visit.caller, "profile", self.hashed):
            return self.shop.profile(self.shopper_id, purpose=None)[0]

    def _fill(self, profile: Profile) -> None:
        self._facet_part.clear()
        with self._facet_part:
            for facet in profile.facets[:N_FACETS]:
                self._facet(facet)
        self._list_part.clear()
        wanted = Wanted(k=N_LISTED, language=self.visit.language)
        with self._list_part:
            self._list(self.shop.recommend(self.shopper_id, wanted, is_shown=False))

    def _head(self, profile: Profile) -> None:
        activity = profile.activity
        with card(), ui.row().classes("w-full gap-x-8 gap-y-2 items-end"):
            ui.label(self.shopper_id).classes("text-xl font-semibold break-all").props(
                "role=heading aria-level=1"
            )
            if activity is not None:
                figure(self.say("orders"), f"{activity.n_orders:,}")
                money = f"{activity.spend_minor / 100:,.2f} {activity.currency or ''}".strip()
                figure(self.say("spent"), money)
                seen = activity.last_seen.strftime("%Y-%m-%d") if activity.last_seen else "–"
                figure(self.say("last_seen"), seen)
                figure(self.say("lifecycle"), name_of(activity.lifecycle, self.visit.language))
        self._notes(profile.degraded)

    def _portrait(self, profile: Profile) -> None:
        said = profile.portrait.get(self.visit.language) or profile.portrait.get("en", ())
        if not said:
            ui.label(self.say("nothing_yet")).classes("hx-quiet")
        for sentence in said:
            with ui.label(sentence.text).classes("leading-7").props("tabindex=0"):
                self._evidence(sentence.evidence)

    def _evidence(self, evidence: Sequence[Evidence]) -> None:
        lines = evidence_lines(self.shop, self.shopper_id, evidence, language=self.visit.language)
        with ui.tooltip().classes("text-sm bg-gray-800 text-white max-w-md"), ui.column().classes("gap-0"):
            ui.label(self.say("evidence")).classes("font-semibold")
            for line in lines:
                ui.label(line)

    def _facet(self, facet: Facet) -> None:
        is_liked = facet.side == "liked"
        name = value_label(self.shop, facet.dimension, facet.value, language=self.visit.language)
        with ui.row().classes("w-full items-center gap-2 no-wrap").props("tabindex=0"):
            with ui.column().classes("gap-0 grow min-w-0"):
                with ui.row().classes("w-full justify-between no-wrap"):
                    ui.label(name).classes("truncate")
                    ui.label(f"{self.say(facet.side)} · {self.say(facet.source)}").classes(
                        "hx-quiet shrink-0"
                    )
                width = max(2.0, 100 * min(1.0, facet.share if is_liked else max(facet.share, 0.1)))
                colour = LIKED if is_liked else DISLIKED
                ui.element("div").style(
                    f"width:{width:.0f}%;height:8px;border-radius:4px;background:{colour};"
                    f"opacity:{0.35 + 0.65 * facet.confidence:.2f}"
                ).props(f'role=img aria-label="{self.say("share")} {facet.share:.0%}"')
                ui.label(
                    f"{self.say('share')} {facet.share:.0%} · {self.say('confidence')} {facet.confidence:.0%}"
                ).classes("hx-quiet")
            for side, icon in (("liked", "thumb_up"), ("disliked", "thumb_down"), ("withdrawn", "undo")):
                button = ui.button(icon=icon, on_click=self._act(partial(self._correct, facet, side)))
                button.props("flat round dense").tooltip(self.say(side))
                button.props["aria-label"] = f"{name}: {self.say(side)}"  # it is the shop's: never parsed
            self._evidence(facet.evidence)

    async def _correct(self, facet: Facet, side: str) -> None:
        self.audit.note(self.visit.caller, "correct", self.hashed)
        said = statements.correction(
            self.hashed,
            dimension=facet.dimension,
            value=facet.value,
            side=side,
            now=self.shop.clock(),
            shop_id=self.shop.shop_id,
        )
        try:
            await self.shop.accept([said])
        except HuaxiangError as error:
            ui.notify(str(error), type="negative")
            return
        ui.notify(self.say("corrected_now"), type="positive")  # before its button is drawn anew
        self._fill(self._profile())

    def _list(self, slate: Slate) -> None:
        for ranked in slate.items:
            with ui.row().classes("w-full items-center gap-3 no-wrap"):
                ui.element("img").props(f'src="{photo_of(ranked.item_id)}" alt="" loading=lazy').classes(
                    "hx-photo"
                )
                with ui.column().classes("gap-0 min-w-0 grow"):
                    place = f"/items/{quote(ranked.item_id, safe='')}"
                    ui.link(ranked.title, place).classes("line-clamp-2")
                    for text in ranked.said:
                        ui.label(text).classes("hx-quiet")
        self._notes(slate.degraded)

    def _notes(self, degraded: Sequence[Note]) -> None:
        for note in degraded:
            said = spoken(note, language=self.visit.language)
            ui.label(said).classes("hx-quiet").props("role=status")

    def _interests(self, profile: Profile) -> None:
        if not profile.interests:
            ui.label(self.say("nothing_yet")).classes("hx-quiet")
        for interest in profile.interests:
            with ui.row().classes("items-center gap-3 no-wrap").props("tabindex=0"):
                if interest.item_id is not None:
                    ui.element("img").props(
                        f'src="{photo_of(interest.item_id)}" alt="" loading=lazy'
                    ).classes("hx-photo")
                with ui.column().classes("gap-0"):
                    ui.label(interest.names[self.visit.language])
                    ui.label(f"{interest.weight:.0%}").classes("hx-quiet")
                self._evidence(interest.evidence)

    def _consent(self, profile: Profile) -> None:
        for purpose in PURPOSES:
            ui.switch(
                self.say(purpose),
                value=profile.consent.get(purpose, False),
                on_change=self._act(partial(self._answer, purpose)),
            )
        with ui.row().classes("gap-2 mt-2"):
            ui.button(self.say("export"), icon="download", on_click=self._act(self._export)).props("outline")
            ask = self._act(self._ask_to_erase)
            ui.button(self.say("erase"), icon="delete", on_click=ask).props("outline color=negative")

    async def _answer(self, purpose: str, change: ValueChangeEventArguments[bool]) -> None:
        self.audit.note(self.visit.caller, "consent", self.hashed)
        said = statements.consent(
            self.hashed,
            {purpose: change.value},
            source="console",
            now=self.shop.clock(),
            shop_id=self.shop.shop_id,
        )
        await self.shop.accept([said])
        ui.notify(self.say("consent_kept"), type="positive")
        self._fill(self._profile())

    def _export(self) -> None:
        with self.audit.reading(self.visit.caller, "export", self.hashed):
            whole = self.visit.service.privacy.export(self.shop, self.shopper_id)
        ui.download(orjson.dumps(whole, option=orjson.OPT_INDENT_2), "shopper.json")

    def _ask_to_erase(self) -> None:
        with ui.dialog(value=True), ui.card():
            ui.label(self.say("erase_sure"))
            with ui.row().classes("w-full justify-end"):
                ui.button(self.say("cancel"), on_click=lambda: ui.navigate.reload()).props("flat")
                ui.button(self.say("erase"), on_click=self._act(self._erase)).props("color=negative")

    async def _erase(self) -> None:
        caller = self.visit.caller
        with self.audit.changing(caller, "erase", self.hashed):
            await self.visit.service.privacy.erase(self.shop, self.shopper_id, key_id=caller.key_id)
        ui.notify(self.say("erased"), type="positive")
        ui.navigate.to("/shoppers")

    def _timeline(self) -> None:
        with ui.column().classes("w-full gap-1 max-h-96 overflow-auto").props("tabindex=0"):
            for line in timeline(self.shop, self.shopper_id, most=N_TIMELINE, language=self.visit.language):
                with ui.row().classes("w-full gap-3 no-wrap"):
                    ui.label(line.at).classes("hx-quiet w-36 shrink-0")
                    ui.label(line.what).classes("w-28 shrink-0")
                    ui.label(line.about).classes("truncate")
