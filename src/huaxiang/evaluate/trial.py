"""A trial on the held-out part: members fitted without it, weights chosen, all measured side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np

from huaxiang import metrics
from huaxiang.evaluate.breakdown import by_category, by_history, by_novelty, by_popularity
from huaxiang.evaluate.calibration import list_calibration
from huaxiang.evaluate.holdout import HeldOut, Next, new_items_only
from huaxiang.evaluate.measure import Measurement, measure, paired_gaps
from huaxiang.notes import Note
from huaxiang.recommend.base import Recommender, TrainingData
from huaxiang.recommend.ensemble import Config as EnsembleConfig
from huaxiang.recommend.ensemble import Earlier, Ensemble, within_limits
from huaxiang.recommend.sequence import SequenceRecommender
from huaxiang.recommend.stored import load_settings, save_settings
from huaxiang.recommend.ways import SLOW, make_recommender
from huaxiang.records import Matrix
from huaxiang.shop.catalogue import Catalogue

Progress = Callable[[str, int, int, str], None]
PARTS = {"new": True, "all": False}
"""Part of the evaluation → whether what was had before is left out."""


@dataclass(frozen=True, kw_only=True)
class Ensembles:
    """The same members, weighted for lists of new items and for lists that may repeat.

    Parameters
    ----------
    new, all
        Weighted for lists without, and with, what the shopper had before.
    seconds
        Member → wall-clock and CPU seconds of its fit.
    validation
        Part → model → figure, on the part that the weights were chosen on.
    """

    new: Ensemble
    all: Ensemble
    seconds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    validation: Mapping[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)

    def of(self, part: str) -> Ensemble:
        """Return the ensemble of one part, "new" or "all"."""
        return self.new if part == "new" else self.all

    def with_items(self, vectors: Mapping[str, Matrix]) -> Ensembles:
        """Return the same over a longer catalogue, whose new items stand behind the others.

        `vectors` holds every item's vectors by space.
        """
        new = self.new.with_items(vectors)
        return replace(self, new=new, all=self.all.over(new.members, degraded=new.degraded_))

    def save(self, folder: Path) -> None:
        """Write the members once, and both sets of weights."""
        self.new.save(folder)
        more = {"weights": self.all.weights_}
        save_settings(folder / "repeat", name=Ensemble.name, config=asdict(self.all.config), more=more)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what `save` wrote."""
        new = Ensemble.from_pretrained(folder)
        weights = load_settings(folder / "repeat", name=Ensemble.name)["more"]["weights"]
        return cls(new=new, all=weighted(new.members, weights, exclude_had=False, degraded=new.degraded_))


def weighted(
    members: Mapping[str, Recommender],
    weights: Mapping[str, float],
    *,
    exclude_had: bool,
    degraded: tuple[Note, ...] = (),
) -> Ensemble:
    """Return an ensemble of fitted members with weights that were chosen before."""
    config = EnsembleConfig(members=tuple(weights), weights=dict(weights), exclude_had=exclude_had)
    ensemble = Ensemble(config, members=dict(members))
    ensemble.weights_ = {name: float(weight) for name, weight in weights.items()}
    ensemble.degraded_ = degraded
    return ensemble


def fit_ensembles(
    members: Mapping[str, Recommender], training: TrainingData, held_out: HeldOut, *, progress: Progress
) -> Ensembles:
    """Fit each member on the training part, then choose both sets of weights on the validation part.

    Members that can't take so many items are left out, and `degraded_` says so.
    """
    members, degraded = within_limits(members, training.catalogue.n_items)
    seconds = {}
    for number, (name, member) in enumerate(members.items()):
        progress("choose weights", number, len(members), name)
        wall, cpu = time.perf_counter(), time.process_time()
        member.fit(replace(training, progress=partial(progress, f"  {name}: choose weights")))
        seconds[name] = (time.perf_counter() - wall, time.process_time() - cpu)
    past = _fitted_before(members, training, held_out, progress=progress)
    progress("choose weights", len(members), len(members), "")
    chosen: dict[str, Ensemble] = {}
    validation = {}
    for part, exclude_had in PARTS.items():
        wall, cpu = time.perf_counter(), time.process_time()
        config = EnsembleConfig(members=tuple(members), exclude_had=exclude_had)
        held = _part(held_out.validation, part)
        earlier = [
            Earlier(members=fitted, targets=_part(next_, part).targets, had=_part(next_, part).had)
            for fitted, next_ in past
        ]
        chosen[part] = Ensemble(config, members=dict(members)).choose(
            held.targets, had=held.had, seed=training.seed, earlier=earlier
        )
        chosen[part].degraded_ = degraded
        seconds[f"ensemble:{part}"] = (time.perf_counter() - wall, time.process_time() - cpu)
        validation[part] = {
            one.name: {name: float(values.mean()) for name, values in one.per_shopper().items()}
            for one in _measure_all(chosen[part], held, part)
        }
    return Ensembles(new=chosen["new"], all=chosen["all"], seconds=seconds, validation=validation)


def _fitted_before(
    members: Mapping[str, Recommender], training: TrainingData, held_out: HeldOut, *, progress: Progress
) -> list[tuple[dict[str, Recommender], Next]]:
    """Return the quick members as they would have been before earlier stretches, and what came next there."""
    quick = [name for name in members if name not in SLOW]
    past = []
    for number, window in enumerate(held_out.earlier):
        lesson = replace(training, histories=window.training, validation=None, checkpoint=None)
        progress("try earlier stretches", number, len(held_out.earlier), "")
        fitted = {name: make_recommender(name, members[name].config).fit(lesson) for name in quick}  # type: ignore[attr-defined]
        past.append((fitted, window.validation))
    progress("try earlier stretches", len(past), len(past), "")
    return past


def _part(held: Next, part: str) -> Next:
    return new_items_only(held) if PARTS[part] else held


def evaluate_ensembles(
    ensembles: Ensembles,
    held_out: HeldOut,
    *,
    catalogue: Catalogue,
    fused_ID: Matrix,
    seed: int,
    progress: Progress,
) -> dict[str, Any]:
    """Return the evaluation: both parts, each model, and where it fails."""
    parts: dict[str, Any] = {}
    measured: dict[str, list[Measurement]] = {}
    for number, part in enumerate(PARTS):
        progress("evaluate", number, len(PARTS), part)
        held = _part(held_out.test, part)
        measured[part] = _measure_all(ensembles.of(part), held, part)
        rows = [
            _row(one, ensembles, part=part, seed=seed)
            | {"lists": _list_quality(one, held, held_out, catalogue, fused_ID)}
            for one in measured[part]
        ]
        best = max(rows, key=lambda row: float(row["test"]["ndcg@10"]["mean"]))
        parts[part] = {
            "n_shoppers": held.targets.histories.n_shoppers,
            "models": [{**row, "is_best": row is best} for row in rows],
            "weights": dict(ensembles.of(part).weights_),
            "against_members": paired_gaps(measured[part][-1], measured[part][:-1], seed=seed),
        }
    progress("evaluate", len(PARTS), len(PARTS), "")
    return {
        "split": held_out.description,
        "models": parts["new"]["models"],
        "parts": parts,
        **_failures(measured, held_out, catalogue),
    }


def _measure_all(ensemble: Ensemble, held: Next, part: str) -> list[Measurement]:
    models: dict[str, Recommender] = {**ensemble.members, "ensemble": ensemble}
    return [
        measure(name, model.score, held.targets, uses=model.uses, exclude_had=PARTS[part], had=held.had)
        for name, model in models.items()
    ]


def _row(one: Measurement, ensembles: Ensembles, *, part: str, seed: int) -> dict[str, Any]:
    other = {"new": "all", "all": "new"}[part]
    is_ensemble = one.name == "ensemble"
    fits = [
        spent
        for name, spent in ensembles.seconds.items()
        if name == one.name or (is_ensemble and name != f"ensemble:{other}")
    ]
    return {
        "name": one.name,
        "uses": list(one.uses),
        "seeds": [seed],
        "train_s": round(sum(wall for wall, _ in fits), 3),
        "train_cpu_s": round(sum(cpu for _, cpu in fits), 3),
        "rank_s": round(one.rank_s, 3),
        "validation": dict(ensembles.validation.get(part, {}).get(one.name, {})),
        "test": {
            name: {**figure, "per_seed": [figure["mean"]]} for name, figure in one.figures(seed=seed).items()
        },
    }


def _list_quality(
    one: Measurement, held: Next, held_out: HeldOut, catalogue: Catalogue, fused_ID: Matrix
) -> dict[str, float | None]:
    """Return what the lists are like besides right.

    The share of listed items that were taken, coverage, variety, novelty (bits), and how far their categories
    are from the shopper's own (nats).
    """
    training = held_out.training
    n_had_I = np.bincount(training.item_rows[training.item_rows >= 0], minlength=catalogue.n_items)
    taken_UK = metrics.hits(one.top_UK, held.targets.offsets, held.targets.item_rows)
    return {
        "taken": float(np.nanmean(metrics.slate_ctr(taken_UK, one.top_UK >= 0))),
        "coverage": metrics.coverage(one.top_UK, catalogue.n_items),
        "variety": float(np.nanmean(metrics.variety(one.top_UK, fused_ID))),
        "novelty": float(np.nanmean(metrics.novelty(one.top_UK, n_had_I, max(training.n_shoppers, 1)))),
        "calibration": list_calibration(one, held.had, catalogue.dimensions.get("category")),
    }


def _failures(
    measured: Mapping[str, Sequence[Measurement]], held_out: HeldOut, catalogue: Catalogue
) -> dict[str, Any]:
    new = new_items_only(held_out.test)
    return {
        "by_history": by_history(measured["new"], new.targets.histories),
        "by_popularity": by_popularity(measured["new"], new.targets, held_out.training, catalogue.n_items),
        "by_category": by_category(measured["new"], new.targets, catalogue),
        "by_novelty": by_novelty(measured["all"], held_out.test.targets, held_out.test.had),
    }


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What came of holding the newest part out: the ensembles that never saw it, and how they did.

    Parameters
    ----------
    validated
        The members as they were when the weights were chosen, with their learning curves.
    """

    ensembles: Ensembles
    validated: Ensembles
    evaluation: Mapping[str, Any]


def as_validated(
    members: Mapping[str, Recommender], validated: Mapping[str, Recommender]
) -> dict[str, Recommender]:
    """Return unfitted members; those that learn in epochs will make as many as were best when validated."""
    found = dict(members)
    for name, member in members.items():
        before = validated.get(name)
        if isinstance(member, SequenceRecommender) and isinstance(before, SequenceRecommender):
            found[name] = member.as_long_as(before)
    return found


def refit(
    tried: Ensembles,
    members: Mapping[str, Recommender],
    training: TrainingData,
    *,
    stage: str,
    progress: Progress,
) -> Ensembles:
    """Return the chosen weights over members that learnt from more, and that can take so many items."""
    wanted = {name: members[name] for name in tried.new.members}
    kept, notes = within_limits(wanted, training.catalogue.n_items)
    seconds = dict(tried.seconds)
    for number, (name, member) in enumerate(kept.items()):
        progress(stage, number, len(kept), name)
        wall, cpu = time.perf_counter(), time.process_time()
        member.fit(replace(training, progress=partial(progress, f"  {name}: {stage}")))
        seconds[name] = (time.perf_counter() - wall, time.process_time() - cpu)
    progress(stage, len(kept), len(kept), "")
    return Ensembles(
        new=_reweighted(tried.new, kept, notes, exclude_had=True),
        all=_reweighted(tried.all, kept, notes, exclude_had=False),
        seconds=seconds,
        validation=tried.validation,
    )


def _reweighted(
    before: Ensemble, kept: Mapping[str, Recommender], notes: tuple[Note, ...], *, exclude_had: bool
) -> Ensemble:
    weights = {name: weight for name, weight in before.weights_.items() if name in kept}
    return weighted(kept, weights, exclude_had=exclude_had, degraded=(*before.degraded_, *notes))
