"""`huaxiang search`: a query or a photo answered from a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from huaxiang.cli.outcome import print_json
from huaxiang.cli.rules import with_rules
from huaxiang.cli.show import WORDS, drawn_table, show_degraded, wide_console
from huaxiang.errors import InputError, UnknownShopperError
from huaxiang.profile.names import dimension_name

if TYPE_CHECKING:
    from huaxiang.search.base import SearchResult, Sort

MOST_FACETS = 6
"""Values that are drawn of each dimension."""

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "found": "{n} found",
        "for": "for {who}",
        "mean": "did you mean",
        "price": "price",
        "narrow": "narrow by",
    },
    "zh": {
        "found": "共 {n} 件",
        "for": "为 {who}",
        "mean": "您是不是要找",
        "price": "价格",
        "narrow": "筛选",
    },
}


def search(  # noqa: PLR0913 - one parameter per option
    run: Annotated[Path, typer.Option("--run", help="Run folder made by `huaxiang build`.")],
    words: Annotated[str | None, typer.Argument(help="What is looked for, in English or Chinese.")] = None,
    image: Annotated[Path | None, typer.Option(help="A photo of what is looked for.")] = None,
    shopper: Annotated[
        str | None, typer.Option(help="Id of the shopper it is for; nobody if not said.")
    ] = None,
    narrow: Annotated[
        list[str] | None, typer.Option("--filter", help="dimension=value, as colour=red; repeatable.")
    ] = None,
    category: Annotated[str | None, typer.Option(help="Only this category, whole or its last part.")] = None,
    brand: Annotated[str | None, typer.Option(help="Only this brand.")] = None,
    price_min: Annotated[float | None, typer.Option(help="Lowest price, in whole units.")] = None,
    price_max: Annotated[float | None, typer.Option(help="Highest price, in whole units.")] = None,
    sold_out: Annotated[bool, typer.Option("--sold-out", help="Also what can't be bought now.")] = False,
    sort: Annotated[str, typer.Option(help="relevance, price, -price, newest or popular.")] = "relevance",
    k: Annotated[int, typer.Option("-k", help="How many are listed, at least 1.")] = 10,
    offset: Annotated[int, typer.Option(help="After how many the page begins.")] = 0,
    strength: Annotated[
        float | None, typer.Option(help="How far the profile moves items; 0 is the same for everybody.")
    ] = None,
    verbatim: Annotated[bool, typer.Option("--verbatim", help="Correct nothing in the words.")] = False,
    language: Annotated[str | None, typer.Option(help="en or zh; that of the words if not said.")] = None,
    rules: Annotated[Path | None, typer.Option(help="File of shop rules (YAML) to keep to.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Find items by words, a photo, or both, in the order that suits a shopper."""
    from huaxiang.model import load
    from huaxiang.profile.wishes import is_chinese
    from huaxiang.search.base import Query
    from huaxiang.search.filters import narrowed

    spoken = language or ("zh" if words and is_chinese(words) else "en")
    if spoken not in WORDS:
        raise InputError("language is not known", column="--language", value=spoken, remedy="say en or zh")
    model = with_rules(load(run), rules)
    query = Query(
        text=words,
        image=image,
        filters=narrowed(
            narrow or (),
            category=category,
            brand=brand,
            price_min=price_min,
            price_max=price_max,
            in_stock=not sold_out,
            currency=model.catalogue.currency,
        ),
        sort=cast("Sort", sort),  # checked there
        k=k,
        offset=offset,
        strength=strength,
        verbatim=verbatim,
        language=spoken,
    )
    if shopper is not None and shopper not in model.states:
        raise UnknownShopperError("no such shopper", column="--shopper", value=shopper, remedy="check the id")
    result = model.search(query, shopper=shopper)
    if as_json:
        print_json("search", result.as_json())
    else:
        show_result(wide_console(), result, language=spoken)


def show_result(console: Console, result: SearchResult, *, language: str) -> None:
    """Draw what was understood, what was found and why, and what it can be narrowed by."""
    words, own = WORDS[language], _WORDS[language]
    title = own["found"].format(n=f"{result.n_found:,}")
    if result.shopper_id is not None and result.is_personal:
        title += " · " + own["for"].format(who=result.shopper_id)
    read = result.query
    if read is not None:
        title = f"“{read.searched}” · {title}"
        if read.did_you_mean:
            console.print(Text(f"{own['mean']}: {read.did_you_mean}?", style="yellow"))
    table = drawn_table(title, ["#", words["item"], words["score"], words["reasons"]], numbers={0, 2})
    for ranked in result.items:
        reasons = "\n".join(ranked.said)
        name = ranked.title if ranked.title == ranked.item_id else f"{ranked.title}  ({ranked.item_id})"
        table.add_row(str(ranked.rank), escape(name), f"{ranked.score:.3f}", escape(reasons))
    console.print(table)
    for dimension in dict.fromkeys(one.dimension for one in result.facets):
        counts = [one for one in result.facets if one.dimension == dimension][:MOST_FACETS]
        said = " · ".join(f"{one.label} {one.n_items}" for one in counts)
        console.print(Text(f"{own['narrow']} {dimension_name(dimension, language)}: {said}", style="dim"))
    show_degraded(console, result.degraded, language)
