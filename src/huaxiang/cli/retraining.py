"""A run that is served, retrained on its log: what `retrain` does. Nothing of the log is ever deleted."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from huaxiang import __version__
from huaxiang.cli.versions import (
    InPlace,
    alone,
    cut_of,
    drop_stopped,
    end_attempt,
    enter,
    open_log,
    versions_of,
)
from huaxiang.cli.watching import REFERENCE, reference_of
from huaxiang.config import settings_toml
from huaxiang.errors import BusyError, HuaxiangError
from huaxiang.evaluate.measure import K
from huaxiang.feedback.decision import Rule
from huaxiang.feedback.drift import Reference
from huaxiang.feedback.live_log import seen_lately
from huaxiang.feedback.retrain import Plan
from huaxiang.feedback.training_log import Cut, TrainingLog, read_training_log, withdrawn_now
from huaxiang.files import write_json
from huaxiang.journey import Retrained, retrain
from huaxiang.model import save
from huaxiang.profile.update import milliseconds
from huaxiang.runs import CHECKPOINTS, fingerprint_of, new_run, read_part, write_manifest
from huaxiang.serve.kept_photos import KeptPhotos
from huaxiang.serve.process import live_folder_of
from huaxiang.serve.standing import COUNTED_WITHOUT, LEARNT, POSITIONS
from huaxiang.store import Store
from huaxiang.store.models import ModelRow

Progress = Callable[[str, int, int, str], None]
ATTEMPTS = 3
_DAY_MS = 86_400_000
FIGURES = (f"ndcg@{K}", f"recall@{K}")


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What to retrain, and how.

    Parameters
    ----------
    store
        Address of the service's store.
    allowed
        Whether those may be learnt from who were never asked.
    train_days
        Nothing older than this may be learnt from; None is no limit.
    start_over
        Carry no weights over, whatever happened.
    promote
        Let the new version be served whatever the comparison says; that it was asked for is on record.
    """

    run: Path
    store: str
    shop_id: str = "default"
    allowed: bool = True
    rule: Rule = field(default_factory=Rule)
    test_share: float = 0.5
    start_over: bool = False
    train_days: float | None = None
    promote: bool = False

    def since_ms(self, now_ms: int) -> int:
        """Return the first day that may be learnt from; a whole day, so that what was stopped can go on."""
        if self.train_days is None:
            return 0
        return (now_ms - round(self.train_days * _DAY_MS)) // _DAY_MS * _DAY_MS


@dataclass(frozen=True, kw_only=True)
class _Attempt:
    """One reading of the log, and what is to be made of it."""

    in_place: InPlace
    log: TrainingLog
    cut: Cut
    plan: Plan
    now_ms: int

    @property
    def name(self) -> str:
        """The name that the new version will have."""
        base = self.in_place.model
        return fingerprint_of(base.name, self.log.shop.fingerprint, settings_toml(base.settings))

    def learnt(self) -> dict[str, Any]:
        """Return what the next retraining needs to know of this one."""
        newest = self.log.shop.events["occurred_at"].max()
        assert isinstance(newest, datetime)
        return {
            "until_ms": milliseconds(newest),
            "anew_ms": self.now_ms if self.plan.start_over else self.in_place.anew_ms,
            "withdrawn": self.log.withdrawn,
            COUNTED_WITHOUT: self.log.erased,
            POSITIONS: self.cut.as_json(),
        }


class _WithdrewError(Exception):
    """Somebody withdrew while a model learnt from them."""


def retrain_run(
    wish: Wish, *, cache: Path, progress: Progress, now_s: Callable[[], float] = time.time
) -> dict[str, Any]:
    """Learn from the log, compare, and let the better one be served; return the record of it.

    A stopped retraining goes on when it is called again.

    Raises
    ------
    InputError
        The run was never served, so that there is no log; or it is being retrained already.
    ShopError
        Too little happened since the version in place was made.
    BusyError
        Shoppers withdrew each time while a model learnt from them.
    """
    started, versions = time.perf_counter(), versions_of(wish.run)
    store = open_log(wish.store, wish.shop_id)
    try:
        with alone(versions):
            in_place = InPlace.of(store, wish.shop_id, wish.run)
            for _ in range(ATTEMPTS):
                attempt = _begun(store, wish, in_place, now_ms=int(1000 * now_s()), progress=progress)
                try:
                    record = _made(store, wish, attempt, cache=cache, progress=progress)
                except _WithdrewError:
                    continue
                finally:
                    _settle(versions)
                return {**record, "seconds": round(time.perf_counter() - started, 1)}
        raise BusyError("shoppers withdrew each time while a model learnt", remedy="retrain again later")
    finally:
        store.close()


def _settle(versions: Path) -> None:
    """Forget the cut of an attempt that has come to its end; one that was stopped or fell goes on."""
    if sys.exception() is None or isinstance(sys.exception(), (HuaxiangError, _WithdrewError)):
        end_attempt(versions)


def _begun(store: Store, wish: Wish, in_place: InPlace, *, now_ms: int, progress: Progress) -> _Attempt:
    progress("read the log", 0, 1, "")
    cut = cut_of(store, wish.shop_id, versions_of(wish.run), base=in_place.model.name, now_ms=now_ms)
    log = read_training_log(
        store,
        wish.shop_id,
        in_place.model.shop,
        allowed=wish.allowed,
        until=cut,
        since_ms=wish.since_ms(now_ms),
        space=in_place.model.space,
    )
    progress("read the log", 1, 1, f"{log.n_read:,} events")
    plan = Plan(
        since_ms=in_place.since_ms,
        start_over=wish.start_over or log.withdrawn != in_place.withdrawn,
        test_share=wish.test_share,
        rule=wish.rule,
        said=log.said,
        photos=KeptPhotos(live_folder_of(wish.run) / "photos"),
    )
    return _Attempt(in_place=in_place, log=log, cut=cut, plan=plan, now_ms=now_ms)


def _made(store: Store, wish: Wish, attempt: _Attempt, *, cache: Path, progress: Progress) -> dict[str, Any]:
    """Make the new version, keep it, and enter it in the store; return the record of it."""
    in_place, versions = attempt.in_place, versions_of(wish.run)
    folder = versions / attempt.name
    drop_stopped(versions, but=attempt.name)
    with new_run(folder, fingerprint=attempt.name) as made:
        done = retrain(
            in_place.model,
            attempt.log.shop,
            plan=attempt.plan,
            cache=cache,
            checkpoint=made / CHECKPOINTS,
            progress=progress,
        )
        record = _record(store, wish, attempt, done)
        _keep(done, made, attempt, record)
        if withdrawn_now(store, wish.shop_id, allowed=wish.allowed) != attempt.log.withdrawn:
            raise _WithdrewError
    row = ModelRow(
        name=attempt.name,
        folder=str(folder.resolve()),
        status="ready",
        metrics={name: done.comparison.figure("candidate", name) for name in FIGURES},
        decision=record["comparison"]["decision"],
        created_ms=attempt.now_ms,
    )
    enter(store, wish.shop_id, in_place, row, promote=record["promoted"])
    return {**record, "folder": str(folder)}


def _record(store: Store, wish: Wish, attempt: _Attempt, done: Retrained) -> dict[str, Any]:
    log, decision = attempt.log, done.comparison.decision
    comparison = done.comparison.as_json()
    if wish.promote:
        asked = f"promoted because it was asked for; by the rule: {decision.reason}"
        comparison["decision"] |= {"promote": True, "reason": asked}
    return {
        "model": attempt.name,
        "before": attempt.in_place.model.name,
        "promoted": wish.promote or decision.promote,
        "comparison": comparison,
        "log": {
            "read": log.n_read,
            "excluded": log.n_excluded,
            "refused": log.n_refused,
            "old": log.n_old,
            "shoppers_refused": log.n_shoppers_refused,
            "erased": log.n_erased,
        },
        "started_over": attempt.plan.start_over,
        "drift": _drift(store, wish, attempt),
    }


def _drift(store: Store, wish: Wish, attempt: _Attempt) -> list[dict[str, Any]]:
    """Return how far what is watched has moved since the version in place was made."""
    folder, model = attempt.in_place.folder, attempt.in_place.model
    if not (folder / REFERENCE).is_file():
        return []
    reference = Reference.from_json(read_part(folder, REFERENCE))
    now = seen_lately(store, wish.shop_id, model.catalogue, since_ms=attempt.plan.since_ms + 1)
    return [one.as_json() for one in reference.drift(now)]


def _keep(done: Retrained, folder: Path, attempt: _Attempt, record: dict[str, Any]) -> None:
    """Write the version: what serving reads, and nothing of any single shopper."""
    model = done.model
    save(model.without_shoppers(), folder)
    write_json(folder / REFERENCE, reference_of(model).as_json())
    write_json(folder / "retraining.json", record)
    write_manifest(
        folder,
        {
            "name": model.name,
            "huaxiang": __version__,
            "seed": model.settings.seed,
            "data": model.shop.fingerprint,
            "catalogue": model.catalogue.version,
            "before": record["before"],
            LEARNT: attempt.learnt(),
        },
    )
