"""Erasures brought to their end: each version of a run is made anew, without the people who were erased.

The log forgets somebody at once. What was counted from them, and what lies in the folders of the run and of
its versions, is forgotten here: a process of its own, so that nobody's list waits.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from huaxiang.cli.building import example_shopper, held_out_of
from huaxiang.cli.retraining import Wish
from huaxiang.cli.versions import alone, cut_in, drop_stopped, versions_of
from huaxiang.cli.watching import REFERENCE, reference_of
from huaxiang.errors import ArtefactError, ShopError
from huaxiang.evaluate.places import places_of
from huaxiang.evaluate.report import report_html
from huaxiang.evaluate.trial import Ensembles
from huaxiang.feedback.training_log import Cut, erased_now, read_training_log
from huaxiang.files import write_json
from huaxiang.journey import relearn, relearnt
from huaxiang.model import Model, load, save
from huaxiang.records import Vector
from huaxiang.runs import MANIFEST, fingerprint_of, new_run, read_manifest, read_part, write_manifest
from huaxiang.serve.process import Process
from huaxiang.serve.pseudonyms import Pseudonyms, known_pseudonyms
from huaxiang.serve.standing import COUNTED_WITHOUT, LEARNT
from huaxiang.shop.base import Accounting, Shop
from huaxiang.store import Store, open_store
from huaxiang.store.erasure import erased_at
from huaxiang.store.models import ModelRow, models_of, put_model, remove_model

Progress = Callable[[str, int, int, str], None]
HELDOUT = "heldout"
EVALUATION, REPORT = "evaluation.json", "report.html"


@dataclass(frozen=True, kw_only=True)
class _Forgetting:
    """One pass over the versions of one shop.

    Parameters
    ----------
    erased
        Names everybody who was erased by now.
    subjects
        The keyed hash of each of them.
    """

    store: Store
    shop_id: str
    run: Path
    pseudonyms: Pseudonyms
    allowed: bool
    train_days: float | None
    erased: str
    subjects: frozenset[str]
    progress: Progress
    now_ms: int

    def is_erased(self, shopper_id: str) -> bool:
        """Return whether an id, as the shop or as the log writes it, is of somebody who was erased."""
        hashed = self.pseudonyms.of(self.shop_id, shopper_id)
        written = [self.pseudonyms.subject(self.shop_id, one) for one in (hashed, shopper_id)]
        return not self.subjects.isdisjoint(written)


def forget_run(process: Process, shop_id: str, *, progress: Progress) -> dict[str, Any]:
    """Make every version of a served run anew where it still counts somebody who was erased.

    Done again after it was stopped, it goes on with the versions that are left.

    Raises
    ------
    InputError
        The run is being retrained, or another process does this already: try again when that has ended.
    """
    run, store = process.runs[shop_id], open_store(process.where.store)
    try:
        pseudonyms = known_pseudonyms(process.where.pseudonym_key, process.key_file(), store)
        with alone(versions_of(run)):
            with store.read() as tx:
                subjects = frozenset(erased_at(tx, shop_id))
            one = _Forgetting(
                store=store,
                shop_id=shop_id,
                run=run,
                pseudonyms=pseudonyms,
                allowed="train" in process.settings.privacy.allowed,
                train_days=process.settings.retention.train_days,
                erased=erased_now(store, shop_id),
                subjects=subjects,
                progress=progress,
                now_ms=int(1000 * time.time()),
            )
            drop_stopped(versions_of(run), but="")
            return {"erased": len(subjects), "versions": _all(one)}
    finally:
        store.close()


def _all(one: _Forgetting) -> list[dict[str, Any]]:
    with one.store.read() as tx:
        rows = {Path(row.folder).resolve(): row for row in models_of(tx, one.shop_id)}
    folders = list(dict.fromkeys([*rows, one.run.resolve()]))
    done: list[dict[str, Any]] = []
    for folder in folders:
        row = rows.get(folder)
        if _counts_nobody(folder, one.erased):
            continue
        try:
            done.append(_made_anew(one, folder, row))
        except ArtefactError as error:
            if row is None or row.status == "serving" or folder.parent != versions_of(one.run):
                raise
            done.append({"before": row.name, "after": None, "removed_because": str(error)})
            _replace_row(one, row, None)
            shutil.rmtree(folder, ignore_errors=True)
    return done


def _counts_nobody(folder: Path, erased: str) -> bool:
    try:
        learnt = read_part(folder, MANIFEST).get(LEARNT, {})
    except ArtefactError:
        return False
    return bool(learnt.get(COUNTED_WITHOUT, "") == erased)


def _made_anew(one: _Forgetting, folder: Path, row: ModelRow | None) -> dict[str, Any]:
    """Make one version without the people, and let it take its own former place."""
    manifest, before = read_manifest(folder), load(folder)
    learnt = {**manifest.get(LEARNT, {}), COUNTED_WITHOUT: one.erased}
    name = fingerprint_of(before.name, "without", one.erased)
    is_a_version = folder.parent == versions_of(one.run)
    place = folder.with_name(name) if is_a_version else folder
    shop, said = _without(one, before, manifest)
    after = relearn(before, shop, said=said, name=name, progress=one.progress)
    with new_run(place, fingerprint=name) as made:
        save(after if len(before.shop.events) else after.without_shoppers(), made)
        if len(shop.events):
            write_json(made / REFERENCE, reference_of(after).as_json())
        if (folder / HELDOUT).exists():
            _save_heldout(after, folder, made, one.progress)
        if (folder / EVALUATION).exists():
            _save_report(one, after, folder, made)
        _take_over(folder, made)
        facts = {key: value for key, value in manifest.items() if key not in ("version", "files")}
        write_manifest(made, {**facts, "name": name, "data": shop.fingerprint, LEARNT: learnt})
    if row is not None:
        _replace_row(one, row, replace(row, name=name, folder=str(place)))
    if place != folder:
        shutil.rmtree(folder, ignore_errors=True)
    return {"before": before.name, "after": name, "folder": str(place)}


def _without(
    one: _Forgetting, model: Model, manifest: Mapping[str, Any]
) -> tuple[Shop, Mapping[int, Vector]]:
    """Return what a version may be made from: its own events, or those of the log up to its time."""
    if len(model.shop.events):
        return _without_own(one, model.shop), {}
    with one.store.read() as tx:
        return _from_log(one, model, cut_in(manifest) or Cut.of(tx, one.shop_id))


def _without_own(one: _Forgetting, shop: Shop) -> Shop:
    ids = shop.events["shopper_id"].unique().to_list()
    gone = [shopper_id for shopper_id in ids if one.is_erased(shopper_id)]
    events = shop.events.filter(~pl.col("shopper_id").is_in(gone))
    sums, n_gone = shop.accounting, len(shop.events) - len(events)
    set_aside = {**sums.set_aside, "erased": sums.set_aside.get("erased", 0) + n_gone}
    is_told = pl.col("value").is_in(gone).fill_null(value=False)
    return replace(
        shop,
        events=events,
        quarantine=shop.quarantine.with_columns(value=pl.when(~is_told).then("value")),
        accounting=replace(sums, n_events=len(events), set_aside=set_aside if n_gone else sums.set_aside),
        fingerprint=fingerprint_of(shop.fingerprint, one.erased),
    )


def _from_log(one: _Forgetting, model: Model, cut: Cut) -> tuple[Shop, Mapping[int, Vector]]:
    wish = Wish(run=one.run, store="", train_days=one.train_days)
    log = read_training_log(
        one.store,
        one.shop_id,
        model.shop,
        allowed=one.allowed,
        until=cut,
        since_ms=wish.since_ms(one.now_ms),
        space=model.space,
    )
    events = log.shop.events.filter(pl.col("item_row") < len(model.shop.items))
    sums = Accounting(lines_read=len(events), n_events=len(events), set_aside={}, quarantined={})
    fingerprint = fingerprint_of(model.shop.fingerprint, one.erased)
    return replace(model.shop, events=events, accounting=sums, fingerprint=fingerprint), log.said


def _save_heldout(model: Model, before: Path, made: Path, progress: Progress) -> None:
    """Let the held-out members learn anew too; with too few events left, there are none any more."""
    with suppress(ShopError):
        held_out = held_out_of(model)
        tried = relearnt(model, Ensembles.load(before / HELDOUT), held_out.known, progress=progress)
        tried.save(made / HELDOUT)


def _save_report(one: _Forgetting, model: Model, before: Path, made: Path) -> None:
    """Keep the evaluation as it was; its example becomes another shopper where it was of an erased one."""
    facts = read_part(before, EVALUATION)
    if one.is_erased(str(facts["example"].get("shopper_id"))) and len(model.states):
        profile = model.profile(example_shopper(model))
        rows = [event.item_no for event in profile.state.state.events() if event.item_no >= 0]
        lists = {code: model.recommend(profile, k=8, language=code) for code in ("en", "zh")}
        slates = {code: slate.as_json()["items"] for code, slate in lists.items()}
        facts["example"] = {**profile.as_json(), "slate": slates}
        fused_ID, seed = model.vectors["fused"], model.settings.seed
        facts["map"] = places_of(model.catalogue, fused_ID, profile, rows, seed=seed)
    write_json(made / EVALUATION, facts)
    facts = read_part(made, EVALUATION)  # as `evaluate` reads it
    (made / REPORT).write_text(report_html(facts), encoding="utf-8")


def _take_over(before: Path, made: Path) -> None:
    """Bring along what is not about shoppers: decisions, and whatever else lies there."""
    for path in sorted(before.rglob("*")):
        place = made / path.relative_to(before)
        is_heldout = path.relative_to(before).parts[0] == HELDOUT
        if path.is_file() and path.name != MANIFEST and not is_heldout and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, place)


def _replace_row(one: _Forgetting, row: ModelRow, new: ModelRow | None) -> None:
    """Enter the new version in place of the old one; whoever watches the list changes over."""
    with one.store.begin() as tx:
        if new is not None:
            put_model(tx, one.shop_id, new)
        remove_model(tx, one.shop_id, row.name)
