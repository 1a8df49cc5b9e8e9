"""Rules: what is in force, what is questionable about it, and a dry run of others."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from nicegui import ui

from huaxiang.console.frame import Word, card, page_frame, while_signed_in
from huaxiang.console.session import Visit
from huaxiang.errors import HuaxiangError
from huaxiang.knowledge.rules import Problem, problems
from huaxiang.knowledge.rules.yaml_tree import MOST_BYTES
from huaxiang.model.ruling import Change, DryRun, Occasion, rules_from
from huaxiang.serve.ruling import MOST_TRIED, tried

_MOST_ROWS = 100
_MOST_CHANGES = 5
_EXAMPLE = "version: 1\nrules:\n- name: \n  items: {brand: }\n  boost: 0.5\n"


def show_rules(visit: Visit) -> None:
    """Build the page."""
    with page_frame(visit, "rules") as say:
        with card(say("rules_in_force")):
            _in_force(visit, say)
        if visit.shop.rules.file is not None:
            with card(say("rules_problems")):
                _problems(visit.shop.rules.problems, visit.language, say)
        with card(say("rules_try")):
            _dry_run(visit, say)


def _in_force(visit: Visit, say: Word) -> None:
    shop_rules = visit.shop.rules
    in_force = shop_rules.book.rules
    if shop_rules.error is not None:
        with ui.column().classes("gap-0").props("role=alert"):
            ui.label(say("rules_refused")).classes("text-negative font-semibold")
            ui.label(str(shop_rules.error)).classes("break-all")
    if in_force is None:
        ui.label(say("rules_none"))
        return
    since = "" if shop_rules.since is None else shop_rules.since.isoformat(" ", "seconds")
    off = f" · {say('rules_off')}: {in_force.n_off}" if in_force.n_off else ""
    ui.label(f"{say('rules_since')} {since}{off}").classes("hx-quiet")
    rows = [
        [rule.name, say(f"rules_does_{rule.action}"), str(rule.priority), str(rule.line)]
        for rule in in_force.rules
    ]
    if rows:
        _table([say(f"rules_{head}") for head in ("rule", "action", "priority", "line")], rows)
    else:
        ui.label(say("rules_empty"))


def _problems(found: Sequence[Problem], language: str, say: Word) -> None:
    if not found:
        ui.label(say("rules_fine"))
        return
    rows = [[str(one.line), say(f"rules_kind_{one.kind}"), one.rule, one.said(language)] for one in found]
    _table([say(f"rules_{head}") for head in ("line", "kind", "rule", "what")], rows)


def _dry_run(visit: Visit, say: Word) -> None:
    box = ui.textarea(say("rules_text"), value=_EXAMPLE).classes("w-full font-mono")
    box.props(f'autogrow outlined spellcheck=false maxlength={MOST_BYTES} aria-label="{say("rules_text")}"')
    with ui.row().classes("items-center gap-2"):
        n_shoppers = ui.number(say("rules_shoppers"), value=20, min=0, max=MOST_TRIED, precision=0)
        check = ui.button(say("rules_check")).props("outline no-caps")
        run = ui.button(say("rules_run")).props("no-caps")
    shown = ui.column().classes("w-full gap-3").props("aria-live=polite")

    async def fill(is_tried: bool) -> None:
        shown.clear()
        check.disable()
        run.disable()
        try:
            await _fill(
                visit, say, shown, str(box.value or ""), int(n_shoppers.value or 0) if is_tried else None
            )
        finally:
            check.enable()
            run.enable()

    check.on_click(while_signed_in(visit, partial(fill, False)))
    run.on_click(while_signed_in(visit, partial(fill, True)))


async def _fill(visit: Visit, say: Word, shown: ui.column, text: str, n_shoppers: int | None) -> None:
    shop = visit.shop
    try:
        if n_shoppers is None:
            on_goods = await asyncio.to_thread(rules_from, shop.serving.model, text)
            found = await asyncio.to_thread(problems, on_goods, now=shop.clock())
            with shown:
                _problems(found, visit.language, say)
            return
        occasion = Occasion(language=visit.language, now=shop.clock())
        n_shoppers = max(0, min(n_shoppers, MOST_TRIED))
        done = await asyncio.to_thread(tried, shop, text, n_shoppers=n_shoppers, occasion=occasion)
    except HuaxiangError as error:
        with shown:
            ui.label(str(error)).classes("text-negative break-all").props("role=alert")
        return
    with shown:
        _tried(done, visit.language, say)


def _tried(done: DryRun, language: str, say: Word) -> None:
    if language == "zh":
        said = f"{say('rules_of')} {done.n_lists} 个列表，{done.n_changed} {say('rules_changed')}，"
        said += f"{done.n_empty} {say('rules_emptied')}"
    else:
        said = f"{done.n_changed} {say('rules_of')} {done.n_lists} {say('rules_changed')}; "
        said += f"{done.n_empty} {say('rules_emptied')}"
    ui.label(said).classes("font-semibold")
    rows = [
        [one.rule, say(f"rules_does_{one.action}"), str(one.held), str(one.took), str(one.named)]
        for one in done.rules
    ]
    _table([say(f"rules_{head}") for head in ("rule", "action", "held", "took", "named")], rows)
    _problems(done.problems, language, say)
    for change in done.changes[:_MOST_CHANGES]:
        _change(change, say)


def _change(change: Change, say: Word) -> None:
    ui.label(change.shopper_id or say("rules_nobody")).classes("hx-quiet break-all")
    rows = []
    for place in range(max(len(change.before), len(change.after))):
        old = change.before[place] if place < len(change.before) else None
        new = change.after[place] if place < len(change.after) else None
        why = (
            [f"− {'、'.join(change.why[old])}"]
            if old is not None and old in change.went and old in change.why
            else []
        )
        why += [f"+ {'、'.join(change.why[new])}"] if new is not None and new in change.why else []
        rows.append(
            [
                str(place + 1),
                _marked(change, old, change.went, "− "),
                _marked(change, new, change.came, "+ "),
                "; ".join(why),
            ]
        )
    _table(["#", say("rules_before"), say("rules_after"), say("rules_why")], rows)


def _marked(change: Change, item_id: str | None, marked: Sequence[str], mark: str) -> str:
    if item_id is None:
        return ""
    return f"{mark if item_id in marked else ''}{change.titles[item_id]}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Show a table of plain text."""
    columns = [
        {"name": str(place), "label": head, "field": str(place), "align": "left"}
        for place, head in enumerate(heads)
    ]
    shown = [
        {"id": number, **{str(place): cell for place, cell in enumerate(row)}}
        for number, row in enumerate(rows[:_MOST_ROWS])
    ]
    table = (
        ui.table(columns=columns, rows=shown, row_key="id").classes("w-full").props("flat dense wrap-cells")
    )
    table.props('hide-pagination :rows-per-page-options="[0]"')
