"""A file or a shop folder → a folder with its texts cleaned and what was found."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

import huaxiang
from huaxiang.cli.new_folder import new_folder
from huaxiang.cli.table_file import write_table
from huaxiang.errors import InputError
from huaxiang.files import write_json
from huaxiang.shop.quality import duplicates
from huaxiang.shop.quality.cleaning import Cleaned, Config, clean
from huaxiang.shop.quality.given import Given, guessed_text_columns, read_given
from huaxiang.shop.quality.report import facts_of, report_html, whole
from huaxiang.shop.quality.shop_texts import shop_texts
from huaxiang.shop.read import read_shop

Progress = Callable[[str, int, int, str], None]

REPORT = "report.json"
_OF_A_FILE = ("label", "numbers", "split", "row_id")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is to be cleaned and how: a file or a shop folder, and settings of `cleaning.Config`."""

    file: Path | None
    shop: Path | None
    texts: tuple[str, ...]
    against: tuple[Path, ...]
    encoding: str
    settings: Mapping[str, Any]
    similarity: float


def clean_and_write(
    asked: Asked, out: Path, *, format_: str, language: str, progress: Progress
) -> dict[str, Any]:
    """Clean, write the folder, and return what its `report.json` says."""
    started = time.perf_counter()
    with new_folder(out, mark=REPORT) as folder:
        tables, assumed = _tables(asked)
        against = [read_given(path, option="--against", encoding=asked.encoding) for path in asked.against]
        alike = duplicates.Config(similarity=asked.similarity)
        cleaned = {
            given.name: clean(
                given,
                Config(texts=texts, alike=alike, **asked.settings),
                against=against,
                progress=lambda done, total, note, name=given.name: progress(name, done, total, note),  # type: ignore[misc]
            )
            for given, texts in tables
        }
        _write_tables(folder, cleaned, format_=format_, is_shop=asked.shop is not None)
        facts = {
            **_facts(cleaned),
            "assumed": assumed,
            "seed": asked.settings["seed"],
            "version": huaxiang.__version__,
            "seconds": round(time.perf_counter() - started, 2),
        }
        write_json(folder / REPORT, facts)
        (folder / "report.html").write_text(report_html(facts, language=language), encoding="utf-8")
    return facts


def _facts(cleaned: Mapping[str, Cleaned]) -> dict[str, Any]:
    tables = [facts_of(one, name=name) for name, one in cleaned.items()]
    return {**whole(tables), "tables": tables}


def _tables(asked: Asked) -> tuple[list[tuple[Given, tuple[str, ...]]], list[dict[str, str]]]:
    """Return each table with its columns of texts, and what was assumed."""
    if asked.shop is not None:
        _check_no_columns(asked)
        order = {"en": "lines of items are counted in catalogue order", "zh": "商品的行号按目录顺序计"}
        return shop_texts(read_shop(asked.shop)), [order]
    assert asked.file is not None
    given = read_given(asked.file, encoding=asked.encoding)
    if asked.texts:
        return [(given, asked.texts)], []
    found = guessed_text_columns(given)
    names = ", ".join(found)
    return [(given, found)], [{"en": f"texts are in {names}", "zh": f"文本列为 {names}"}]


def _check_no_columns(asked: Asked) -> None:
    named = [name for name in _OF_A_FILE if asked.settings[name]]
    if named or asked.texts or asked.against:
        remedy = "give --shop alone, or name a file with --input"
        raise InputError("a shop's columns are known", column="--shop", value=str(asked.shop), remedy=remedy)


def _write_tables(folder: Path, cleaned: Mapping[str, Cleaned], *, format_: str, is_shop: bool) -> None:
    for name, one in cleaned.items():
        stem = f"cleaned_{name}" if is_shop else "cleaned"
        write_table(one.frame, folder / f"{stem}.{format_}")
        if one.label_issues is not None:
            one.label_issues.write_csv(folder / "label_issues.csv", float_precision=4)
    pl.concat([one.findings for one in cleaned.values()]).write_csv(folder / "findings.csv")
