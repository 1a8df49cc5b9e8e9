"""Words of a text with a label, such as the aspects of a review: begin, inside or outside.

Source
------
Ramshaw and Marcus, Text Chunking using Transformation-Based Learning, 1995 (the BIO scheme).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from huaxiang.encoders.finetuning.tables import Rows
from huaxiang.errors import InputError
from huaxiang.records import Matrix

OUTSIDE = 0
Offsets = Sequence[tuple[int, int]]


class Span(NamedTuple):
    """Characters `start` to `end` of a text, and what they are."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, kw_only=True)
class Tag:
    """Which stretches of a text are what; output 0 is outside, then begin and inside of each label."""

    labels: tuple[str, ...]
    kind: ClassVar[str] = "tag"
    best: ClassVar[str] = "f1"

    @classmethod
    def of(cls, rows: Rows) -> Tag:
        """Return the task of these labels.

        Raises
        ------
        InputError
            A cell is no list of spans, or no row has one.
        """
        found = {span.label for row in range(len(rows)) for span in spans_of(rows, row)}
        if not found:
            remedy = 'write [[start, end, "label"], …] where something is tagged, [] elsewhere'
            raise InputError("nothing is tagged", file=rows.file, remedy=remedy)
        return cls(labels=tuple(sorted(found)))

    @property
    def n_outputs(self) -> int:
        """Outside, and begin and inside of each label."""
        return 1 + 2 * len(self.labels)

    def spans(self, rows: Rows) -> list[list[Span]]:
        """Return the spans of each row; raise `InputError` for a label that was not there to learn from."""
        found = [spans_of(rows, row) for row in range(len(rows))]
        for row, spans in enumerate(found):
            for span in spans:
                if span.label not in self.labels:
                    raise _wrong(rows, row, "label was never seen in training", span.label)
        return found

    def targets(self, spans: Sequence[Span], offsets: Offsets) -> NDArray[np.int64]:
        """Return the output that each token should have, (T,).

        Examples
        --------
        >>> Tag(labels=("food",)).targets([Span(4, 9, "food")], [(0, 3), (4, 6), (6, 9)]).tolist()
        [0, 1, 2]
        """
        wanted = np.zeros(len(offsets), np.int64)
        for start, end, label in spans:
            touched = [at for at, (a, b) in enumerate(offsets) if a < end and b > start and b > a]
            for number, at in enumerate(touched):
                wanted[at] = 1 + 2 * self.labels.index(label) + (number > 0)
        return wanted

    def decode(self, outputs_TC: Matrix, offsets: Offsets) -> list[Span]:
        """Return the spans that a text's outputs stand for.

        Examples
        --------
        >>> outputs = np.eye(3, dtype=np.float32)[[0, 1, 2]]
        >>> Tag(labels=("food",)).decode(outputs, [(0, 3), (4, 6), (6, 9)])
        [Span(start=4, end=9, label='food')]
        """
        found: list[Span] = []
        before = OUTSIDE
        for (start, end), output in zip(offsets, outputs_TC.argmax(1).tolist(), strict=True):
            if end > start and output != OUTSIDE:
                label, is_inside = self.labels[(output - 1) // 2], output % 2 == 0
                if is_inside and found and before != OUTSIDE and found[-1].label == label:
                    found[-1] = found[-1]._replace(end=end)
                else:
                    found.append(Span(start, end, label))
            before = output if end > start else OUTSIDE
        return found

    def as_json(self) -> dict[str, Any]:
        """Return kind and labels."""
        return {"kind": self.kind, "labels": list(self.labels)}


def spans_of(rows: Rows, row: int) -> list[Span]:
    """Return the spans that a row's label writes as JSON.

    Raises
    ------
    InputError
        It is none, or a span lies outside its text.
    """
    try:
        said = orjson.loads(rows.labels[row] or "[]")
        spans = [Span(int(start), int(end), str(label)) for start, end, label in said]
    except (ValueError, TypeError):
        raise _wrong(rows, row, "label is no list of spans", rows.labels[row]) from None
    for span in spans:
        if not 0 <= span.start < span.end <= len(rows.texts[row]):
            raise _wrong(rows, row, "span lies outside its text", f"{span.start}-{span.end}")
    return spans


def span_figures(found: Sequence[Sequence[Span]], wanted: Sequence[Sequence[Span]]) -> dict[str, float]:
    """Return precision, recall and F1 of spans: right are those with the same ends and label.

    Examples
    --------
    >>> span_figures([[Span(0, 2, "a")], [Span(0, 1, "a")]], [[Span(0, 2, "a")], []])["f1"]
    0.6666666666666666
    """
    n_right = sum(len(set(one) & set(other)) for one, other in zip(found, wanted, strict=True))
    n_found, n_wanted = sum(map(len, map(set, found))), sum(map(len, map(set, wanted)))
    precision, recall = n_right / max(n_found, 1), n_right / max(n_wanted, 1)
    return {
        "f1": 2 * precision * recall / max(precision + recall, 1e-12),
        "precision": precision,
        "recall": recall,
    }


def _wrong(rows: Rows, row: int, message: str, value: str) -> InputError:
    return InputError(
        message,
        file=rows.file,
        line=int(rows.lines[row]),
        value=value,
        remedy='write [[start, end, "label"], …] with places counted in characters from 0',
    )
