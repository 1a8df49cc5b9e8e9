"""A run, from a shop folder to a report: what `build`, `evaluate` and `demo` do."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from huaxiang import __version__
from huaxiang.cli.watching import REFERENCE, reference_of
from huaxiang.config import Settings, settings_toml
from huaxiang.errors import ArtefactError
from huaxiang.evaluate.calibration import facet_calibration
from huaxiang.evaluate.foretelling import forecasts
from huaxiang.evaluate.hardware import hardware
from huaxiang.evaluate.holdout import HeldOut, hold_out
from huaxiang.evaluate.places import places_of
from huaxiang.evaluate.report import report_html
from huaxiang.evaluate.trial import Ensembles, evaluate_ensembles
from huaxiang.files import write_json
from huaxiang.journey import fit
from huaxiang.knowledge.graph.mapping import with_map
from huaxiang.knowledge.graph.taxonomy import read_taxonomy
from huaxiang.model import Model, load, save
from huaxiang.profile.bulk import build_states
from huaxiang.profile.derive import Background, derive_profile
from huaxiang.profile.population import Population
from huaxiang.profile.removal import audit_facets
from huaxiang.ranking.removal import Claim, audit_reasons
from huaxiang.recommend.lists import claims_of
from huaxiang.runs import CHECKPOINTS, check_target, fingerprint_of, new_run, read_part, write_manifest
from huaxiang.shop.base import Shop
from huaxiang.shop.read import read_shop, require_events
from huaxiang.shop.splits import by_time
from huaxiang.shop.tags import with_tags

Progress = Callable[[str, int, int, str], None]
N_CALIBRATED = 600
RICH_HISTORY = range(20, 120)


@dataclass(frozen=True, kw_only=True)
class Built:
    """What `build` shows: the sums, what was assumed, and the accuracy on the held-out part."""

    model: Model
    sums: Mapping[str, Any]
    guesses: Sequence[str]
    evaluation: Mapping[str, Any]


def build_run(
    shop_folder: Path,
    out: Path,
    *,
    settings: Settings,
    cache: Path,
    progress: Progress,
    tags: Path | None = None,
    places: Path | None = None,
) -> Built:
    """Read, fit, evaluate and keep a run at `out`; a stopped build goes on when called again.

    `tags` is a table of what a model says of the items, as `huaxiang tag-products` writes it; `places` one
    of their places in the taxonomy, as `huaxiang graph map` writes it.
    """
    started = time.perf_counter()
    check_target(out)
    shop = require_events(read_shop(shop_folder, progress=partial(progress, "read the shop")))
    if tags is not None:
        shop = with_tags(shop, tags)
    if places is not None:
        taxonomy = settings.text.taxonomy
        shop = with_map(shop, places, read_taxonomy(taxonomy) if taxonomy is not None else None)
    fingerprint = fingerprint_of(shop.fingerprint, settings_toml(settings))
    with new_run(out, fingerprint=fingerprint) as folder:
        model = fit(shop, settings, cache=cache, checkpoint=folder / CHECKPOINTS, progress=progress)
        assert model.trial is not None
        progress("keep the run", 0, 1, "")
        save(model, folder)
        sums = {**sums_of(model.shop), "seconds": round(time.perf_counter() - started, 1)}
        facts = {**model.trial.evaluation, **facts_of(model, sums, progress)}
        write_json(folder / "evaluation.json", facts)
        write_json(folder / REFERENCE, reference_of(model).as_json())
        (folder / "report.html").write_text(report_html(facts), encoding="utf-8")
        write_manifest(folder, about_run(model, facts))
        progress("keep the run", 1, 1, "")
    return Built(model=model, sums=sums, guesses=assumed_of(model), evaluation=facts)


def evaluate_run(run: Path, *, progress: Progress) -> dict[str, Any]:
    """Measure the held-out model of a run again, and renew its report."""
    model = load(run)
    if not (run / "heldout").exists():
        raise ArtefactError(
            "the run holds no held-out model", file=str(run), remedy="make it with huaxiang build"
        )
    before = read_part(run, "evaluation.json")
    held_out = held_out_of(model)
    tried = Ensembles.load(run / "heldout")
    seconds = {name: tuple(spent) for name, spent in before["seconds"].items()}
    evaluation = evaluate_ensembles(
        Ensembles(new=tried.new, all=tried.all, seconds=seconds, validation=before["validation"]),
        held_out,
        catalogue=model.catalogue,
        fused_ID=model.vectors["fused"],
        seed=model.settings.seed,
        progress=progress,
    )
    foretold = foretold_by(model, held_out)
    facts = {**before, **evaluation, **foretold, "removal": removal_of(model, progress)}
    write_json(run / "evaluation.json", facts)
    (run / "report.html").write_text(report_html(facts), encoding="utf-8")
    write_manifest(run, about_run(model, facts))
    return facts


def held_out_of(model: Model) -> HeldOut:
    """Return what the run's trial was held to."""
    return hold_out(model.shop, model.contents, model.settings.evaluate, seed=model.settings.seed)


def sums_of(shop: Shop) -> dict[str, Any]:
    """Return where every line went, and how many shoppers and items there are."""
    anonymous = shop.events.filter(pl.col("anonymous"))["shopper_id"].n_unique()
    return {
        "lines_read": shop.accounting.lines_read,
        "events": shop.accounting.n_events,
        "set_aside": dict(shop.accounting.set_aside),
        "quarantined": dict(shop.accounting.quarantined),
        "shoppers": shop.events["shopper_id"].n_unique() - anonymous,
        "anonymous_sessions": anonymous,
        "items": len(shop.items),
    }


def about_run(model: Model, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the manifest: versions, seed, data, spaces, and the figures of the held-out model."""
    spaces = {"text": model.text_encoder.space}
    if model.image_encoder is not None:
        spaces["image"] = model.image_encoder.space
    return {
        "name": model.name,
        "huaxiang": __version__,
        "built_at": facts["built_at"],
        "seed": model.settings.seed,
        "data": model.shop.fingerprint,
        "catalogue": model.catalogue.version,
        "position": model.position,
        "spaces": spaces,
        "split": facts["split"],
        "metrics": {
            part: {row["name"]: row["test"] for row in facts["parts"][part]["models"]}
            for part in facts["parts"]
        },
    }


def facts_of(model: Model, sums: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Return everything in a report beside the evaluation of lists."""
    assert model.trial is not None
    held_out = held_out_of(model)
    shopper_id = example_shopper(model)
    profile = model.profile(shopper_id)
    rows = [event.item_no for event in profile.state.state.events() if event.item_no >= 0]
    lists = {language: model.recommend(profile, k=8, language=language) for language in ("en", "zh")}
    return {
        "shop": model.shop.name,
        "sums": sums,
        "guesses": assumed_of(model),
        "built_at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "hardware": hardware(),
        "version": __version__,
        "seconds": dict(model.trial.ensembles.seconds),
        "validation": dict(model.trial.ensembles.validation),
        "example": {
            **profile.as_json(),
            "slate": {language: slate.as_json()["items"] for language, slate in lists.items()},
        },
        "map": places_of(model.catalogue, model.vectors["fused"], profile, rows, seed=model.settings.seed),
        "curves": curves_of(model),
        **foretold_by(model, held_out),
        "removal": removal_of(model, progress),
    }


def assumed_of(model: Model) -> list[str]:
    """Return what was assumed of the shop, and what was left out for its size."""
    return [*model.shop.guesses, *model.recommenders.new.degraded_]


def example_shopper(model: Model) -> str:
    """Return a shopper of middling activity about whom much can be said."""
    counts = (
        model.shop.events.filter(~pl.col("anonymous"))
        .group_by("shopper_id")
        .len()
        .filter(pl.col("len").is_between(RICH_HISTORY.start, RICH_HISTORY.stop * 3))
        .sort("shopper_id")
    )
    acted = [shopper_id for shopper_id in counts["shopper_id"] if shopper_id in model.states]
    ids = acted[:40] or model.states.shopper_ids[:40]
    return max(ids, key=lambda shopper_id: len(model.profile(shopper_id).portrait.get("en", ())))


def curves_of(model: Model) -> dict[str, list[dict[str, Any]]]:
    """Return the learning curves of the members that learn in epochs."""
    assert model.trial is not None
    curves = {}
    for name, member in model.trial.validated.new.members.items():
        epochs = getattr(getattr(member, "trained_", None), "epochs", ())
        if epochs:
            curves[name] = [
                {"epoch": number + 1, "loss": epoch.loss, "metric": epoch.metric}
                for number, epoch in enumerate(epochs)
            ]
    return curves


def foretold_by(model: Model, held_out: HeldOut) -> dict[str, Any]:
    """Return what profiles claimed at the cut, against what was bought after it; empty without times."""
    if held_out.test_from_ms is None:
        return {"calibration": [], "forecasts": []}
    cut = datetime.fromtimestamp(held_out.test_from_ms / 1000, tz=UTC)
    before = by_time(model.shop.events, cut).train
    states = build_states(before, order_only=False)
    targets, ids = held_out.test.targets, held_out.test.had.shopper_ids
    chosen = np.random.default_rng(model.settings.seed).permutation(len(ids))[:N_CALIBRATED]
    population = Population.from_events(before, model.catalogue, config=model.settings.profile)
    background = Background(
        catalogue=model.catalogue,
        population=population,
        contents=model.contents,
        item_vectors_ID=model.vectors["fused"],
        now=cut,
        config=model.settings.profile,
    )
    profiles = [derive_profile(states.state(ids[row]), background) for row in chosen]
    bought = [targets.item_rows[targets.offsets[row] : targets.offsets[row + 1]] for row in chosen]
    return {
        "calibration": facet_calibration(profiles, bought, model.catalogue),
        "forecasts": forecasts(profiles, bought, model.catalogue, population),
    }


def removal_of(model: Model, progress: Progress) -> dict[str, dict[str, float]]:
    """Return how much of what is claimed weakens when its evidence is removed, on a sample of shoppers."""
    rng = np.random.default_rng(model.settings.seed)
    ids = np.array(model.states.shopper_ids)
    chosen = [str(shopper_id) for shopper_id in rng.permutation(ids)[: model.settings.evaluate.n_audited]]
    facets = audit_facets(model.states.states(chosen), model.background(model.contents))
    claims: dict[bool, list[Claim]] = {True: [], False: []}
    for number, shopper_id in enumerate(chosen):
        progress("test evidence by removal", number, len(chosen), "")
        profile = model.profile(shopper_id)
        listed = [model.catalogue.row_of[ranked.item_id] for ranked in model.recommend(profile, k=5).items]
        for checked, found in claims.items():
            asker = model.asker(profile)
            found += claims_of(model.recommenders.new, asker, np.array(listed), checked=checked)
    progress("test evidence by removal", len(chosen), len(chosen), "")
    reasons, quick = (audit_reasons(found, rng=rng) for found in claims.values())
    return {
        "facets and portrait": {"share": facets.share, "n": facets.n_facets + facets.n_sentences},
        "reasons lower their item": {"share": reasons.share_lowered, "n": reasons.n_claims},
        "reasons lower it, and more than random events": {"share": reasons.share_held, "n": reasons.n_claims},
        "quick reasons lower their item": {"share": quick.share_lowered, "n": quick.n_claims},
        "quick reasons lower it, and more than random events": {
            "share": quick.share_held,
            "n": quick.n_claims,
        },
    }
