"""What checks find: one record per place, its kind said in English and Chinese."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass

import polars as pl

KINDS: Mapping[str, tuple[str, str]] = {
    "unreadable": ("lines that can't be read", "无法读取的行"),
    "empty": ("texts without words", "没有文字的文本"),
    "markup": ("HTML tags and entities", "HTML 标签与实体"),
    "byte_order_mark": ("byte order marks inside texts", "文本中的字节顺序标记（BOM）"),
    "unseen": ("control and invisible characters", "控制字符与不可见字符"),
    "mojibake": ("text read in a wrong encoding (mojibake)", "编码错误造成的乱码"),
    "lost": ("characters that were lost (U+FFFD)", "已丢失的字符（U+FFFD）"),
    "email": ("e-mail addresses", "电子邮件地址"),
    "phone": ("phone numbers", "电话号码"),
    "id": ("numbers of identity or bank cards", "身份证或银行卡号码"),
    "address": ("postal addresses", "邮寄地址"),
    "language": ("texts in another language than most", "与多数文本语言不同的文本"),
    "boilerplate": ("sentences repeated across texts", "在许多文本中重复的句子"),
    "length": ("texts of unusual length", "长度异常的文本"),
    "number_missing": ("numbers that are missing", "缺失的数值"),
    "number_wrong": ("cells that are no number", "不是数值的单元格"),
    "number_outlier": ("numbers far from the others", "偏离其他值的数值"),
    "duplicate": ("same text as an earlier row", "与前面的行文本相同"),
    "near_duplicate": ("nearly the same text as an earlier row", "与前面的行文本几乎相同"),
    "label_conflict": ("same text with another label", "相同文本却有不同标签"),
    "leak": ("same text on the other side of the split", "相同文本出现在划分的另一侧"),
    "near_leak": ("nearly the same text on the other side of the split", "几乎相同的文本出现在划分的另一侧"),
    "id_repeated": ("id of an earlier row", "与前面的行编号相同"),
    "label_missing": ("rows without a label", "没有标签的行"),
    "label_rare": ("labels given too seldom to be judged", "出现太少、无法判断的标签"),
    "label_noise": ("labels that the texts speak against", "与文本不符的标签"),
}
"""Kind → what it is, in English and Chinese."""

DONE: Mapping[str, str] = {"mended": "已修复", "masked": "已遮盖", "removed": "已移除", "listed": "仅列出"}
"""What was done about a finding, and its Chinese."""

LONGEST_SHOWN = 60
COLUMNS = ("file", "line", "column", "kind", "value", "done", "note")


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing found in one place.

    Parameters
    ----------
    line
        In the file, from 1 with the header.
    value
        What stands there once personal data is masked, shortened by `shown`.
    done
        One of `DONE`.
    note
        What it was compared with: another line, a score, a count.
    """

    file: str
    line: int
    column: str
    kind: str
    value: str
    done: str = "listed"
    note: str = ""


def findings_table(findings: Iterable[Finding]) -> pl.DataFrame:
    """Return findings as a table, in the order of files and lines."""
    schema = dict.fromkeys(COLUMNS, pl.String) | {"line": pl.UInt32}
    rows = [astuple(finding) for finding in findings]
    return pl.DataFrame(rows, schema=schema, orient="row").sort("file", "line", maintain_order=True)


def shown(text: str | None, *, longest: int = LONGEST_SHOWN, around: int = 0) -> str:
    r"""Return a part of a text on one line: its beginning, or what stands around a place in it.

    Examples
    --------
    >>> shown("red\n dress", longest=6)
    'red d…'
    >>> shown("a long text about a red dress", longest=16, around=20)
    '…t a red dress'
    """
    text = text or ""
    start = max(0, around - longest // 4)
    start = 0 if start < longest // 4 else start
    line = " ".join(text[start : start + 4 * longest].split())
    line = f"…{line}" if start else line
    is_whole = len(line) <= longest and len(text) <= start + 4 * longest
    return line if is_whole else line[: longest - 1] + "…"


def first_difference(one: str, other: str) -> int:
    """Return the first place at which two texts differ.

    Examples
    --------
    >>> first_difference("red dress", "red hat")
    4
    """
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))
