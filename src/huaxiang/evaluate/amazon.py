"""Leave-one-out over the full catalogue, as the literature on the Amazon reviews does it.

Two protocols exist and their figures are never mixed. **Masked**: items already had are left out of the
ranking, histories of up to 50. **Unmasked**: nothing is left out, histories of up to 20. In both, the last
item of a sequence is the test, the one before it the validation; models learn from what is before both, and
at test the history holds the validation item too.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Self

import numpy as np

from huaxiang.encoders import CachedEncoder, text_encoder
from huaxiang.errors import InputError, ShopError
from huaxiang.evaluate.disturbed import swap_neighbours
from huaxiang.evaluate.finished import keep_finished, key_of, read_finished, write_results
from huaxiang.evaluate.fitted import Fitted
from huaxiang.evaluate.hardware import hardware
from huaxiang.evaluate.measure import Measurement, interval, measure
from huaxiang.recommend.base import Histories, Recommender, Targets, TrainingData
from huaxiang.recommend.ensemble import Config as EnsembleConfig
from huaxiang.recommend.ensemble import Ensemble
from huaxiang.recommend.histories import histories_from_events, leave_last_out, newest, take_targets
from huaxiang.recommend.ways import make_recommender, settings_of
from huaxiang.shop.catalogue import Catalogue, build_catalogue
from huaxiang.shop.read import read_shop

Progress = Callable[[str, int, int, str], None]
N_VALIDATION = 4096
NEWCOMERS = (1, 2, 3, 5)
"""Events known of a shopper who has just come."""
INTERACTIONS = (0, 1, 2, 3, 5, 10, 20)
"""Upper edges of the groups of items by how often they were taken."""


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How histories are cut and what may be listed."""

    name: str
    history: int
    exclude_had: bool


PROTOCOLS = {
    "masked": Protocol(name="masked", history=50, exclude_had=True),
    "unmasked": Protocol(name="unmasked", history=20, exclude_had=False),
}
SETTINGS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "masked": {"sequence": {"spaces": ("text",)}},
    "unmasked": {
        "closed_form": {"zero_diagonal": True},
        "ease": {"zero_diagonal": True},
        "sequence": {"spaces": ("text",)},
    },
}
"""Settings by protocol and model; the others are each model's defaults."""

ALIASES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "ease": ("closed_form", {"way": "symmetric", "text_weight": 0.0, "ridge": 250.0})
}
"""Peers that are one of our models with other settings."""


@dataclass(frozen=True, kw_only=True)
class Fits:
    """Where finished fits are kept, with which settings, what is measured of each, and who is told."""

    folder: Path | None
    settings: Mapping[str, Any]
    newcomers: bool
    refit: bool
    progress: Progress


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Sequences split by leave-one-out, and what is known of the items."""

    name: str
    swap: float
    sha256: str
    catalogue: Catalogue
    vectors: Mapping[str, np.ndarray[Any, np.dtype[np.float32]]]
    training: Histories
    validation: Targets
    test: Targets
    encode_s: float

    @cached_property
    def fingerprint(self) -> str:
        """A hash of all that is learnt from: the sequences, whether they were swapped, and the titles."""
        total = hashlib.sha256(f"{self.sha256} {self.swap}".encode())
        total.update(self.vectors["text"].tobytes())
        return total.hexdigest()


def benchmark(  # noqa: PLR0913 - what is measured comes first, the rest has defaults
    data: Path,
    *,
    protocol: str = "both",
    models: Sequence[str] = ("popular", "neighbours", "closed_form"),
    seeds: Sequence[int] = (0,),
    cache: Path,
    out: Path | None = None,
    swap: float = 0.0,
    newcomers: bool = False,
    refit: bool = False,
    settings: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Return the figures of each model under one protocol or both.

    Intervals are of shoppers drawn anew, each with the mean over the seeds; gaps are to the model that is
    best on the validation items, shopper by shopper.

    Parameters
    ----------
    data
        Folder with `sequences.txt[.gz]` and, for titles, `items.jsonl[.gz]`.
    protocol
        masked, unmasked or both; under both, `models` has each model twice and `best` names one for each.
    models
        popular, own_frequency, neighbours, closed_form, deep_belief, sequence, stacked, or ease; several
        joined by a plus, such as stacked+sequence, are mixed with the weights that are best on the validation
        items.
    out
        Folder for results.json, results.md, results.png and what each finished fit listed: called again, the
        benchmark goes on after those. None keeps nothing.
    swap
        How likely neighbouring items change places before anything else, 0 to 1: see `swap_neighbours`.
    newcomers
        Whether to measure also with no more than the newest 1, 2, 3 and 5 events of each shopper known.
    refit
        Whether to measure also what a second fit lists, one that learns from the validation items too, with
        the weights and the number of epochs that they chose in the first.
    settings
        Model → an instance of its `Config`, in place of its defaults, such as `huaxiang tune` finds; what a
        protocol asks for holds all the same.

    Raises
    ------
    InputError
        For an unknown protocol or model.
    """
    chosen = list(PROTOCOLS) if protocol == "both" else [protocol]
    if unknown := [name for name in chosen if name not in PROTOCOLS]:
        remedy = "say masked, unmasked or both"
        raise InputError("no such protocol", column="--protocol", value=unknown[0], remedy=remedy)
    tell = progress or (lambda stage, done, total, note: None)
    settings = settings or {}
    for name in models:
        recommender_for(name, "masked", settings)
    if not 0 <= swap <= 1:
        raise InputError("out of range", column="--swap", value=str(swap), remedy="give 0 to 1")
    dataset = read_dataset(data, cache=cache, swap=swap, progress=tell)
    fits = Fits(
        folder=out / "fits" if out is not None else None,
        settings=settings,
        newcomers=newcomers,
        refit=refit,
        progress=tell,
    )
    results = [_under(PROTOCOLS[name], dataset, models, seeds, fits) for name in chosen]
    shared = {
        "dataset": dataset.name,
        "data_sha256": dataset.sha256,
        "protocol": protocol,
        "swap": swap,
        "n_shoppers": dataset.test.histories.n_shoppers,
        "n_items": dataset.catalogue.n_items,
        "settings": {name: asdict(config) for name, config in settings.items()},
        "encode_s": round(dataset.encode_s, 1),
        "hardware": hardware(),
    }
    if len(results) == 1:
        told = {**shared, **results[0], "protocols": results}
    else:
        told = {**shared, **_joined(results)}
    if out is not None:
        write_results(out, told)
    return told


def _joined(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "history": {result["protocol"]: result["history"] for result in results},
        "models": [
            {**model, "protocol": result["protocol"]} for result in results for model in result["models"]
        ],
        "best": {result["protocol"]: result["best"] for result in results},
        "protocols": results,
    }


def read_dataset(data: Path, *, cache: Path, progress: Progress, swap: float = 0.0) -> Dataset:
    """Return the split sequences, and the vectors of the titles where there are any."""
    shop = read_shop(data, adapter="amazon")
    if not shop.order_only:
        raise ShopError("no sequences", file=str(data), remedy="the folder needs sequences.txt")
    everything = histories_from_events(shop.events, order_only=True)
    if swap:
        everything = swap_neighbours(everything, swap, seed=0)
    test = leave_last_out(everything)
    validation = leave_last_out(test.histories)
    catalogue = build_catalogue(shop)
    started = time.perf_counter()
    encoder = CachedEncoder(
        text_encoder("default", cache_folder=cache, progress=partial(progress, "titles")), cache / "vectors"
    )
    titles = encoder.encode([catalogue.title(row) for row in range(catalogue.n_items)]).vectors_ID
    sequences = next(path for path in sorted(data.glob("sequences.txt*")))
    return Dataset(
        name=data.name,
        swap=swap,
        sha256=hashlib.sha256(sequences.read_bytes()).hexdigest(),
        catalogue=catalogue,
        vectors={"text": titles, "fused": titles},
        training=validation.histories,
        validation=validation,
        test=test,
        encode_s=time.perf_counter() - started,
    )


def _under(
    protocol: Protocol,
    dataset: Dataset,
    models: Sequence[str],
    seeds: Sequence[int],
    fits: Fits,
) -> dict[str, Any]:
    runs: dict[str, list[_Run]] = {name: [] for name in models}
    for seed in seeds:
        both = _fitters(protocol, dataset, seed, fits)
        for name in models:
            runs[name].append(_run(name, protocol, dataset, both, fits))
    rows = [_row(name, own, seeds) for name, own in runs.items()]
    best = max(rows, key=lambda row: float(row["validation"]["ndcg@10"]))
    best_U = _over_seeds(runs[best["name"]], "ndcg@10")
    for row in rows:
        row["is_best"] = row is best
        own_U = _over_seeds(runs[row["name"]], "ndcg@10")
        row["gap_to_best"] = None if row is best else interval(own_U - best_U, seed=0)
    told = {"protocol": protocol.name, "history": protocol.history, "models": rows, "best": best["name"]}
    told["by_interactions"] = _by_interactions(runs, dataset)
    if fits.newcomers:
        told["newcomers"] = {
            str(n): {
                name: interval(_over_seeds(own, "recall@10", _split_of(n)), seed=0)
                for name, own in runs.items()
            }
            for n in NEWCOMERS
        }
    return told


def _by_interactions(runs: Mapping[str, Sequence[_Run]], dataset: Dataset) -> list[dict[str, Any]]:
    """Return Recall@10 by how often the item that came next was taken in what was learnt from."""
    counts_I = np.bincount(dataset.training.item_rows, minlength=dataset.catalogue.n_items)
    group_U = np.digitize(counts_I[dataset.test.item_rows], INTERACTIONS, right=True)
    starts, ends = (0, *(edge + 1 for edge in INTERACTIONS)), (*INTERACTIONS, None)
    told = []
    for group, (low, high) in enumerate(zip(starts, ends, strict=True)):
        of_group_U = group_U == group
        figures = {
            name: interval(_over_seeds(own, "recall@10")[of_group_U], seed=0)
            for name, own in runs.items()
            if of_group_U.any()
        }
        told.append({"from": low, "to": high, "n": int(of_group_U.sum()), "recall@10": figures})
    return told


def _split_of(n_events: int) -> str:
    return f"test, {n_events} known"


REFIT = "test, refit"
"""The split that the second fit lists for."""


@dataclass(frozen=True, kw_only=True)
class _Run:
    uses: tuple[str, ...]
    train_s: float
    train_cpu_s: float
    splits: Mapping[str, Measurement]

    @classmethod
    def of(cls, measured: Mapping[str, Measurement], facts: Mapping[str, Any]) -> Self:
        """Return a run that was just made, or made before."""
        return cls(
            uses=tuple(facts["uses"]),
            train_s=facts["train_s"],
            train_cpu_s=facts["train_cpu_s"],
            splits=measured,
        )


def _run(name: str, protocol: Protocol, dataset: Dataset, both: tuple[Fitted, Fitted], fits: Fits) -> _Run:
    """Return one model's lists; `both` fits it with what comes before validation, and with validation too."""
    first, second = both
    seed = first.training.seed
    model = first.make(name)
    key = key_of(model, data=dataset.fingerprint, protocol=asdict(protocol), seed=seed)
    file = fits.folder / f"{dataset.name}-{protocol.name}-{name}-{seed}.npz" if fits.folder else None
    splits = {"validation": dataset.validation, "test": dataset.test}
    if fits.newcomers:
        of_test = dataset.test.histories
        splits |= {_split_of(n): replace(dataset.test, histories=newest(of_test, n)) for n in NEWCOMERS}
    kept_splits = splits | ({REFIT: dataset.test} if fits.refit else {})
    if file is not None and (kept := read_finished(file, key, kept_splits)) is not None:
        measured, facts = kept
        fits.progress(f"{name}, {first.stage}", 1, 1, "finished before")
        return _Run.of(measured, facts)
    fit = first.of(name)
    measured = {split: measured_under(fit.model, targets, protocol) for split, targets in splits.items()}
    if fits.refit:
        measured[REFIT] = measured_under(second.of(name).model, dataset.test, protocol)
    facts = {
        "uses": _used(fit.model, first.training),
        "train_s": fit.train_s,
        "train_cpu_s": fit.train_cpu_s,
    }
    if file is not None:
        keep_finished(file, key, measured, facts)
    return _Run.of(measured, facts)


def _fitters(protocol: Protocol, dataset: Dataset, seed: int, fits: Fits) -> tuple[Fitted, Fitted]:
    """Return what fits with what comes before validation, and what fits with validation too."""
    training = TrainingData(
        histories=dataset.training,
        catalogue=dataset.catalogue,
        vectors=dataset.vectors,
        seed=seed,
        validation=sample(dataset.validation, N_VALIDATION, seed=0),
    )
    make = partial(recommender_for, protocol=protocol.name, settings=fits.settings)
    stage = f"{protocol.name}, seed {seed}"
    first = Fitted(make, training, stage=stage, progress=fits.progress)
    more = replace(training, histories=dataset.test.histories, validation=None)
    return first, Fitted(make, more, stage=f"{stage}, refit", progress=fits.progress, before=first)


def _used(model: Recommender, training: TrainingData) -> tuple[str, ...]:
    """Return what a model reads, of what these data have."""
    absent = {"times"} if training.histories.order_only else set()
    absent |= {space for space in ("text", "image") if space not in training.vectors}
    return tuple(name for name in model.uses if name not in absent)


def measured_under(model: Recommender, targets: Targets, protocol: Protocol) -> Measurement:
    """Return how well a fitted model ranks what came next."""
    cut = replace(targets, histories=newest(targets.histories, protocol.history))
    return measure(model.name, model.score, cut, exclude_had=protocol.exclude_had, had=targets.histories)


def recommender_for(name: str, protocol: str, settings: Mapping[str, Any] | None = None) -> Recommender:
    """Return the model of that name, yet to be fitted, with the settings that the protocol asks for.

    `settings` are by model, in place of the defaults.
    """
    settings = settings or {}
    if "+" in name:
        members = {member: recommender_for(member, protocol, settings) for member in name.split("+")}
        exclude_had = PROTOCOLS[protocol].exclude_had
        return Ensemble(EnsembleConfig(members=tuple(members), exclude_had=exclude_had), members=members)
    if name in settings:
        return make_recommender(name, replace(settings[name], **SETTINGS[protocol].get(name, {})))
    way, config = ALIASES.get(name, (name, {}))
    return make_recommender(way, settings_of(way, {**config, **SETTINGS[protocol].get(name, {})}))


def sample(targets: Targets, n_shoppers: int, *, seed: int) -> Targets:
    """Return the targets of shoppers drawn at random: files of sequences are often sorted by difficulty."""
    n_all = targets.histories.n_shoppers
    return take_targets(targets, np.sort(np.random.default_rng(seed).permutation(n_all)[:n_shoppers]))


def _over_seeds(
    runs: Sequence[_Run], figure: str, split: str = "test"
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return each shopper's figure on a split, its mean over the seeds, (U,)."""
    values_SU = np.stack([run.splits[split].per_shopper()[figure] for run in runs])
    return np.asarray(values_SU.mean(axis=0), dtype=np.float64)


def _figures(runs: Sequence[_Run], split: str) -> dict[str, dict[str, Any]]:
    told: dict[str, dict[str, Any]] = {}
    for figure in ("recall@10", "ndcg@10"):
        per_seed = [float(run.splits[split].per_shopper()[figure].mean()) for run in runs]
        told[figure] = {**interval(_over_seeds(runs, figure, split), seed=0), "per_seed": per_seed}
    return told


def _row(name: str, runs: Sequence[_Run], seeds: Sequence[int]) -> dict[str, Any]:
    again = {"refit": _figures(runs, REFIT)} if REFIT in runs[0].splits else {}
    return {
        "name": name,
        "uses": list(runs[0].uses),
        "seeds": list(seeds),
        "train_s": float(np.mean([run.train_s for run in runs])),
        "train_cpu_s": float(np.mean([run.train_cpu_s for run in runs])),
        "rank_s": float(np.mean([run.splits["test"].rank_s for run in runs])),
        "validation": {
            figure: float(_over_seeds(runs, figure, "validation").mean())
            for figure in ("recall@10", "ndcg@10")
        },
        "test": _figures(runs, "test"),
        **again,
    }
