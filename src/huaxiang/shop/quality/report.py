"""What was found in a table of texts, as plain facts and as one page in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import polars as pl
from jinja2 import Environment, StrictUndefined

from huaxiang.shop.quality.cleaning import Cleaned
from huaxiang.shop.quality.findings import DONE, KINDS

EXAMPLES = 5
"""Findings of each kind that the page shows."""
LANGUAGE_NAMES: Mapping[str, tuple[str, str]] = {
    "zh": ("Chinese", "中文"),
    "en": ("English", "英文"),
    "mixed": ("both in one text", "中英混合"),
    "other": ("another", "其他"),
}


def facts_of(cleaned: Cleaned, *, name: str) -> dict[str, Any]:
    """Return what one table's report says: counts, languages, lengths, examples; no personal data."""
    findings = cleaned.findings
    return {
        "name": name,
        "rows_read": cleaned.n_read,
        "rows_kept": len(cleaned.frame),
        "rows_removed": cleaned.n_read - len(cleaned.frame),
        "findings": len(findings),
        "kinds": [_kind(findings, kind) for kind in KINDS if kind in set(findings["kind"])],
        "texts": {
            column: {"languages": languages, "characters": cleaned.lengths[column]}
            for column, languages in cleaned.languages.items()
        },
        "labels": _labels(cleaned),
    }


def _kind(findings: pl.DataFrame, kind: str) -> dict[str, Any]:
    found = findings.filter(kind=kind)
    worst_first = found.sort(pl.col("note").str.extract(r"([\d.]+)$").cast(pl.Float64), maintain_order=True)
    shown = (worst_first if kind == "label_noise" else found).head(EXAMPLES)
    return {
        "kind": kind,
        "n": len(found),
        "n_rows": found["line"].n_unique(),
        "done": dict(sorted(found["done"].value_counts().iter_rows())),
        "examples": shown.select("line", "column", "value", "note").to_dicts(),
    }


def _labels(cleaned: Cleaned) -> dict[str, Any] | None:
    judged = cleaned.judged
    if judged is None:
        return None
    return {
        "judged": judged.n_judged,
        "in_doubt": len(judged.doubts),
        "held_out_accuracy": round(judged.accuracy, 4),
        "rare": dict(judged.rare),
    }


def report_html(facts: Mapping[str, Any], *, language: str = "en") -> str:
    """Return the page; it loads nothing from anywhere.

    Parameters
    ----------
    facts
        `tables` (each by `facts_of`), assumed, version, seed, seconds.
    language
        Shown first; the page switches between English and Chinese by itself.
    """
    page = files("huaxiang.shop.quality").joinpath("report.html.j2").read_text(encoding="utf-8")
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(page)
    return template.render(
        **facts,
        kinds=KINDS,
        done_names=DONE,
        language_names=LANGUAGE_NAMES,
        most=max([1, *(kind["n"] for table in facts["tables"] for kind in table["kinds"])]),
        language=language,
    )


def whole(tables: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return the sums over all tables.

    Examples
    --------
    >>> whole([{"rows_read": 2, "rows_kept": 1, "rows_removed": 1, "findings": 3}])
    {'rows_read': 2, 'rows_kept': 1, 'rows_removed': 1, 'findings': 3}
    """
    names = ("rows_read", "rows_kept", "rows_removed", "findings")
    return {name: sum(table[name] for table in tables) for name in names}
