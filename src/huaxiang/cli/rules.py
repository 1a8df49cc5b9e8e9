"""The commands of shop rules: checked, and tried on shoppers before they are in force."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from huaxiang.cli.moments import moment
from huaxiang.cli.outcome import print_json
from huaxiang.cli.show import wide_console
from huaxiang.errors import InputError

if TYPE_CHECKING:
    from huaxiang.knowledge.rules import Problem
    from huaxiang.model import Model
    from huaxiang.model.ruling import Change, DryRun

rules_app = typer.Typer(no_args_is_help=True, help="Shop rules: check a file, and try it on shoppers.")

File = Annotated[Path, typer.Argument(help="File of shop rules (YAML).")]
Run = Annotated[Path, typer.Option("--run", help="Run folder made by `huaxiang build`.")]
Language = Annotated[str, typer.Option("--language", help="en or zh.")]
At = Annotated[
    str | None,
    typer.Option("--at", help="Moment, as 2026-11-11T20:00; that of the newest event if not said."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]

WORDS = {
    "en": {
        "problems": "What is questionable",
        "none": "nothing is questionable",
        "line": "line",
        "rule": "rule",
        "kind": "kind",
        "what": "what",
        "unknown": "unknown",
        "dead": "dead",
        "conflict": "conflict",
        "unordered": "unordered",
        "in_force": "{n} rules are in force, {off} are switched off",
        "tried": "{changed} of {lists} lists change; {empty} are empty",
        "action": "does",
        "held": "holds for lists",
        "took": "takes from lists",
        "named": "named in lists",
        "before": "before",
        "after": "after",
        "why": "why",
        "shopper": "Shopper",
        "nobody": "somebody unknown",
    },
    "zh": {
        "problems": "可疑之处",
        "none": "没有可疑之处",
        "line": "行",
        "rule": "规则",
        "kind": "类别",
        "what": "说明",
        "unknown": "未知",
        "dead": "失效",
        "conflict": "冲突",
        "unordered": "次序不明",
        "in_force": "{n} 条规则生效，{off} 条已关闭",
        "tried": "{lists} 个列表中有 {changed} 个改变；{empty} 个为空",
        "action": "作用",
        "held": "成立的列表",
        "took": "移除商品的列表",
        "named": "理由中提到的列表",
        "before": "之前",
        "after": "之后",
        "why": "原因",
        "shopper": "顾客",
        "nobody": "未知访客",
    },
}
ACTIONS_ZH = {
    "exclude": "排除",
    "require": "仅限",
    "price_floor": "最低价格",
    "in_stock_only": "仅限有货",
    "age_limit": "上架时长",
    "cap": "数量上限",
    "pin": "置顶",
    "boost": "提升",
    "bury": "压低",
}


@rules_app.command("check")
def check_rules(
    file: File,
    run: Run,
    language: Language = "en",
    at: At = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 2 for conflicts and dead rules, too.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say what is wrong or questionable about shop rules: by line, with a remedy.

    Exits with 2 where a rule can't be understood, or names what the catalogue lacks.
    """
    from huaxiang.knowledge.rules import problems
    from huaxiang.model import load
    from huaxiang.model.ruling import rules_from

    model = load(run)
    on_goods = rules_from(model, file)
    found = problems(on_goods, now=moment(at, option="--at") or model.newest)
    n_rules, n_off = len(on_goods.rules.rules), on_goods.rules.n_off
    if as_json:
        shown = [one.as_json() for one in found]
        print_json("rules.check", {"file": str(file), "rules": n_rules, "off": n_off, "problems": shown})
    else:
        words = WORDS[_spoken(language)]
        wide_console().print(words["in_force"].format(n=n_rules, off=n_off))
        _show_problems(found, language)
    if any(strict or one.kind == "unknown" for one in found):
        raise typer.Exit(2)


@rules_app.command("try")
def try_out(  # noqa: PLR0913 - one argument per option
    file: File,
    run: Run,
    shoppers: Annotated[int, typer.Option(help="How many shoppers, the first by id.")] = 100,
    k: Annotated[int, typer.Option("-k", help="Length of the lists.")] = 10,
    placement: Annotated[str, typer.Option(help="home, item or cart.")] = "home",
    channel: Annotated[str | None, typer.Option(help="web, app, … as the shop calls it.")] = None,
    language: Language = "en",
    at: At = None,
    as_json: Json = False,
) -> None:
    """Show whose lists shop rules would change, and how; nothing is put in force."""
    from huaxiang.knowledge.rules.conditions import PLACEMENTS
    from huaxiang.model import load
    from huaxiang.model.ruling import Occasion, rules_from, try_rules

    spoken = _spoken(language)
    if placement not in PLACEMENTS:
        remedy = f"choose one of {', '.join(PLACEMENTS)}"
        raise InputError("no such placement", column="--placement", value=placement, remedy=remedy)
    if shoppers < 1:
        raise InputError(
            "nobody to try it on", column="--shoppers", value=str(shoppers), remedy="give 1 or more"
        )
    model = load(run)
    on_goods = rules_from(model, file)
    ids = model.states.table()["shopper_id"].to_list()[:shoppers]
    occasion = Occasion(
        k=k, placement=placement, channel=channel, language=spoken, now=moment(at, option="--at")
    )
    tried = try_rules(model, on_goods, (model.profile(one) for one in ids), occasion=occasion)
    if as_json:
        print_json("rules.try", {"file": str(file), **tried.as_json()})
    else:
        _show_tried(tried, spoken)


def _show_problems(found: Sequence[Problem], language: str) -> None:
    words = WORDS[_spoken(language)]
    if not found:
        wide_console().print(words["none"])
        return
    table = Table(title=words["problems"], title_justify="left")
    for head in ("line", "kind", "rule", "what"):
        table.add_column(words[head], justify="right" if head == "line" else "left", overflow="fold")
    for one in found:
        table.add_row(str(one.line), words[one.kind], escape(one.rule), escape(one.said(language)))
    wide_console().print(table)


def _show_tried(tried: DryRun, language: str) -> None:
    words, console = WORDS[language], wide_console()
    table = Table(title_justify="left")
    for head in ("rule", "action", "held", "took", "named"):
        table.add_column(
            words[head], justify="left" if head in ("rule", "action") else "right", overflow="fold"
        )
    for one in tried.rules:
        action = ACTIONS_ZH[one.action] if language == "zh" else one.action.replace("_", " ")
        table.add_row(escape(one.rule), action, str(one.held), str(one.took), str(one.named))
    console.print(table)
    for change in tried.changes[:5]:
        console.print(_change_table(change, language))
    said = words["tried"].format(changed=tried.n_changed, lists=tried.n_lists, empty=tried.n_empty)
    console.print(said)
    _show_problems(tried.problems, language)


def _change_table(change: Change, language: str) -> Table:
    words = WORDS[language]
    who = change.shopper_id or words["nobody"]
    table = Table(title=escape(f"{words['shopper']} {who}"), title_justify="left")
    table.add_column("#", justify="right")
    for head in ("before", "after", "why"):
        table.add_column(words[head], overflow="fold")
    for place in range(max(len(change.before), len(change.after))):
        old = change.before[place] if place < len(change.before) else None
        new = change.after[place] if place < len(change.after) else None
        table.add_row(
            str(place + 1),
            _marked(change, old, "−"),
            _marked(change, new, "+"),
            escape(_why(change, old, new)),
        )
    return table


def _marked(change: Change, item_id: str | None, mark: str) -> str:
    if item_id is None:
        return ""
    title = escape(change.titles[item_id])
    is_marked = item_id in (change.went if mark == "−" else change.came)
    colour = "red" if mark == "−" else "green"
    return f"[{colour}]{mark} {title}[/{colour}]" if is_marked else title


def _why(change: Change, old: str | None, new: str | None) -> str:
    parts = []
    if old in change.went and change.why.get(old):
        parts.append("− " + ", ".join(change.why[old]))
    if new is not None and change.why.get(new):
        parts.append("+ " + ", ".join(change.why[new]))
    return "; ".join(parts)


def _spoken(language: str) -> str:
    if language not in WORDS:
        raise InputError("language is not known", column="--language", value=language, remedy="say en or zh")
    return language


def with_rules(model: Model, file: Path | None) -> Model:
    """Return the model with a file of shop rules in force; what is questionable about them is said aside."""
    from huaxiang.model.ruling import use_rules

    for problem in () if file is None else use_rules(model, file):
        typer.echo(f"{file}:{problem.line} {problem.rule}: {problem.text}", err=True)
    return model
