"""A fine-tuned model made smaller step by step, each step measured as it is served."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huaxiang.encoders.compression.base import CompressConfig
from huaxiang.encoders.compression.pareto import Variant, file_sizes, speeds
from huaxiang.encoders.finetuning.fit import (
    FinetuneConfig,
    Parts,
    TextInputs,
    TextLesson,
    calibrated,
    outputs_of,
)
from huaxiang.encoders.finetuning.predictor import Predictor, read_task
from huaxiang.encoders.finetuning.tasks import Task, task_from_json
from huaxiang.encoders.learning.base import Learnt, TrainerConfig
from huaxiang.encoders.pretraining.tokenizer import read_tokenizer
from huaxiang.errors import SettingsError
from huaxiang.training import require

if TYPE_CHECKING:
    from huaxiang.encoders.compression.distil import Said
    from huaxiang.encoders.finetuning.network import TextNetwork

Progress = Callable[[str, int, int, str], None]
TEACHER, PRUNED = "teacher", "pruned"


@dataclass(frozen=True, kw_only=True)
class Form:
    """A model after one of the steps."""

    name: str
    network: TextNetwork
    tokenizer: Any
    task: Task
    learnt: Learnt | None = None

    @property
    def n_parameters(self) -> int:
        """Weights of the model and its head."""
        return sum(weight.numel() for weight in self.network.parameters())


@dataclass(frozen=True, kw_only=True)
class Compressed:
    """What came of it: the last form, the folder it is served from, and all forms measured."""

    form: Form
    served: Path
    variants: tuple[Variant, ...]
    validation: Mapping[str, float]
    learnt: Learnt
    remarks: tuple[str, ...] = ()


def compress(  # noqa: PLR0913 - what, from where, and how
    parts: Parts,
    teacher: Path,
    *,
    config: CompressConfig,
    work: Path,
    checkpoint: Path,
    unlabelled: Sequence[str] = (),
    seed: int = 0,
    progress: Progress | None = None,
) -> Compressed:
    """Return a fine-tuned model made smaller, and what each step cost and brought.

    Parameters
    ----------
    parts
        Rows to learn from, to choose heads and weights by, and to report on.
    teacher
        Folder that `huaxiang finetune` wrote.
    work
        Folder for the served form of each step.
    unlabelled
        More texts for the student to hear the teacher on.

    Raises
    ------
    MissingExtraError
        torch, transformers, accelerate or onnx is not installed.
    ArtefactError, EncoderError
        The folder holds no fine-tuned model, or one of a family that can't be pruned.
    InputError
        A label is not one of the task's.
    DivergedError, OutOfMemoryError
        As `train_large` says.
    """
    require("torch", "transformers", "accelerate", "onnx")
    if config.is_nothing:
        remedy = "give --int8, --distil, --prune, --prune-neurons or --trim-vocabulary"
        raise SettingsError("nothing is to be made smaller", remedy=remedy)
    tell = progress or (lambda stage, done, total, note: None)
    steps = _Steps(parts, teacher, config, checkpoint, unlabelled, seed, tell)
    forms = steps.forms()
    columns, max_tokens = steps.columns, steps.max_tokens
    folders = _served(forms, work, columns=columns, max_tokens=max_tokens, is_int8=config.int8)
    variants = _measured(folders, forms, parts, config)
    last = forms[-1]
    name = list(folders)[-1]
    held_out = last.task.targets(parts.validation)
    return Compressed(
        form=last,
        served=folders[name],
        variants=tuple(variants),
        validation=last.task.figures(Predictor(folders[name]).outputs(parts.validation.texts), held_out),
        learnt=joined([form.learnt for form in forms if form.learnt is not None]),
        remarks=tuple(steps.remarks),
    )


@dataclass
class _Steps:
    """The forms of a model, one after the other."""

    parts: Parts
    teacher: Path
    config: CompressConfig
    checkpoint: Path
    unlabelled: Sequence[str]
    seed: int
    tell: Progress
    remarks: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        said = read_task(self.teacher)
        self.task, self.columns = task_from_json(said["task"]), list(said["columns"])
        self.max_tokens = int(said["max_tokens"])
        for part in (self.parts.train, self.parts.validation, self.parts.test):
            self.task.targets(part)  # a label that is not the task's is told before anything is learnt
        self._said: tuple[list[int], Said] | None = None

    def forms(self) -> list[Form]:
        """Return the model as it was, and after each step."""
        from huaxiang.encoders.finetuning.stored import read_finetuned

        network, tokenizer = read_finetuned(self.teacher)
        self._without_zero_heads(network)
        forms = [Form(name=TEACHER, network=network, tokenizer=tokenizer, task=self.task)]
        if self.config.distil:
            forms.append(self._distilled(forms[0]))
        elif self.config.trim_vocabulary:
            forms.append(self._trimmed(forms[0]))
        if self.config.prune or self.config.prune_neurons:
            forms.append(self._pruned(forms[0], forms[-1]))
        return forms

    def _without_zero_heads(self, network: TextNetwork) -> None:
        """Let a model that was pruned before be as small as it is."""
        from huaxiang.encoders.compression.prune import without_zero_heads
        from huaxiang.errors import EncoderError

        try:
            without_zero_heads(network.model)
        except EncoderError:  # a family that could not have been pruned
            return

    def _trimmed(self, before: Form) -> Form:
        network = copy.deepcopy(before.network)
        return replace(
            before, name="trimmed", network=network, tokenizer=self._trim(network, before.tokenizer)
        )

    def _trim(self, network: TextNetwork, tokenizer: Any) -> Any:
        from huaxiang.encoders.compression.vocabulary import trim

        n_before = len(tokenizer)
        texts = [*self.parts.train.texts, *self.unlabelled]
        kept = trim(network, tokenizer, texts, max_tokens=self.max_tokens, fewest=self.config.fewest)
        self.remarks.append(f"{len(kept):,} of {n_before:,} tokens stay in the vocabulary.")
        return kept

    def _distilled(self, teacher: Form) -> Form:
        from huaxiang.encoders.compression.distil import student_of

        is_folder = Path(self.config.distil).is_dir()
        tokenizer = read_tokenizer(Path(self.config.distil)) if is_folder else teacher.tokenizer
        student = student_of(
            self.config.distil,
            self.teacher,
            task=self.task,
            tokenizer=tokenizer,
            max_tokens=self.max_tokens,
            dropout=self.config.teaching.dropout,
            seed=self.seed,
        )
        self._without_zero_heads(student)
        if self.config.trim_vocabulary:
            tokenizer = self._trim(student, tokenizer)
        name = f"distilled ({Path(self.config.distil).name})"
        return self._taught(name, "distil", student, tokenizer, teacher, self.config.training)

    def _pruned(self, teacher: Form, before: Form) -> Form:
        from huaxiang.encoders.compression import prune

        network = copy.deepcopy(before.network)
        held_out = self._lesson(before.tokenizer)
        heads, neurons = prune.importance(network, held_out)
        if self.config.prune:
            kept = prune.heads_to_keep(heads, self.config.prune)
            prune.remove_heads(network.model, kept)
            said = "; ".join(",".join(map(str, layer)) for layer in kept)
            self.remarks.append(f"Attention heads that stay, layer by layer: {said}.")
        if self.config.prune_neurons:
            stay = prune.neurons_to_keep(neurons, self.config.prune_neurons)
            prune.remove_neurons(network.model, stay)
            self.remarks.append(f"{len(stay[0]):,} of {len(neurons[0]):,} neurons stay in each layer.")
        if not self.config.healing_epochs:
            return self._calibrated(PRUNED, network, before.tokenizer, None)
        training = replace(self.config.training, epochs=self.config.healing_epochs, steps=None)
        return self._taught(PRUNED, "heal", network, before.tokenizer, teacher, training)

    def _taught(
        self,
        name: str,
        step: str,
        student: TextNetwork,
        tokenizer: Any,
        teacher: Form,
        training: TrainerConfig,
    ) -> Form:
        """Return the student after it learnt from the teacher."""
        from huaxiang.encoders.compression.distil import Taught, TaughtTexts, levels
        from huaxiang.encoders.learning.trainer import train_large

        said = self._heard(teacher, levels(student.model, teacher.network.model))
        lesson = TaughtTexts(
            self.parts.train,
            self.unlabelled,
            task=self.task,
            tokenizer=tokenizer,
            max_tokens=self.max_tokens,
            said=said,
        )
        learner = Taught(student, said, self.config.teaching, seed=self.seed)
        held_out = self._lesson(tokenizer)
        learnt = train_large(
            learner,
            lesson,
            config=training,
            checkpoint=self.checkpoint / step,
            seed=self.seed,
            validate=lambda: self.task.figures(outputs_of(learner, held_out), held_out.targets),
            best=self.task.best,
            of=json.dumps([self.parts.train.fingerprint, asdict(self.config), str(self.teacher)]),
            progress=lambda done, total, note: self.tell(step, done, total, note),
        )
        return self._calibrated(name, student.to("cpu"), tokenizer, learnt)

    def _heard(self, teacher: Form, at: list[int]) -> Said:
        """Return what the teacher says of all texts, with its states at some levels; it is asked once."""
        import torch

        from huaxiang.encoders.compression.distil import ask

        at = at if self.config.teaching.hidden_weight else []
        if self._said is None or self._said[0] != at:
            texts = [*self.parts.train.texts, *self.unlabelled]
            device = "cuda" if torch.cuda.is_available() else "cpu"
            said = ask(
                teacher.network.to(device),
                TextInputs(texts, teacher.tokenizer, max_tokens=self.max_tokens),
                levels=at,
                progress=lambda done: self.tell("ask the teacher", done, len(texts), ""),
            )
            teacher.network.to("cpu")
            self._said = (at, said)
        return self._said[1]

    def _calibrated(self, name: str, network: TextNetwork, tokenizer: Any, learnt: Learnt | None) -> Form:
        network.eval()
        held_out = self._lesson(tokenizer)
        task = calibrated(self.task, outputs_of(network, held_out), held_out.targets)
        network.task = task
        return Form(name=name, network=network, tokenizer=tokenizer, task=task, learnt=learnt)

    def _lesson(self, tokenizer: Any) -> TextLesson:
        return TextLesson(
            self.parts.validation, self.task, tokenizer, FinetuneConfig(max_tokens=self.max_tokens)
        )


def _served(
    forms: Sequence[Form], work: Path, *, columns: list[str], max_tokens: int, is_int8: bool
) -> dict[str, Path]:
    """Write each form as it is served, and once more in int8; return the folders, the last one to be kept."""
    from huaxiang.encoders.compression.quantise import quantised
    from huaxiang.encoders.finetuning.stored import write_served

    folders: dict[str, Path] = {}
    for at, form in enumerate(forms):
        folders[form.name] = work / str(at)
        write_served(
            form.network,
            form.tokenizer,
            folders[form.name],
            task=form.task,
            columns=columns,
            max_tokens=max_tokens,
        )
        if is_int8:
            folders[f"{form.name}, int8"] = quantised(folders[form.name], work / f"{at}_int8")
    return folders


def _measured(
    folders: Mapping[str, Path], forms: Sequence[Form], parts: Parts, config: CompressConfig
) -> list[Variant]:
    read = speeds(folders, parts.test.texts[: config.timed_texts], repeats=config.repeats)
    found = []
    for name, folder in folders.items():
        form = next(form for form in forms if name in (form.name, f"{form.name}, int8"))
        figures = form.task.figures(
            Predictor(folder).outputs(parts.test.texts), form.task.targets(parts.test)
        )
        model_bytes, tokenizer_bytes = file_sizes(folder)
        found.append(
            Variant(
                name=name,
                n_parameters=form.n_parameters,
                model_bytes=model_bytes,
                tokenizer_bytes=tokenizer_bytes,
                texts_per_s=read[name],
                quality=figures[form.task.best],
                figures=figures,
            )
        )
    return found


def joined(fits: Sequence[Learnt]) -> Learnt:
    """Return fits that followed each other as one; none at all is a fit of no step."""
    if not fits:
        return Learnt.at_once({}, seconds=0.0)
    curve: list[dict[str, float]] = []
    before = 0
    for fit in fits:
        curve += [{**point, "step": point["step"] + before} for point in fit.curve]
        before += fit.steps
    return replace(fits[-1], curve=tuple(curve), steps=before, seconds=sum(fit.seconds for fit in fits))


def write_compressed(made: Compressed, folder: Path) -> None:
    """Write the last form: what torch reads again, removed heads as zeros in it, and what is served."""
    from huaxiang.encoders.compression.prune import with_zero_heads
    from huaxiang.encoders.finetuning.stored import write_weights

    network = copy.deepcopy(made.form.network)
    if made.form.name == PRUNED:
        with_zero_heads(network.model)
    write_weights(network, made.form.tokenizer, folder)
    for file in made.served.iterdir():
        shutil.copyfile(file, folder / file.name)
