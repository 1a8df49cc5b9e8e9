"""Names that a product taxonomy says in English and in Chinese, split without leaks."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from huaxiang.encoders.base import TextEncoder
from huaxiang.records import Matrix
from huaxiang.shop.clean import clean_text

HAN = re.compile(r"[\u3400-\u9fff]")
KINDS = ("categories", "attributes", "attribute_values")
_LINE = re.compile(r"(gid://\S+)\s*: (.*)$")
_VALUE = re.compile(r"(.*) \[(.*)\]$")


class Pair(NamedTuple):
    """One name in both languages, and the path (categories) or attribute (values) that it stands under."""

    gid: str
    kind: str
    chinese: str
    english: str
    chinese_context: str = ""
    english_context: str = ""

    @property
    def is_held_out(self) -> bool:
        """Whether the name's id falls into the held-out tenth."""
        return int.from_bytes(hashlib.blake2b(self.gid.encode(), digest_size=8).digest(), "little") % 10 == 0


class Split(NamedTuple):
    """Pairs to learn from, and questions: Chinese names with the English name each should find."""

    train: list[Pair]
    questions: list[tuple[str, str]]
    candidates: list[str]


def read_pairs(folder: Path) -> list[Pair]:
    """Return every name whose id occurs in both languages, letter case ignored, in the order of ids."""
    pairs = []
    for kind in KINDS:
        english, chinese = (_read(folder / language / f"{kind}.txt.gz") for language in ("en", "zh-CN"))
        pairs += [_pair(gid, kind, chinese[gid], english[gid]) for gid in english.keys() & chinese.keys()]
    return sorted(pairs)


def read_descriptions(folder: Path) -> dict[str, tuple[str, str]]:
    """Return attribute id → its description in Chinese and English."""
    english, chinese = (_descriptions(folder / language) for language in ("en", "zh-CN"))
    return {gid: (chinese[gid], english[gid]) for gid in sorted(english.keys() & chinese.keys())}


def split(pairs: Sequence[Pair]) -> Split:
    """Hold out a tenth of the ids; drop each held-out name whose Chinese text is also a training name.

    A question is a distinct held-out Chinese name (with at least one Chinese letter) and its English one;
    the candidates are all distinct English names of the taxonomy.
    """
    train = [pair for pair in pairs if not pair.is_held_out]
    known = {pair.chinese for pair in train}
    held_out = [pair for pair in pairs if pair.is_held_out and pair.chinese not in known]
    questions = sorted({(pair.chinese, pair.english) for pair in held_out if HAN.search(pair.chinese)})
    return Split(train, questions, sorted({pair.english for pair in pairs}))


def ranks(
    questions: Sequence[tuple[str, str]], candidates: Sequence[str], asked: Matrix, found: Matrix
) -> NDArray[np.int64]:
    """Return, per question, how many candidates lie nearer to it than the right one (0 is best)."""
    row_of = {name: row for row, name in enumerate(candidates)}
    right = np.array([row_of[english] for _, english in questions])
    scores = asked @ found.T
    return np.asarray((scores > scores[np.arange(len(right)), right][:, None]).sum(1))


def measure(encoder: TextEncoder, teacher: TextEncoder, parts: Split) -> dict[str, float]:
    """Return top-1 and top-10 of `encoder` on the questions, among the teacher's English vectors."""
    asked = encoder.encode([chinese for chinese, _ in parts.questions]).vectors_ID
    found = teacher.encode(parts.candidates).vectors_ID
    rank = ranks(parts.questions, parts.candidates, asked, found)
    return {"top1": float((rank < 1).mean()), "top10": float((rank < 10).mean())}


def _read(file: Path) -> dict[str, str]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        found = (_LINE.match(line.rstrip("\n")) for line in lines)
        return {match[1]: match[2] for match in found if match}


def _pair(gid: str, kind: str, chinese: str, english: str) -> Pair:
    if kind == "categories":
        names = chinese.split(" > ")[-1], english.split(" > ")[-1]
        return Pair(gid, kind, _name(names[0]), _name(names[1]), chinese, english)
    chinese_value, english_value = _VALUE.match(chinese), _VALUE.match(english)
    if chinese_value and english_value:
        names = _name(chinese_value[1]), _name(english_value[1])
        return Pair(gid, kind, *names, chinese_value[2], english_value[2])
    return Pair(gid, kind, _name(chinese), _name(english))


def _name(text: str) -> str:
    return clean_text(text).lower()


def _descriptions(folder: Path) -> dict[str, str]:
    with gzip.open(folder / "attributes.json.gz", "rt", encoding="utf-8") as file:
        attributes = json.load(file)["attributes"]
    return {a["id"]: _name(a["description"]) for a in attributes if a.get("description")}
