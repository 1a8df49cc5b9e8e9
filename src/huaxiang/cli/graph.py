"""The command `graph`: the edges of an item or a value, and the map to the taxonomy for review."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from huaxiang.cli.outcome import print_json
from huaxiang.cli.show import wide_console
from huaxiang.cli.table_file import check_kind, write_table
from huaxiang.errors import InputError
from huaxiang.profile.names import dimension_name

if TYPE_CHECKING:
    from huaxiang.knowledge.graph import Edge, Node

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "value": "has",
        "family": "belongs to",
        "taxonomy": "in the taxonomy",
        "complement": "goes with",
        "substitute": "instead of it",
        "bought_together": "bought together",
        "edge": "edge",
        "node": "to",
        "weight": "weight",
        "confidence": "confidence",
        "evidence": "shoppers",
        "origin": "known from",
        "stated": "the shop",
        "inferred": "inferred",
        "counted": "baskets",
        "likeness": "likeness",
        "up": "The way up",
    },
    "zh": {
        "value": "具有",
        "family": "属于",
        "taxonomy": "分类体系",
        "complement": "搭配",
        "substitute": "可替代",
        "bought_together": "常一起购买",
        "edge": "关系",
        "node": "对象",
        "weight": "权重",
        "confidence": "可信度",
        "evidence": "顾客数",
        "origin": "来源",
        "stated": "店铺",
        "inferred": "推断",
        "counted": "购物篮",
        "likeness": "相似度",
        "up": "上级类目",
    },
}
graph_app = typer.Typer(help="The product graph: what goes with an item, what replaces it, where it belongs.")

Run = Annotated[Path | None, typer.Option("--run", help="Run folder made by `huaxiang build`.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


@graph_app.callback(invoke_without_command=True)
def graph(
    context: typer.Context,
    run: Run = None,
    item: Annotated[str | None, typer.Option(help="Id of an item.")] = None,
    value: Annotated[str | None, typer.Option(help="A value, as category=Boots or family=Shoes.")] = None,
    k: Annotated[int, typer.Option("-k", help="Items of each kind of edge, at least 1.")] = 10,
    language: Annotated[str, typer.Option(help="Language of names: en or zh.")] = "en",
    as_json: Json = False,
) -> None:
    """Show the edges of one item or value, each with its weight, how sure it is, and how many shoppers."""
    if context.invoked_subcommand is not None:
        return
    from huaxiang.model import load

    if run is None:
        raise InputError("no run given", column="--run", remedy="name the folder that build made")
    if (item is None) == (value is None):
        raise InputError(
            "one node is wanted",
            column="--item, --value",
            remedy="give either --item ID or --value name=value",
        )
    if language not in WORDS:
        raise InputError("language is not known", column="--language", value=language, remedy="say en or zh")
    asked = load(run).graph
    if item is not None:
        edges, up = asked.neighbours(item, k=k, language=language), asked.up(item, language=language)
    else:
        dimension, name = _split(value or "")
        edges, up = asked.of_value(dimension, name, k=k, language=language), []
    shown = {
        "item_id": item,
        "value": value,
        "up": [node.as_json() for node in up],
        "edges": [edge.as_json() for edge in edges],
    }
    if as_json:
        print_json("graph", shown)
        return
    _draw(item or value or "", edges, up, language)


@graph_app.command("map")
def write_map(
    out: Annotated[Path, typer.Option(help="Table to write: .csv, .csv.gz or .parquet.")],
    run: Run = None,
    as_json: Json = False,
) -> None:
    """Write each item's place in the public taxonomy for review; `build --map` reads the corrected table."""
    from huaxiang.knowledge.graph.mapping import mapping_table
    from huaxiang.knowledge.graph.taxonomy import read_taxonomy
    from huaxiang.model import load

    check_kind(out)
    if run is None:
        raise InputError("no run given", column="--run", remedy="name the folder that build made")
    model = load(run)
    folder = model.settings.text.taxonomy
    if folder is None:
        remedy = "build it with --set text.taxonomy=FOLDER"
        raise InputError(
            "the run was built without a taxonomy", column="--run", value=str(run), remedy=remedy
        )
    table = mapping_table(model.shop, read_taxonomy(folder))
    write_table(table, out)
    n_mapped = int(table["path_en"].is_not_null().sum())
    sums = {"out": str(out), "items": len(table), "mapped": n_mapped}
    if as_json:
        print_json("graph-map", sums)
    else:
        wide_console().print(
            f"{out}: {n_mapped:,} of {len(table):,} items have a place; use it with build --map"
        )


def _split(value: str) -> tuple[str, str]:
    dimension, equals, name = value.partition("=")
    if not equals:
        raise InputError("no value given", column="--value", value=value, remedy="write it as category=Boots")
    return dimension.strip(), name.strip()


def _draw(about: str, edges: Sequence[Edge], up: Sequence[Node], language: str) -> None:
    words: Mapping[str, Any] = WORDS[language]
    console = wide_console()
    if up:
        console.print(f"{words['up']}: " + " › ".join(escape(node.label) for node in up))
    table = Table(title=escape(about), title_justify="left", title_style="bold", header_style="bold")
    for head in ("edge", "node", "weight", "confidence", "evidence", "origin"):
        table.add_column(
            words[head], justify="right" if head in ("weight", "confidence", "evidence") else "left"
        )
    for edge in edges:
        table.add_row(
            words[edge.kind],
            escape(_name(edge.target, language)),
            f"{edge.weight:.2f}",
            f"{edge.confidence:.2f}",
            f"{edge.evidence:,}" if edge.evidence else "",
            words[edge.origin],
        )
    console.print(table)


def _name(node: Node, language: str) -> str:
    if node.kind == "item":
        return node.label if node.label == node.id else f"{node.label}  ({node.id})"
    return f"{dimension_name(node.dimension, language)}: {node.label}"
