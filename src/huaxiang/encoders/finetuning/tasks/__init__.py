"""What a text can be asked, from the simplest: `regress`, `grade`, `classify`, `multilabel`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from huaxiang.encoders.finetuning.tasks.base import Targets, Task
from huaxiang.encoders.finetuning.tasks.classify import Classify
from huaxiang.encoders.finetuning.tasks.grade import Grade
from huaxiang.encoders.finetuning.tasks.multilabel import MultiLabel
from huaxiang.encoders.finetuning.tasks.regress import Regress
from huaxiang.encoders.finetuning.tasks.tag import Tag
from huaxiang.errors import ArtefactError

__all__ = ["Classify", "Grade", "MultiLabel", "Regress", "Tag", "Targets", "Task", "task_from_json"]


def task_from_json(said: Mapping[str, Any]) -> Task:
    """Return the task that a model's folder tells of.

    Raises
    ------
    ArtefactError
        There is no such task.
    """
    kind = said.get("kind")
    if kind == "classify":
        return Classify(labels=tuple(said["labels"]), temperature=float(said["temperature"]))
    if kind == "multilabel":
        return MultiLabel(labels=tuple(said["labels"]), thresholds=tuple(said["thresholds"]))
    if kind == "regress":
        return Regress(mean=float(said["mean"]), deviation=float(said["deviation"]))
    if kind == "grade":
        return Grade(grades=tuple(said["grades"]))
    raise ArtefactError("no such task", column="kind", value=str(kind), remedy="upgrade huaxiang")
