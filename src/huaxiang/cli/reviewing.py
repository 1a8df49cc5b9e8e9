"""What the reviews of an item say."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer
from rich.console import Console, Group
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from huaxiang.cli.outcome import print_json
from huaxiang.cli.progress import StageProgress
from huaxiang.cli.show import wide_console
from huaxiang.errors import InputError

if TYPE_CHECKING:
    from huaxiang.model import Model
    from huaxiang.reviews.insight import Insight

WORDS = {
    "en": {
        "title": "Reviews",
        "side": "about",
        "praised": "praised",
        "blamed": "complained",
        "quote": "a reader says",
        "suggestions": "What to improve, by what it costs",
        "time": "Over time",
        "from": "from",
        "n": "reviews",
        "mean": "mean",
        "flags": "Worth a look",
        "event": "event",
        "cost": "costs",
    },
    "zh": {
        "title": "评价",
        "side": "方面",
        "praised": "称赞",
        "blamed": "抱怨",
        "quote": "原话",
        "suggestions": "改进建议（按对评分的影响排序）",
        "time": "随时间变化",
        "from": "起始",
        "n": "评价数",
        "mean": "平均分",
        "flags": "值得核查",
        "event": "事件",
        "cost": "扣分",
    },
}


def reviews(
    run: Annotated[Path, typer.Option("--run", help="Run folder made by `huaxiang build`.")],
    item: Annotated[str | None, typer.Option(help="Id of the item; without it all items are read.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for all items' insight; stopped, it goes on there.")
    ] = None,
    language: Annotated[str, typer.Option("--language", help="en or zh.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Show what buyers praise and complain of in an item's reviews, since when, and what to improve."""
    from huaxiang.model import load
    from huaxiang.model.reviews import insight_into

    if language not in WORDS:
        raise InputError("language is not known", column="--language", value=language, remedy="say en or zh")
    if (item is None) == (out is None):
        said = "neither is given" if item is None else "both are given"
        raise InputError(said, column="--item, --out", remedy="give an item, or a folder for all of them")
    if out is not None:
        _read_all(load(run), out, language=language, as_json=as_json)
        return
    found = insight_into(load(run), item or "", language=language)
    if as_json:
        print_json("reviews", found.as_json())
    else:
        show_insight(wide_console(), found, language=language)


def _read_all(model: Model, out: Path, *, language: str, as_json: bool) -> None:
    """Read every review of a run and write the insight of each item, a line each."""
    from huaxiang.model.reviews import read_whole_shop

    started = time.perf_counter()
    with StageProgress() as progress:
        book = read_whole_shop(
            model,
            out / "readings",
            progress=lambda done, total, note: progress.report("read", done, total, note),
        )
        items = book.items()
        partial = out / "insight.jsonl.partial"
        with partial.open("wb") as file:
            for done, item_id in enumerate(items, 1):
                file.write(orjson.dumps(book.insight(item_id, language=language).as_json()) + b"\n")
                progress.report("insight", done, len(items), "items")
        partial.rename(out / "insight.jsonl")
    facts = {
        "out": str(out / "insight.jsonl"),
        "n_items": len(items),
        "n_reviews": len(book),
        "seconds": round(time.perf_counter() - started, 2),
    }
    if as_json:
        print_json("reviews", facts)
    else:
        wide_console().print(", ".join(f"{name}: {value}" for name, value in facts.items()))


def show_insight(console: Console, found: Insight, *, language: str) -> None:
    """Draw the summary, the sides, the suggestions and the flags."""
    from huaxiang.reviews.shown import flag_text, note_text

    words = WORDS[language]
    said = [
        Text.assemble(one.text, ("  " + _ids(one.evidence), "dim")) for one in found.summary.get(language, ())
    ]
    title = f"{words['title']} · {found.title} ({found.item_id})"
    console.print(Panel(Group(*said), title=escape(title), title_align="left"))
    if found.sides:
        console.print(_sides(found, language))
    if found.suggestions:
        console.print(_suggestions(found, language))
    if found.stretches:
        console.print(_over_time(found, language))
    for flag in found.flags:
        console.print(
            Text(f"{words['flags']}: {flag_text(flag, language)}  {_ids(flag.event_ids)}", "yellow")
        )
    for key in found.remarks:
        console.print(Text(note_text(key, language), "dim"))


def _table(title: str, *heads: str, numbers: int) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for place, head in enumerate(heads):
        table.add_column(head, justify="right" if 0 < place <= numbers else "left", overflow="fold")
    return table


def _sides(found: Insight, language: str) -> Table:
    from huaxiang.reviews.lexicon import aspect_name

    words = WORDS[language]
    table = _table("", words["side"], words["praised"], words["blamed"], words["quote"], numbers=2)
    for side in found.sides:
        quotes = "\n".join(f"{'+' if q.polarity > 0 else '–'} {q.text}" for q in side.quotes[:2])
        counts = (str(side.sums.n_positive), str(side.sums.n_negative))
        table.add_row(escape(aspect_name(side.aspect, language=language)), *counts, escape(quotes))
    return table


def _suggestions(found: Insight, language: str) -> Table:
    from huaxiang.reviews.shown import suggestion_text

    words = WORDS[language]
    table = _table(words["suggestions"], "#", words["cost"], words["title"], words["quote"], numbers=1)
    for rank, one in enumerate(found.suggestions, 1):
        text = suggestion_text(one, language, of=found.tally.n_texts)
        quote = "\n".join(f"{q.text} {_ids((q.event_id,))}" for q in one.quotes[:2])
        table.add_row(str(rank), f"{one.cost.cost:.2f}", escape(text), escape(quote))
    return table


def _over_time(found: Insight, language: str) -> Table:
    words = WORDS[language]
    table = _table(words["time"], words["from"], words["n"], words["mean"], numbers=2)
    for one in found.stretches:
        mean = "–" if one.mean_stars is None else f"{one.mean_stars:.2f}"
        table.add_row(one.starts_at.date().isoformat(), str(one.n), mean)
    return table


def _ids(ids: tuple[str, ...], *, most: int = 3) -> str:
    if not ids:
        return ""
    return "[" + ", ".join(one[:12] for one in ids[:most]) + ("…" if len(ids) > most else "") + "]"
