"""Several fine-tuned models as one, kept as a model's folder."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huaxiang.cli.finetuning import RowsAsked, draw_reliability, parts_of
from huaxiang.cli.progress import StageProgress
from huaxiang.errors import InputError

if TYPE_CHECKING:
    from huaxiang.encoders.finetuning.predictor import Predictor
    from huaxiang.encoders.finetuning.tables import Rows
    from huaxiang.records import Matrix


def make_ensemble(
    folders: Sequence[Path], asked: RowsAsked, *, way: str, out: Path, progress: StageProgress
) -> dict[str, Any]:
    """Fit how members are mixed on the validation rows, write the ensemble, and return its facts."""
    from huaxiang.cli.model_folder import Made, keep_model
    from huaxiang.encoders.finetuning.ensemble import check_members, fit_mix, mixed, write_ensemble
    from huaxiang.encoders.finetuning.fit import calibrated
    from huaxiang.encoders.finetuning.predictor import Predictor
    from huaxiang.encoders.learning.base import Learnt
    from huaxiang.runs import fingerprint_of, new_run

    if len(folders) < 2:
        raise InputError("an ensemble needs members", column="--member", remedy="name two or more folders")
    started = time.perf_counter()
    members = [Predictor(folder) for folder in folders]
    task = check_members(members)
    parts = parts_of(asked)
    held_out = {"validation": parts.validation, "test": parts.test}
    outputs = {name: _outputs(members, rows, name, progress) for name, rows in held_out.items()}
    targets = {name: task.targets(rows) for name, rows in held_out.items()}
    mix = fit_mix(way, outputs["validation"], targets["validation"], task)
    whole = {name: mixed(one, *mix) for name, one in outputs.items()}
    read = calibrated(task, whole["validation"], targets["validation"])
    metrics: dict[str, Any] = {name: read.figures(whole[name], targets[name]) for name in whole}
    metrics["members"] = {
        f"{number} {member.folder.name}": member.task.figures(one, targets["test"])
        for number, (member, one) in enumerate(zip(members, outputs["test"], strict=True))
    }
    fingerprint = fingerprint_of(parts.train.fingerprint, way, *map(str, folders))
    with new_run(out, fingerprint=fingerprint) as folder:
        write_ensemble(folder, members, read, mix, asked.text)
        draw_reliability(read, whole["test"], parts.test, folder)
        about = Made(
            kind=f"ensemble, {task.kind}",
            command="finetune ensemble",
            data={"name": parts.validation.file, "rows": len(parts.validation)},
            seed=0,
            settings={"way": way, "members": [str(folder) for folder in folders]},
            metrics=metrics,
            n_parameters=sum(_n_parameters(folder) for folder in folders) + mix[0].size,
            learnt=Learnt.at_once(metrics["validation"], seconds=time.perf_counter() - started),
            uses=[f"huaxiang predict --model {out} --input FILE --out scored.parquet"],
            further={"task": read.as_json()},
        )
        return keep_model(folder, about, name=out.name)


def _outputs(members: Sequence[Predictor], rows: Rows, name: str, progress: StageProgress) -> list[Matrix]:
    found = []
    for number, member in enumerate(members):
        progress.report(f"ask for {name}", number, len(members), member.folder.name)
        found.append(member.outputs(rows.texts))
    progress.report(f"ask for {name}", len(members), len(members), "")
    return found


def _n_parameters(folder: Path) -> int:
    from huaxiang.runs import read_manifest

    return int(read_manifest(folder).get("n_parameters", 0))
