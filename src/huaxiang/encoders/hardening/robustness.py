"""How fine-tuned classifiers hold up beside one another: same rows, same rewritten texts, same opponent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from huaxiang.encoders.finetuning.predictor import TASK, Predictor, read_task
from huaxiang.encoders.finetuning.tables import Rows
from huaxiang.encoders.finetuning.tasks import Classify, Tag, task_from_json
from huaxiang.encoders.hardening.attacks import CLEAN, Held, under_moved_inputs, under_texts
from huaxiang.encoders.learning.base import in_range
from huaxiang.errors import InputError
from huaxiang.metrics import paired_bootstrap_interval

if TYPE_CHECKING:
    import torch

    from huaxiang.encoders.finetuning.fit import TextLesson

Progress = Callable[[str, int, int, str], None]

PGD = "pgd"
WAYS = (CLEAN, "typos", "synonyms", "masked", PGD)
"""From the weakest opponent to the strongest, who sees the weights."""

_ATTACKED_AT_ONCE = 32


@dataclass(frozen=True, kw_only=True)
class Config:
    """How hard classifiers are tried.

    Parameters
    ----------
    rows
        Rows drawn from the file; ≥ 1.
    tries
        Texts written per row and way, and random starts of PGD; ≥ 1.
    epsilon
        How far PGD moves the vectors of a text's words, as `WordsConfig` says; > 0.
    steps
        Its steps: more than were learnt against; ≥ 1.
    """

    rows: int = 500
    tries: int = 3
    epsilon: float = 5.0
    steps: int = 10
    seed: int = 7

    def __post_init__(self) -> None:
        for name in ("rows", "tries", "steps"):
            in_range(name, getattr(self, name), getattr(self, name) >= 1, "1 or more")
        in_range("epsilon", self.epsilon, self.epsilon > 0, "a number above 0")


@dataclass(frozen=True, kw_only=True)
class Classifier:
    """A fine-tuned folder that chooses one of a few classes.

    Parameters
    ----------
    name
        Its folder's name, or the whole path where two folders have the same.
    task
        Its classes.
    unmoved
        Why its inputs can't be moved; empty where they can.
    remarks
        What to know of its figures.
    """

    name: str
    folder: Path
    predictor: Predictor
    task: Classify
    unmoved: str = ""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Robustness:
    """How one classifier held up, by way, and why it was not measured under others."""

    classifier: Classifier
    held: Mapping[str, Held]
    left_out: Mapping[str, str] = field(default_factory=dict)


def open_classifiers(folders: Sequence[Path]) -> tuple[Classifier, ...]:
    """Return the classifiers of some folders, ready to be asked.

    Raises
    ------
    ArtefactError
        A folder holds no whole model.
    InputError
        One holds a model of another task, or is given twice.
    """
    resolved = [folder.resolve() for folder in folders]
    for at, folder in enumerate(resolved):
        if folder in resolved[:at]:
            remedy = "name each folder once"
            raise InputError("model is given twice", column="--model", value=str(folder), remedy=remedy)
    names = [folder.name for folder in resolved]
    return tuple(
        _opened(folder, name if names.count(name) == 1 else str(folder))
        for folder, name in zip(folders, names, strict=True)
    )


def drawn(rows: Rows, config: Config) -> Rows:
    """Return so many rows, drawn by the seed, in the file's order."""
    order = np.random.default_rng(config.seed).permutation(len(rows))
    return rows.take(np.sort(order[: config.rows]))


def check_labels(rows: Rows, classifiers: Sequence[Classifier]) -> None:
    """Raise `InputError` for the first row whose label a classifier can't answer."""
    for one in classifiers:
        known = set(one.task.labels)
        for label, line in zip(rows.labels, rows.lines.tolist(), strict=True):
            if label not in known:
                raise InputError(
                    f"label is unknown to the model {one.name}",
                    file=rows.file,
                    line=line,
                    value=label,
                    remedy=f"correct it, or take the row out: the model knows {_some(one.task.labels)}",
                )


def measured(
    classifiers: Sequence[Classifier],
    rows: Rows,
    written: Mapping[str, Sequence[Sequence[str]]],
    *,
    config: Config,
    with_pgd: bool,
    progress: Progress | None = None,
) -> tuple[Robustness, ...]:
    """Return how each classifier holds up: clean, on what `attacks.rewritten` wrote, and under PGD.

    Raises
    ------
    MissingExtraError
        PGD needs torch and transformers.
    EncoderError
        The weights of a folder can't be read.
    """
    tell = progress or (lambda stage, done, total, note: None)
    found = []
    for number, one in enumerate(classifiers):
        tell("ask", number, len(classifiers), one.name)
        labels_N = one.task.targets(rows).astype(np.int64)
        held = {
            said.attack: said for said in under_texts(one.predictor.outputs, rows.texts, labels_N, written)
        }
        if with_pgd and not one.unmoved:
            held[PGD] = moved(one, rows, config, tell)
        left_out = {PGD: one.unmoved} if with_pgd and one.unmoved else {}
        found.append(Robustness(classifier=one, held=held, left_out=left_out))
    tell("ask", len(classifiers), len(classifiers), "")
    return tuple(found)


def moved(one: Classifier, rows: Rows, config: Config, tell: Progress) -> Held:
    """Return how a classifier holds up when the vectors of the words are moved against it."""
    import torch

    from huaxiang.encoders.finetuning.fit import FinetuneConfig, TextLesson
    from huaxiang.encoders.finetuning.stored import read_finetuned
    from huaxiang.encoders.hardening.adversarial import WordsConfig

    network, tokenizer = read_finetuned(one.folder)
    network.to("cuda" if torch.cuda.is_available() else "cpu")
    said = FinetuneConfig(max_tokens=int(read_task(one.folder)["max_tokens"]))
    lesson = TextLesson(rows, one.task, tokenizer, said)
    order = np.argsort(lesson.lengths_N, kind="stable")
    held = under_moved_inputs(
        network,
        _batches(lesson, order, next(network.parameters()).device, lambda *at: tell(f"pgd {one.name}", *at)),
        WordsConfig(epsilon=config.epsilon, steps=config.steps),
        tries=config.tries,
        seed=config.seed,
    )
    right_TN = np.empty_like(held.right_TN)
    right_TN[:, order] = held.right_TN
    return Held(attack=PGD, right_TN=right_TN, changed=held.changed)


def as_json(found: Sequence[Robustness], *, seed: int) -> list[dict[str, Any]]:
    """Return, for each classifier and way, its figures and by how much it differs from the first one."""
    first = found[0]
    return [
        {
            "model": one.classifier.name,
            "folder": str(one.classifier.folder),
            "ways": {
                way: {
                    **held.as_json(),
                    "beside_first": _gap(held, first, seed=seed) if one is not first else None,
                }
                for way, held in one.held.items()
            },
            "left_out": dict(one.left_out),
            "remarks": list(one.classifier.remarks),
        }
        for one in found
    ]


def difference(ours: Held, theirs: Held, *, seed: int) -> tuple[float, float, float]:
    """Return by how much more is right, and its 95 % paired bootstrap interval over the rows.

    Examples
    --------
    >>> right, wrong = np.ones((2, 9), np.bool_), np.zeros((2, 9), np.bool_)
    >>> one, other = (Held(attack="typos", right_TN=said, changed=1.0) for said in (right, wrong))
    >>> difference(one, other, seed=0)
    (1.0, 1.0, 1.0)
    """
    ours_N, theirs_N = ours.right_TN.mean(axis=0), theirs.right_TN.mean(axis=0)
    low, high = paired_bootstrap_interval(ours_N, theirs_N, rng=np.random.default_rng(seed))
    return ours.accuracy - theirs.accuracy, low, high


def _gap(held: Held, first: Robustness, *, seed: int) -> dict[str, float] | None:
    """Return the difference to the first classifier, or nothing where it was not measured that way."""
    if held.attack not in first.held:
        return None
    gap, low, high = difference(held, first.held[held.attack], seed=seed)
    return {"difference": round(gap, 5), "low": round(low, 5), "high": round(high, 5)}


def _opened(folder: Path, name: str) -> Classifier:
    said = read_task(folder)
    kind = str(said["task"]["kind"])
    task = None if kind == Tag.kind else task_from_json(said["task"])
    if not isinstance(task, Classify):
        remedy = "give folders made by huaxiang finetune classify, without --multi"
        raise InputError("model chooses no class", file=str(folder / TASK), value=kind, remedy=remedy)
    is_int8 = said.get("precision", "fp32") != "fp32"
    return Classifier(
        name=name,
        folder=folder,
        predictor=Predictor(folder),
        task=task,
        unmoved=_unmoved(folder, str(said.get("model", "onnx"))),
        remarks=("pgd moves the words of the weights before they were left eight bits each",)
        if is_int8
        else (),
    )


def _unmoved(folder: Path, kind: str) -> str:
    if kind != "onnx":
        return f"{kind}: no torch weights, measured under rewriting only"
    if not (folder / "model.safetensors").is_file() or not (folder / "head.safetensors").is_file():
        return "no torch weights in the folder, measured under rewriting only"
    return ""


def _batches(
    lesson: TextLesson,
    order_N: NDArray[np.int64],
    device: torch.device,
    tell: Callable[[int, int, str], None],
) -> Iterator[dict[str, torch.Tensor]]:
    """Yield the rows by length: what is filled up would be moved, too."""
    rng = np.random.default_rng(0)  # nothing of these batches is drawn
    for start in range(0, len(order_N), _ATTACKED_AT_ONCE):
        rows = order_N[start : start + _ATTACKED_AT_ONCE]
        yield {name: value.to(device) for name, value in lesson.batch(rows, rng).items()}
        tell(min(start + _ATTACKED_AT_ONCE, len(order_N)), len(order_N), "rows attacked")


def _some(labels: Sequence[str], *, most: int = 10) -> str:
    return ", ".join(labels[:most]) + (", …" if len(labels) > most else "")
