"""Every check over one table: what was found, and the table as it should be learnt from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from huaxiang.errors import SettingsError
from huaxiang.shop.quality import duplicates
from huaxiang.shop.quality.boilerplate import repeated_sentences, without_sentences
from huaxiang.shop.quality.characters import mended
from huaxiang.shop.quality.findings import Finding, findings_table, first_difference, shown
from huaxiang.shop.quality.given import Given, column_in, has_text, numbers_in, said_in, text_column
from huaxiang.shop.quality.label_noise import Judged, judge_labels
from huaxiang.shop.quality.languages import LANGUAGES, language_of, usual_language
from huaxiang.shop.quality.leaks import leaks_between
from huaxiang.shop.quality.outliers import far_lengths, far_numbers
from huaxiang.shop.quality.personal import MASKS, masked, without_masks

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, kw_only=True)
class Config:
    """Which columns hold what, and how strict the checks are.

    Parameters
    ----------
    texts
        Columns of texts; at least one.
    label, split, row_id
        Columns of labels, of the part of a split a row belongs to, of ids that occur once; None where none.
    numbers
        Columns of numbers.
    drop_duplicates, drop_boilerplate
        Remove rows that repeat an earlier one, and sentences that stand in many texts. Else they are listed.
    boilerplate_share
        Share of rows in which a sentence is boilerplate, never fewer than 5 rows; above 0 to 1.
    far
        Robust standard deviations from which on a length or a number is far from the others; > 0.
    folds
        Parts in which labels are judged; ≥ 2.
    """

    texts: tuple[str, ...]
    label: str | None = None
    numbers: tuple[str, ...] = ()
    split: str | None = None
    row_id: str | None = None
    drop_duplicates: bool = False
    drop_boilerplate: bool = False
    boilerplate_share: float = 0.001
    far: float = 6.0
    folds: int = 5
    seed: int = 7
    alike: duplicates.Config = field(default_factory=duplicates.Config)

    def __post_init__(self) -> None:
        _in_range("texts", self.texts, len(self.texts) >= 1, "at least one column")
        _in_range(
            "boilerplate_share", self.boilerplate_share, 0 < self.boilerplate_share <= 1, "above 0 to 1"
        )
        _in_range("far", self.far, self.far > 0, "above 0")
        _in_range("folds", self.folds, self.folds >= 2, "at least 2")


@dataclass(frozen=True, kw_only=True)
class Cleaned:
    """A table that was checked.

    Parameters
    ----------
    frame
        All columns of the kept rows, texts mended and masked, and `<text>_language` for each text column.
    findings
        Columns of `findings.COLUMNS`.
    languages
        Text column → language → number of texts.
    lengths
        Text column → characters at the quantiles 0, .25, .5, .75, 1 of the texts that have words.
    """

    frame: pl.DataFrame
    findings: pl.DataFrame
    n_read: int
    languages: dict[str, dict[str, int]]
    lengths: dict[str, list[int]]
    judged: Judged | None
    label_issues: pl.DataFrame | None


def safe_text(text: str) -> tuple[str, tuple[str, ...], dict[str, int]]:
    """Return the text mended and masked, what was mended, and how much of what was masked."""
    better, kinds = mended(text)
    safe, counts = masked(better)
    return safe, kinds, counts


def clean(
    given: Given, config: Config, *, against: Sequence[Given] = (), progress: Progress | None = None
) -> Cleaned:
    """Return the table cleaned, with everything that was found.

    Parameters
    ----------
    against
        Other parts of the split, with the same text columns: their texts should not stand in this one.

    Raises
    ------
    InputError
        A column is missing or holds something else, or labels can't be judged.
    MissingExtraError
        Labels are to be judged, and cleanlab is not installed.
    """
    checks = _Checks(given, config)
    steps: list[tuple[str, Callable[[], None]]] = [
        ("texts", checks.mend_texts),
        ("languages", checks.tell_languages),
        ("boilerplate", checks.find_boilerplate),
        ("lengths, numbers, ids", checks.find_outliers),
        ("duplicates", checks.find_duplicates),
        ("leaks", lambda: checks.find_leaks(against)),
        ("labels", checks.judge),
    ]
    for number, (note, step) in enumerate(steps):
        if progress is not None:
            progress(number, len(steps), note)
        step()
    if progress is not None:
        progress(len(steps), len(steps), f"{len(checks.findings):,} findings")
    return checks.result()


class _Checks:
    """The checks of one table, each of which adds to the findings."""

    def __init__(self, given: Given, config: Config) -> None:
        self.given, self.config = given, config
        for column in config.texts:
            text_column(given, column)
        for option, named in (("--label", config.label), ("--split", config.split), ("--id", config.row_id)):
            if named is not None:
                column_in(given, named, option=option)
        self.findings = [
            Finding(file=given.name, line=line, column="", kind="unreadable", value=why, done="removed")
            for line, why in given.unreadable.items()
        ]
        self.texts: dict[str, list[str | None]] = {}
        self.languages: dict[str, list[str | None]] = {}
        self.gone: set[int] = set()
        self.judged: Judged | None = None

    def add(
        self, row: int, column: str, kind: str, value: str, *, done: str = "listed", note: str = ""
    ) -> None:
        line = self.given.lines[row]
        self.findings.append(
            Finding(
                file=self.given.name, line=line, column=column, kind=kind, value=value, done=done, note=note
            )
        )

    def mend_texts(self) -> None:
        for column in self.config.texts:
            said = said_in(self.given, column)
            self.texts[column] = [self._mended(row, column, text) for row, text in enumerate(said)]

    def _mended(self, row: int, column: str, text: str | None) -> str | None:
        safe, kinds, counts = safe_text(text or "")
        place = first_difference(text or "", safe)
        for kind in kinds:
            done = "listed" if kind == "lost" else "mended"
            self.add(row, column, kind, shown(safe, around=place), done=done)
        for kind, n in counts.items():
            self.add(row, column, kind, MASKS[kind], done="masked", note=f"× {n}" if n > 1 else "")
        if not has_text(safe):
            self.add(row, column, "empty", shown(safe))
        return safe or None

    def tell_languages(self) -> None:
        for column, texts in self.texts.items():
            told = [language_of(without_masks(text)) if text and has_text(text) else None for text in texts]
            self.languages[column] = told
            usual = usual_language(_counts(told))
            for row, spoken in enumerate(told):
                if usual and spoken not in (None, "mixed", usual):
                    self.add(row, column, "language", shown(texts[row]), note=str(spoken))

    def find_boilerplate(self) -> None:
        least = max(5, round(self.config.boilerplate_share * len(self.given.lines)))
        for column, texts in self.texts.items():
            repeated = repeated_sentences(texts, min_rows=least)
            for sentence, rows in repeated.items():
                done = "mended" if self.config.drop_boilerplate else "listed"
                told = rows if self.config.drop_boilerplate else rows[:1]
                for row in told:
                    self.add(
                        row, column, "boilerplate", shown(sentence), done=done, note=f"{len(rows):,} rows"
                    )
            if self.config.drop_boilerplate:
                for row in {row for rows in repeated.values() for row in rows}:
                    texts[row] = without_sentences(texts[row] or "", repeated) or None

    def find_outliers(self) -> None:
        for column, texts in self.texts.items():
            lengths = np.array([len(text) if text else 0 for text in texts])
            far = far_lengths(lengths, limit=self.config.far)
            for row in np.flatnonzero(far).tolist():
                self.add(row, column, "length", shown(texts[row]), note=f"{lengths[row]:,} characters")
        for column in self.config.numbers:
            self._find_wrong_numbers(column)
        if self.config.row_id is not None:
            self._find_repeated_ids(self.config.row_id)

    def _find_wrong_numbers(self, column: str) -> None:
        numbers, is_said = numbers_in(self.given, column)
        cells = self.given.words[column]
        for row in (numbers.is_null()).arg_true().to_list():
            kind = "number_wrong" if is_said[row] else "number_missing"
            self.add(row, column, kind, shown(masked(cells[row] or "")[0]))
        far = far_numbers(numbers.fill_null(float("nan")).to_numpy(), limit=self.config.far)
        for row in np.flatnonzero(far).tolist():
            note = f"z {far[row]:+.1f}" if np.isfinite(far[row]) else "not above 0"
            self.add(row, column, "number_outlier", shown(cells[row]), note=note)

    def _find_repeated_ids(self, column: str) -> None:
        first_of: dict[str, int] = {}
        for row, row_id in enumerate(said_in(self.given, column)):
            if row_id is not None and first_of.setdefault(row_id, row) != row:
                note = f"line {self.given.lines[first_of[row_id]]}"
                self.add(row, column, "id_repeated", shown(masked(row_id)[0]), note=note)

    def find_duplicates(self) -> None:
        whole = self._whole_texts()
        labels = said_in(self.given, self.config.label) if self.config.label else [None] * len(whole)
        columns = " + ".join(self.texts)
        done = "removed" if self.config.drop_duplicates else "listed"
        for alike in duplicates.repeated_texts(whole, config=self.config.alike, seed=self.config.seed):
            kind = "duplicate" if alike.is_exact else "near_duplicate"
            place = f"line {self.given.lines[alike.first]}"
            self.add(alike.row, columns, kind, shown(whole[alike.row]), done=done, note=_alike(place, alike))
            given, other = labels[alike.row], labels[alike.first]
            if given is not None and other is not None and given != other:
                note = f"{place} has {shown(other)}"
                self.add(alike.row, str(self.config.label), "label_conflict", shown(given), note=note)
            if self.config.drop_duplicates:
                self.gone.add(alike.row)

    def find_leaks(self, against: Sequence[Given]) -> None:
        n_rows = len(self.given.lines)
        parts, is_told = self._parts()
        sides = parts + [f"against {other.name}" for other in against for _ in other.lines]
        if len(set(sides)) < 2:
            return
        places = [f"line {line} ({part})" for line, part in zip(self.given.lines, parts, strict=True)]
        places += [f"{other.name}:{line}" for other in against for line in other.lines]
        for column, texts in self.texts.items():
            there = [text for other in against for text in _safe_column(other, column)]
            alike, seed = self.config.alike, self.config.seed
            for leak in leaks_between([*texts, *there], sides, config=alike, seed=seed):
                if leak.row < n_rows and (is_told[leak.row] or leak.other >= n_rows):
                    kind = "leak" if leak.is_exact else "near_leak"
                    note = f"{places[leak.other]}, {leak.similarity:.2f}"
                    self.add(leak.row, column, kind, shown(texts[leak.row]), note=note)

    def _parts(self) -> tuple[list[str], list[bool]]:
        """Return the part each row belongs to, and whether its leaks are told: once, not on both sides."""
        n_rows = len(self.given.lines)
        if self.config.split is None:
            return ["this file"] * n_rows, [True] * n_rows
        sides = [side or "" for side in said_in(self.given, self.config.split)]
        largest = Counter(sides).most_common(1)[0][0]
        return sides, [side != largest for side in sides]

    def judge(self) -> None:
        column = self.config.label
        if column is None:
            return
        labels = said_in(self.given, column)
        texts = [text if has_text(text) else "" for text in self._whole_texts()]
        self.judged = judge_labels(
            texts, labels, folds=self.config.folds, seed=self.config.seed, column=column
        )
        for row in (row for row, label in enumerate(labels) if label is None):
            self.add(row, column, "label_missing", "")
        for label, n in self.judged.rare.items():
            self.add(labels.index(label), column, "label_rare", shown(label), note=f"{n} rows")
        for doubt in self.judged.doubts:
            note = f"{shown(doubt.suggested)}? {doubt.score:.3f}"
            value = f"{shown(doubt.given)}: {shown(texts[doubt.row])}"
            self.add(doubt.row, column, "label_noise", value, note=note)

    def _whole_texts(self) -> list[str]:
        return ["\n".join(text for text in texts if text) for texts in zip(*self.texts.values(), strict=True)]

    def result(self) -> Cleaned:
        columns = {
            column: pl.Series(column, texts, dtype=pl.String) for column, texts in self.texts.items()
        } | {
            name: pl.Series(name, told, dtype=pl.String)
            for column, told in self.languages.items()
            if (name := f"{column}_language") not in self.given.frame.columns
        }
        kept = pl.Series([row not in self.gone for row in range(len(self.given.lines))], dtype=pl.Boolean)
        return Cleaned(
            frame=self.given.frame.with_columns(**columns).filter(kept),
            findings=findings_table(self.findings),
            n_read=len(self.given.lines) + len(self.given.unreadable),
            languages={column: _counts(told) for column, told in self.languages.items()},
            lengths={column: _quantiles(texts) for column, texts in self.texts.items()},
            judged=self.judged,
            label_issues=self._label_issues(),
        )

    def _label_issues(self) -> pl.DataFrame | None:
        if self.judged is None:
            return None
        whole = self._whole_texts()
        rows = [
            (
                self.given.lines[doubt.row],
                doubt.given,
                doubt.suggested,
                doubt.score,
                shown(whole[doubt.row], longest=200),
            )
            for doubt in self.judged.doubts
        ]
        names = {
            "line": pl.UInt32,
            "given": pl.String,
            "suggested": pl.String,
            "score": pl.Float64,
            "text": pl.String,
        }
        return pl.DataFrame(rows, schema=names, orient="row")


def _safe_column(given: Given, column: str) -> list[str | None]:
    text_column(given, column, option="--against")
    return [safe_text(text)[0] if text is not None else None for text in said_in(given, column)]


def _counts(told: Sequence[str | None]) -> dict[str, int]:
    counts = Counter(told)
    return {language: counts[language] for language in LANGUAGES if counts[language]}


def _quantiles(texts: Sequence[str | None]) -> list[int]:
    lengths = [len(text) for text in texts if has_text(text) and text is not None]
    return np.quantile(lengths, [0, 0.25, 0.5, 0.75, 1]).round().astype(int).tolist() if lengths else []


def _alike(place: str, alike: duplicates.Alike) -> str:
    return place if alike.is_exact else f"{place}, {alike.similarity:.2f}"


def _in_range(name: str, value: object, is_allowed: bool, allowed: str) -> None:
    if not is_allowed:
        raise SettingsError(
            "setting is out of range", column=f"clean.{name}", value=str(value), remedy=f"give {allowed}"
        )
