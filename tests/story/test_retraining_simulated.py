"""A simulated shop is built on its first months, served, and retrained on the rest, all members together."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from msgspec import structs

import huaxiang as hx
from command_line import call
from huaxiang.model import Model
from huaxiang.profile.update import content_hash, content_of, event_key
from huaxiang.runs import read_manifest
from huaxiang.serve.process import Process
from huaxiang.serve.pseudonyms import Pseudonyms, read_key
from huaxiang.serve.start import prepare
from huaxiang.shop.base import Shop
from huaxiang.shop.event_records import event_records
from huaxiang.store import LoggedEvent, append, open_store
from huaxiang.store.models import models_of

pytestmark = pytest.mark.slow

SETTINGS = hx.read_settings(changes=["image.encoder=none", "recommend.sequence.training.steps=150"])


def split(shop: Shop, share: float) -> tuple[Shop, Shop]:
    """Return the shop with its earlier and its later events."""
    cut = shop.events["occurred_at"].quantile(share)
    is_early = pl.col("occurred_at") <= cut
    early, late = shop.events.filter(is_early), shop.events.filter(~is_early)
    return replace(shop, events=early, fingerprint=f"{shop.fingerprint}-early"), replace(shop, events=late)


def served(model: Model, run: Path, late: Shop) -> Process:
    """Let the later events enter the log of a run that is served."""
    model.save(run)
    process = Process.of({}, run=run)
    prepare(process)
    hashed = Pseudonyms(read_key(None, file=process.key_file()))
    logged = [
        LoggedEvent(
            structs.replace(event, shopper_id=hashed.of("default", event.shopper_id)),
            event_key(event.event_id),
            None if event.item_id is None else model.catalogue.row_of[event.item_id],
            content_hash(content_of(event)),
        )
        for event in event_records(late, 0, len(late.events))
    ]
    store = open_store(process.where.store)
    with store.begin() as tx:
        append(tx, "default", logged)
    store.close()
    return process


def spoilt(late: Shop) -> Shop:
    """Return the later events with their items in any order: what everybody did is now somebody else's."""
    rows = late.events["item_row"].to_numpy().copy()
    about_item = rows >= 0
    rows[about_item] = np.random.default_rng(0).permutation(rows[about_item])
    return replace(late, events=late.events.with_columns(pl.Series("item_row", rows, dtype=pl.Int32)))


@pytest.fixture(scope="module")
def halves(cache: Path) -> tuple[Shop, Shop]:
    return split(hx.simulate_shop(seed=7, n_shoppers=300, n_items=100, cache=cache), 0.5)


@pytest.fixture(scope="module")
def model(halves: tuple[Shop, Shop], cache: Path) -> Model:
    return hx.fit(halves[0], SETTINGS, cache=cache)


@pytest.mark.parametrize("is_spoilt", [False, True], ids=["as it was", "shuffled"])
def test_a_simulated_shop_is_retrained(
    halves: tuple[Shop, Shop], model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_spoilt: bool
) -> None:
    monkeypatch.delenv("HUAXIANG_STORE", raising=False)
    early, late = halves
    process = served(model, tmp_path / "run", spoilt(late) if is_spoilt else late)
    answer = call("retrain", "--run", tmp_path / "run", "--json")
    assert answer.code == 0, answer.err
    record = answer.json
    decision = record["comparison"]["decision"]

    assert record["log"]["read"] == len(early.events) + len(late.events)
    assert record["promoted"] == decision["promote"] == (decision["low"] > decision["bound"])
    store = open_store(process.where.store)
    with store.read() as tx:
        rows = {row.name: row for row in models_of(tx, "default")}
    store.close()
    assert rows[record["model"]].status == ("serving" if decision["promote"] else "ready")
    assert rows[record["model"]].decision == decision
    assert json.loads((Path(record["folder"]) / "retraining.json").read_text())["model"] == record["model"]

    new = hx.load(record["folder"])
    again = new.recommenders.new.members["sequence"].trained_  # type: ignore[attr-defined]
    first = model.recommenders.new.members["sequence"].trained_  # type: ignore[attr-defined]
    assert 0 < len(again.epochs) <= len(first.epochs)
    if not is_spoilt:  # what was learnt helps with what is like it
        assert again.epochs[0].loss < first.epochs[0].loss
    assert new.space == model.space and new.catalogue.item_ids == model.catalogue.item_ids
    newest = late.events["occurred_at"].max()
    assert isinstance(newest, datetime)
    assert read_manifest(Path(record["folder"]))["learnt"]["until_ms"] == round(newest.timestamp() * 1000)
    if is_spoilt:  # there is nothing to find in a shuffled log, and a model that learnt from it finds less
        assert decision["candidate"] < 0.6 * model_figure(model)


def model_figure(model: Model) -> float:
    """Return what the model reached on its own held-out part."""
    assert model.trial is not None
    rows = {row["name"]: row for row in model.trial.evaluation["models"]}
    return float(rows["ensemble"]["test"]["ndcg@10"]["mean"])
