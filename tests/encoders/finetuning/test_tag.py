from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.encoders.finetuning.fit import FinetuneConfig, Parts
from huaxiang.encoders.finetuning.predictor import Tagged
from huaxiang.encoders.finetuning.stored import write_finetuned
from huaxiang.encoders.finetuning.tables import Rows
from huaxiang.encoders.finetuning.tagging import finetune_tags
from huaxiang.encoders.finetuning.tasks.tag import Span, Tag, span_figures, spans_of
from huaxiang.encoders.learning.base import TrainerConfig
from huaxiang.errors import InputError

from .conftest import BAD, GOOD, THINGS


def rows_of(texts: list[str], labels: list[str]) -> Rows:
    return Rows(
        file="f.csv",
        texts=tuple(texts),
        labels=tuple(labels),
        keys=tuple(texts),
        lines=np.arange(2, len(texts) + 2),
    )


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("food", "label is no list of spans"),
        ("[[0, 1]]", "label is no list of spans"),
        ("{}[", "label is no list of spans"),
        ('[[0, 99, "a"]]', "span lies outside its text"),
        ('[[3, 3, "a"]]', "span lies outside its text"),
        ('[[-1, 3, "a"]]', "span lies outside its text"),
    ],
)
def test_a_cell_that_can_not_be_names_its_line(cell: str, message: str) -> None:
    with pytest.raises(InputError, match=f"{message}: f.csv:2"):
        spans_of(rows_of(["good food"], [cell]), 0)


def test_rows_without_any_span_are_refused() -> None:
    with pytest.raises(InputError, match="nothing is tagged"):
        Tag.of(rows_of(["good food"], ["[]"]))


@given(st.lists(st.tuples(st.integers(1, 3), st.booleans()), max_size=8))
def test_spans_that_end_with_their_tokens_are_read_back(parts: list[tuple[int, bool]]) -> None:
    task, offsets, spans, at = Tag(labels=("a", "b")), [], [], 0
    for number, (length, is_tagged) in enumerate(parts):
        pieces = [(at + n, at + n + 1) for n in range(length)]
        offsets += [*pieces, (at + length, at + length + 1)]  # one untagged token after each
        if is_tagged:
            spans.append(Span(at, at + length, "ab"[number % 2]))
        at += length + 1
    wanted = task.targets(spans, offsets)
    assert task.decode(np.eye(task.n_outputs, dtype="f")[wanted], offsets) == spans


def test_only_spans_with_the_same_ends_and_label_are_right() -> None:
    found = [[Span(0, 2, "a"), Span(4, 5, "a")]]
    figures = span_figures(found, [[Span(0, 2, "a"), Span(4, 6, "a"), Span(7, 8, "b")]])
    assert (figures["precision"], figures["recall"]) == (1 / 2, 1 / 3)


def test_things_in_reviews_are_found_and_served(tiny_bert: Path, tmp_path: Path) -> None:
    texts = [f"{thing}，{word}。" for thing in THINGS for word in (*GOOD, *BAD)] * 3
    labels = [f'[[0, {len(thing)}, "thing"]]' for thing in THINGS for _ in (*GOOD, *BAD)] * 3
    rows = rows_of(texts, labels)
    training = TrainerConfig(epochs=12, learning_rate=2e-3, validations=1, precision="fp32", batch_tokens=512)
    config = FinetuneConfig(max_tokens=32, training=training)
    parts = Parts(train=rows, validation=rows.take(range(20)), test=rows.take(range(20, 60)))
    made = finetune_tags(parts, Tag.of(rows), model=tiny_bert, config=config, checkpoint=tmp_path / "c")
    assert made.test["f1"] > 0.9
    write_finetuned(made, tmp_path / "m", columns=["text"], config=config)
    said = Tagged(tmp_path / "m").predict(["手机，好。", "🎉"])
    assert said["prediction"][0] == [{"start": 0, "end": 2, "label": "thing", "text": "手机"}]
    assert said["error"] == [None, "no text"]
