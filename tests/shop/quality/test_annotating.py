"""Rows to label are unsure and unlike each other; labels come back to their own rows."""

from __future__ import annotations

import numpy as np
import orjson
import polars as pl
import pytest

from huaxiang.errors import InputError
from huaxiang.shop.quality.annotating import Asked, choose_rows
from huaxiang.shop.quality.choosing import spread_out, uncertainty
from huaxiang.shop.quality.given import given_of
from huaxiang.shop.quality.joining import join_votes
from huaxiang.shop.quality.label_studio import Task, Vote, label_config, tasks_json, votes_of_export
from shop.quality.dirty import table

KNOWN = ["很好，喜欢", "太差，退货", "质量好，满意", "质量差，失望"] * 3
OPEN = ["好评，满意，喜欢", "差评，失望，退货", "好是好，就是太差", "Call 555-234-5678"]
LABELS: list[str | None] = [*["good", "bad"] * 6, None, None, None, None]


def test_the_row_between_two_labels_comes_first() -> None:
    chosen = choose_rows(table([*KNOWN, *OPEN], label=LABELS), Asked(text="text", label="label", k=1))
    assert chosen.learnt_from == "labels"
    assert chosen.rows[0].text in ("好是好，就是太差", "Call [phone]")
    assert chosen.rows[0].unsure is not None
    assert chosen.labels == ("bad", "good")


def test_labelled_and_repeated_texts_are_not_asked_again() -> None:
    given = table(
        [*KNOWN, KNOWN[0], "新的文本", "新的文本！"], label=[*["good", "bad"] * 6, None, None, None]
    )
    chosen = choose_rows(given, Asked(text="text", label="label"))
    assert [row.text for row in chosen.rows] == ["新的文本"]


def test_without_any_label_rows_are_only_unlike_each_other() -> None:
    texts: list[str | None] = [*["red dress"] * 1, "red dresses", "蓝色帽子", "蓝色的帽子"]
    chosen = choose_rows(table(texts), Asked(text="text", k=2, choices=("good", "bad")))
    assert chosen.learnt_from == "nothing"
    assert len({"r" in row.text for row in chosen.rows}) == 2


def test_given_probabilities_are_taken_by_id() -> None:
    scored = given_of(
        pl.DataFrame({"id": ["c", "b", "a"], "prob_x": [0.1, 0.5, 1.0], "prob_y": [0.9, 0.5, 0.0]}),
        name="scored.csv",
    )
    given = table(["red hat", "blue cap", "green sock"], id=["a", "b", "c"])
    chosen = choose_rows(given, Asked(text="text", row_id="id", k=1), scored=scored)
    assert (chosen.rows[0].row_id, chosen.rows[0].unsure, chosen.labels) == ("b", 1.0, ("x", "y"))


BAD_SCORES = {
    "one column": ({"prob_x": [1.0, 1.0]}, "fewer than two columns of probabilities"),
    "beyond one": (
        {"prob_x": [0.5, 1.5], "prob_y": [0.5, 0.5]},
        "not a probability: scored.csv:3 prob_x '1.5'",
    ),
    "a wrong sum": (
        {"prob_x": [0.5, 0.5], "prob_y": [0.5, 0.2]},
        "probabilities don't sum to 1: scored.csv:3",
    ),
    "NaN": ({"prob_x": [0.5, float("nan")], "prob_y": [0.5, 0.2]}, "not a probability: scored.csv:3 prob_x"),
    "other rows": ({"prob_x": [0.5], "prob_y": [0.5]}, "scores are of other rows: scored.csv '1 rows for 2'"),
}


@pytest.mark.parametrize(("columns", "said"), BAD_SCORES.values(), ids=BAD_SCORES)
def test_scores_that_do_not_fit_are_refused(columns: dict[str, list[float]], said: str) -> None:
    with pytest.raises(InputError, match=said):
        choose_rows(
            table(["a hat", "a cap"]),
            Asked(text="text"),
            scored=given_of(pl.DataFrame(columns), name="scored.csv"),
        )


def test_unknown_labels_and_nothing_to_label_are_refused() -> None:
    with pytest.raises(InputError, match="labels to choose from are not known"):
        choose_rows(table(["a hat"]), Asked(text="text"))
    with pytest.raises(InputError, match="no row is to be labelled"):
        choose_rows(table(["a hat"], label=["x"]), Asked(text="text", label="label"))
    with pytest.raises(InputError, match="one class.*'x'.*--choice"):
        choose_rows(table(["a hat", "a cap"], label=["x", None]), Asked(text="text", label="label"))


def test_uncertainty_is_highest_where_all_labels_are_alike() -> None:
    probabilities = np.array([[0.4, 0.4, 0.2], [1 / 3, 1 / 3, 1 / 3], [1, 0, 0]])
    assert uncertainty(probabilities).round(3).tolist() == [1, 1, 0]
    assert uncertainty(probabilities, by="entropy").round(3).tolist() == [0.96, 1, 0]


def test_rows_that_repeat_are_taken_last() -> None:
    vectors = np.array([[1.0, 0]] * 5 + [[0, 1.0]])
    chosen = spread_out(vectors, np.ones(6), k=6, rng=np.random.default_rng(0))
    assert 5 in chosen[:2]
    assert sorted(chosen) == list(range(6))


def export(*labels: str | None, row_id: str = "2") -> bytes:
    """Return Label Studio's export of one task with these annotations; None is one that was cancelled."""
    annotations = [
        {
            "completed_by": number,
            "was_cancelled": label is None,
            "result": [] if label is None else [{"type": "choices", "value": {"choices": [label]}}],
        }
        for number, label in enumerate(labels)
    ]
    return orjson.dumps([{"id": 1, "data": {"row_id": row_id, "text": "a hat"}, "annotations": annotations}])


def test_an_export_comes_back_by_majority() -> None:
    votes = votes_of_export(export("good", "bad", "good", None), file="e.json")
    joined = join_votes(votes, ["2", "3"], ["a hat", "b"], file="e.json")
    assert (joined.labels, joined.n_votes) == ({"2": "good"}, 3)
    assert joined.conflicts[0].chosen == "good"


def test_a_tie_is_listed_and_decides_nothing() -> None:
    joined = join_votes(votes_of_export(export("good", "bad"), file="e.json"), ["2"], file="e.json")
    assert (joined.labels, joined.conflicts[0].chosen) == ({}, None)


def test_a_short_export_is_read_too() -> None:
    raw = orjson.dumps(
        [{"row_id": 2, "text": "a hat", "label": "good"}, {"row_id": 3, "text": "b", "label": None}]
    )
    joined = join_votes(votes_of_export(raw, file="e.json"), ["2", "3"], file="e.json")
    assert (joined.labels, joined.missing) == ({"2": "good"}, ("3",))


def vote(row_id: str = "2", label: str | None = "good", text: str | None = None) -> Vote:
    return Vote(row_id=row_id, label=label, line=5, text=text)


REFUSED = {
    "an unknown row": (
        vote("9"),
        "1 of 1 labels are for rows that are not in the input: back.csv:5 row_id '9'",
    ),
    "another text": (vote(text="a cap"), "label was given to another text: back.csv:5 row_id '2'"),
    "an unknown label": (
        vote(label="goood"),
        "label is not known: back.csv:5 label 'goood'; the nearest is 'good'",
    ),
    "no label at all": (vote(label=None), "no row has a label: back.csv label"),
}


@pytest.mark.parametrize(("one", "said"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused(one: Vote, said: str) -> None:
    with pytest.raises(InputError, match=said):
        join_votes([one], ["2", "3"], ["a hat", "a sock"], file="back.csv", choices=("good", "bad"))


@pytest.mark.parametrize("raw", [b"{", b'{"a": 1}', b'[{"data": {}}]', b"[1]"])
def test_what_is_no_export_is_refused(raw: bytes) -> None:
    with pytest.raises(InputError) as caught:
        votes_of_export(raw, file="e.json")
    assert caught.value.remedy


def test_tasks_and_their_page_carry_any_label() -> None:
    task = orjson.loads(tasks_json([Task(row_id="2", text="a hat 👒", guess='"good" & <new>', score=0.7)]))[0]
    assert task["data"] == {"row_id": "2", "text": "a hat 👒"}
    assert task["predictions"][0]["result"][0]["value"] == {"choices": ['"good" & <new>']}
    assert "&amp; &lt;new&gt;" in label_config(['"good" & <new>', "bad"])
