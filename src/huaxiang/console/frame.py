"""What every page has: the name, the way to the others, the language, light or dark."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from inspect import isawaitable
from typing import Any

from nicegui import ui

from huaxiang.console.session import HOME, LANGUAGE_COOKIE, Visit
from huaxiang.console.words import LANGUAGES, word

Word = Callable[[str], str]

PAGES = (
    ("overview", "/"),
    ("shoppers", "/shoppers"),
    ("items", "/items"),
    ("search", "/search"),
    ("rules", "/rules"),
    ("models", "/models"),
)
"""Page and where it is under the console's address, which links and `navigate` put before it."""

LIKED, DISLIKED, QUIET = "#2f7d6d", "#b4534b", "#8a8f98"
"""Green and red that differ in lightness too, so that colour is never all that tells them apart."""

_STYLE = """
<style>
  body { font-family: system-ui, -apple-system, "Segoe UI", "Noto Sans", "Noto Sans CJK SC", sans-serif; }
  .hx-card { border-radius: 10px; padding: 16px; }
  .hx-figure { font-size: 1.6rem; font-weight: 600; font-variant-numeric: tabular-nums; }
  .hx-quiet { opacity: .72; font-size: .85rem; }
  .hx-photo { width: 64px; height: 64px; object-fit: cover; border-radius: 8px; background: #e8e8ea; }
  :focus-visible { outline: 3px solid #2f7d6d; outline-offset: 2px; }
</style>
"""


@contextmanager
def page_frame(visit: Visit, here: str) -> Iterator[Word]:
    """Yield the words of the visit's language inside the frame of a page."""
    say: Word = partial(word, language=visit.language)
    ui.add_head_html(_STYLE)
    ui.colors(primary=LIKED, negative=DISLIKED)
    ui.query("html").props(f"lang={'zh-CN' if visit.language == 'zh' else 'en'}")
    dark = ui.dark_mode(value=None)
    with ui.header().classes("items-center gap-2 px-4 py-2"):
        ui.link(say("title"), "/").classes("text-lg font-semibold text-white no-underline mr-2")
        with ui.row().classes("gap-1 max-sm:hidden"):
            _links(say, here)
        ui.space()
        _language_choice(visit, say)
        ui.button(icon="contrast", on_click=lambda: dark.set_value(not dark.value)).props(
            f'flat round color=white aria-label="{say("dark")}"'
        )
        with (
            ui.button(icon="menu")
            .props(f'flat round color=white aria-label="{say("menu")}"')
            .classes("sm:hidden")
        ):
            with ui.menu():
                for name, place in PAGES:
                    ui.menu_item(say(name), on_click=partial(ui.navigate.to, place))
        ui.button(icon="logout", on_click=lambda: ui.navigate.to("/sign-out")).props(
            f'flat round color=white aria-label="{say("sign_out")}"'
        )
    with ui.column().classes("w-full max-w-6xl mx-auto p-2 sm:p-4 gap-4"):
        yield say


def while_signed_in(visit: Visit, act: Callable[..., object]) -> Callable[..., Awaitable[None]]:
    """Return what does the same while the key of the visit works, and afterwards leads to the door.

    Whatever a page does when it is clicked, and whatever it renews by itself, goes through here: a page stays
    open long after its key was looked up.
    """

    @wraps(act)
    async def checked(*given: Any) -> None:
        if visit.is_over():
            ui.navigate.to("/sign-in")
            return
        done = act(*given)
        if isawaitable(done):
            await done

    return checked


def _links(say: Word, here: str) -> None:
    for name, place in PAGES:
        link = ui.link(say(name), place).classes("text-white no-underline px-3 py-1 rounded")
        if name == here:
            link.classes("bg-white/20 font-semibold").props("aria-current=page")


def _language_choice(visit: Visit, say: Word) -> None:
    other = "en" if visit.language == "zh" else "zh"
    button = ui.button(LANGUAGES[other]).props(
        f'flat no-caps color=white aria-label="{say("language")}: {LANGUAGES[other]}"'
    )
    cookie = f"{LANGUAGE_COOKIE}={other}; path={HOME}; max-age=31536000; samesite=strict"
    button.on("click", js_handler=f"() => {{ document.cookie = '{cookie}'; location.reload(); }}")


@contextmanager
def card(title: str | None = None) -> Iterator[ui.card]:
    """Yield a card with a heading."""
    with ui.card().classes("hx-card w-full") as made:
        if title:
            ui.label(title).classes("text-base font-semibold").props("role=heading aria-level=2")
        yield made


@contextmanager
def asking_form(place: str, submit: str, *, icon: str | None = None) -> Iterator[None]:
    """Yield a row of boxes, each named as the page at `place` reads it, and a button.

    The browser sends it by itself: what is typed before the page is connected is not lost.
    """
    form = ui.element("form").props(f'action="{HOME}{place}" method=get role=search').classes("w-full")
    with form, ui.row().classes("w-full items-center gap-2"):
        yield
        ui.button(submit, icon=icon).props("type=submit")


def figure(name: str, value: str) -> ui.label:
    """Show one figure under its name; return the label of the value."""
    with ui.column().classes("gap-0 min-w-32"):
        ui.label(name).classes("hx-quiet")
        return ui.label(value).classes("hx-figure")
