"""Profiles, lists and accuracy drawn for people, in English or Chinese."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from huaxiang.notes import Note, spoken
from huaxiang.profile.names import dimension_name, value_name
from huaxiang.records import Evidence, Facet, Profile, Slate
from huaxiang.shop.catalogue import Catalogue

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "portrait": "Portrait",
        "facets": "Facets",
        "interests": "Interests",
        "dimension": "dimension",
        "value": "value",
        "side": "side",
        "share": "share",
        "lift": "lift",
        "confidence": "confidence",
        "source": "source",
        "evidence": "evidence",
        "list": "List",
        "item": "item",
        "score": "score",
        "reasons": "reasons",
        "weight": "weight",
        "typical": "most typical item",
        "liked": "liked",
        "disliked": "disliked",
        "stated": "stated",
        "inferred": "inferred",
        "corrected": "corrected",
        "degraded": "degraded",
        "events": "events",
        "described": "described shopper",
        "shopper": "shopper",
    },
    "zh": {
        "portrait": "画像",
        "facets": "特征",
        "interests": "兴趣",
        "dimension": "维度",
        "value": "取值",
        "side": "态度",
        "share": "占比",
        "lift": "提升",
        "confidence": "置信度",
        "source": "来源",
        "evidence": "证据",
        "list": "推荐",
        "item": "商品",
        "score": "得分",
        "reasons": "理由",
        "weight": "权重",
        "typical": "最典型的商品",
        "liked": "喜欢",
        "disliked": "不喜欢",
        "stated": "自述",
        "inferred": "推断",
        "corrected": "更正",
        "degraded": "降级",
        "events": "条事件",
        "described": "描述的顾客",
        "shopper": "顾客",
    },
}


def show_profile(
    console: Console, profile: Profile, catalogue: Catalogue, *, language: str, n_facets: int = 12
) -> None:
    """Draw the portrait with its evidence, the strongest facets and the interests."""
    words = WORDS[language]
    who = f"{words['shopper']} {profile.shopper_id}" if profile.shopper_id else words["described"]
    title = f"{words['portrait']} · {who} · {profile.n_events} {words['events']}"
    said = [
        Text.assemble(sentence.text, ("  " + _evidence(sentence.evidence), "dim"))
        for sentence in profile.portrait.get(language, ())
    ]
    console.print(Panel(Group(*(said or [Text("—")])), title=escape(title), title_align="left"))
    console.print(_facet_table(profile.facets[:n_facets], catalogue, language))
    if profile.interests:
        console.print(_interest_table(profile, language))
    show_degraded(console, profile.degraded, language)


def _facet_table(facets: Sequence[Facet], catalogue: Catalogue, language: str) -> RenderableType:
    words = WORDS[language]
    heads = ("dimension", "value", "side", "share", "lift", "confidence", "source", "evidence")
    table = drawn_table(words["facets"], [words[head] for head in heads], numbers={3, 4, 5})
    for facet in facets:
        table.add_row(
            dimension_name(facet.dimension, language),
            escape(value_name(facet.dimension, facet.value, language=language, catalogue=catalogue)),
            words[facet.side],
            f"{facet.share:.2f}",
            f"{facet.lift:.1f}",
            f"{facet.confidence:.2f}",
            words[facet.source],
            escape(_evidence(facet.evidence)),
        )
    return table


def _interest_table(profile: Profile, language: str) -> RenderableType:
    words = WORDS[language]
    table = drawn_table(words["interests"], [words["value"], words["weight"], words["typical"]], numbers={1})
    for interest in profile.interests:
        table.add_row(
            escape(interest.names[language]),
            f"{interest.weight:.2f}",
            escape(interest.titles.get(language, "—")),
        )
    return table


def show_slate(console: Console, slate: Slate, *, language: str) -> None:
    """Draw a list with its scores and reasons."""
    words = WORDS[language]
    title = f"{words['list']} · {slate.model}"
    table = drawn_table(title, ["#", words["item"], words["score"], words["reasons"]], numbers={0, 2})
    for ranked in slate.items:
        reasons = "\n".join(ranked.said)
        name = ranked.title if ranked.title == ranked.item_id else f"{ranked.title}  ({ranked.item_id})"
        table.add_row(str(ranked.rank), escape(name), f"{ranked.score:.3f}", escape(reasons))
    console.print(table)
    show_degraded(console, slate.degraded, language)


def wide_console() -> Console:
    """Return a console as wide as the terminal, and wide enough for tables where there is none."""
    return Console(width=None if os.environ.get("COLUMNS") or Console().is_terminal else 120)


def show_models(console: Console, models: Sequence[Mapping[str, Any]], *, title: str) -> None:
    """Draw accuracy side by side: one row per model, each figure with its interval."""
    figures = list(models[0]["test"])[:2] if models else []
    table = drawn_table(title, ["model", "uses", *figures, "train s", "rank s"], numbers=set(range(2, 9)))
    for model in models:
        cells = [_interval(model["test"][figure]) for figure in figures]
        seconds = [f"{model['train_s']:.1f}", f"{model['rank_s']:.2f}"]
        table.add_row(model["name"], ", ".join(model["uses"]), *cells, *seconds)
    console.print(table)


def show_parts(console: Console, evaluation: Mapping[str, Any]) -> None:
    """Draw the accuracy of every model, for new items and for repeat and new ones."""
    names = {"new": "items not had before", "all": "repeat and new items"}
    for part, measured in evaluation["parts"].items():
        title = f"Held out, {evaluation['split']}: {names[part]}, {measured['n_shoppers']:,} shoppers"
        show_models(console, measured["models"], title=title)


def show_sums(console: Console, sums: Mapping[str, Any]) -> None:
    """Draw where every line of the events went."""
    table = drawn_table("build", ["", "lines"], numbers={1})
    table.add_row("lines read", f"{sums['lines_read']:,}")
    table.add_row("= events", f"{sums['events']:,}")
    for kind in ("set_aside", "quarantined"):
        for reason, n_lines in sums[kind].items():
            table.add_row(f"+ {kind.replace('_', ' ')}: {reason}", f"{n_lines:,}")
    for noun in ("shoppers", "anonymous_sessions", "items"):
        table.add_row(noun.replace("_", " "), f"{sums[noun]:,}")
    console.print(table)


def _interval(figure: Mapping[str, float]) -> str:
    return f"{figure['mean']:.4f} [{figure['low']:.4f}, {figure['high']:.4f}]"


def _evidence(evidence: Sequence[Evidence], *, most: int = 3) -> str:
    names = []
    for one in evidence[:most]:
        if one.event_id is not None:
            names.append(one.event_id[:12])
        else:
            names.append(f"“{one.text}”" if one.text is not None else str(one.image))
    return "[" + ", ".join(names) + ("…" if len(evidence) > most else "") + "]" if names else ""


def drawn_table(title: str, heads: Sequence[str], *, numbers: set[int]) -> Table:
    """Return an empty table; the columns of `numbers` stand to the right."""
    table = Table(title=escape(title), title_justify="left", title_style="bold", header_style="bold")
    for column, head in enumerate(heads):
        table.add_column(head, justify="right" if column in numbers else "left", overflow="fold")
    return table


def show_degraded(console: Console, degraded: Sequence[Note], language: str) -> None:
    """Draw what is not as it should be."""
    for note in degraded:
        said = spoken(note, language=language)
        console.print(Text(f"{WORDS[language]['degraded']}: {said}", style="yellow"))
