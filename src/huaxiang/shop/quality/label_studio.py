"""Label Studio's files: tasks with guesses out, labels of one or several people in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import quoteattr

import orjson

from huaxiang.errors import InputError
from huaxiang.shop.clean import without_unseen

_FROM, _TO = "label", "text"
ROW_ID = "row_id"


@dataclass(frozen=True, kw_only=True)
class Task:
    """A row that somebody is to label; `guess` and its probability where a model has one."""

    row_id: str
    text: str
    guess: str | None = None
    score: float | None = None


@dataclass(frozen=True, kw_only=True)
class Vote:
    """What one person said of one row; `label` None where they said nothing. `line` is for messages."""

    row_id: str
    label: str | None
    by: str = ""
    line: int | None = None
    text: str | None = None


def tasks_json(tasks: Sequence[Task], *, model: str = "huaxiang-ngrams") -> bytes:
    """Return the tasks as Label Studio imports them."""
    return orjson.dumps([_as_task(task, model) for task in tasks], option=orjson.OPT_INDENT_2)


def _as_task(task: Task, model: str) -> dict[str, Any]:
    shown: dict[str, Any] = {"data": {ROW_ID: task.row_id, "text": task.text}}
    if task.guess is not None:
        choice = {"from_name": _FROM, "to_name": _TO, "type": "choices", "value": {"choices": [task.guess]}}
        shown["predictions"] = [{"model_version": model, "score": task.score, "result": [choice]}]
    return shown


def label_config(labels: Sequence[str]) -> str:
    r"""Return the labelling interface: the text and one choice among the labels.

    Examples
    --------
    >>> label_config(["good", "a \"bad\" one"]).splitlines()[3:5]
    ['    <Choice value="good"/>', '    <Choice value=\'a "bad" one\'/>']
    """
    choices = (f"    <Choice value={quoteattr(without_unseen(label))}/>" for label in labels)
    opened = f'  <Choices name="{_FROM}" toName="{_TO}" choice="single" showInLine="true">'
    lines = ["<View>", f'  <Text name="{_TO}" value="$text"/>', opened, *choices, "  </Choices>", "</View>"]
    return "\n".join(lines)


def votes_of_export(raw: bytes, *, file: str) -> list[Vote]:
    """Return the votes in Label Studio's export, JSON or JSON-MIN.

    Cancelled annotations are votes without a label.

    Raises
    ------
    InputError
        The file is no such export, or a task has no row id.
    """
    try:
        tasks = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise InputError("not JSON", file=file, line=error.lineno, remedy="export it again") from error
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise InputError("not a list of tasks", file=file, remedy="export as JSON or JSON-MIN")
    return [vote for number, task in enumerate(tasks, start=1) for vote in _votes_of(task, number, file)]


def _votes_of(task: Mapping[str, Any], number: int, file: str) -> Iterator[Vote]:
    stated = task.get("data", task)
    row_id = stated.get(ROW_ID) if isinstance(stated, dict) else None
    if row_id is None:
        remedy = "label the tasks that annotate wrote: row_id says which row a task is"
        raise InputError("task has no row id", file=file, line=number, column=ROW_ID, remedy=remedy)
    if "annotations" not in task and "completions" not in task:
        by = str(task.get("annotator", ""))
        yield Vote(
            row_id=str(row_id), label=_word(task.get(_FROM)), by=by, line=number, text=stated.get("text")
        )
        return
    annotations = task.get("annotations", task.get("completions")) or [{"was_cancelled": True}]
    for one in annotations:
        label = None if one.get("was_cancelled") else _choice(one.get("result") or [])
        by = str(one.get("completed_by", ""))
        yield Vote(row_id=str(row_id), label=label, by=by, line=number, text=stated.get("text"))


def _choice(result: Sequence[Mapping[str, Any]]) -> str | None:
    chosen = (one["value"]["choices"] for one in result if one.get("value", {}).get("choices"))
    return _word(next(chosen, None))


def _word(said: Any) -> str | None:
    if isinstance(said, dict):
        said = said.get("choices")
    if isinstance(said, list):
        said = said[0] if said else None
    return None if said is None or not str(said).strip() else str(said).strip()
