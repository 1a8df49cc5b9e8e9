"""Erasures brought to their end: counts as if somebody had never been there, and nothing in any folder."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from command_line import call
from huaxiang.journey import fit
from huaxiang.model import Model, load
from huaxiang.recommend.closed_form import ClosedForm
from huaxiang.recommend.neighbours import Neighbours
from huaxiang.recommend.own_frequency import OwnFrequency
from huaxiang.recommend.popular import Popular
from huaxiang.runs import read_manifest
from huaxiang.serve.pseudonyms import Pseudonyms, read_key
from serve.talking import Talk, event, opened

QUICK_MEMBERS = ("popular", "own_frequency", "neighbours", "closed_form")


def bought_of(talk: Talk, item_id: str) -> float:
    """Return what the served model has counted of an item."""
    model = talk.shop.serving.model
    popular = model.recommenders.new.members["popular"]
    return float(popular.mass_[model.catalogue.row_of[item_id]])


def counts_of(model: Model) -> dict[str, np.ndarray]:
    """Return every number that a model counts or solves for."""
    members = model.recommenders.new.members
    popular, own = members["popular"], members["own_frequency"]
    neighbours, closed = members["neighbours"], members["closed_form"]
    assert isinstance(popular, Popular) and isinstance(own, OwnFrequency)
    assert isinstance(neighbours, Neighbours) and isinstance(closed, ClosedForm)
    pairs = neighbours.pairs_.whole() if neighbours.pairs_ else None
    return {
        "popular": popular.mass_,
        "pairs": pairs.toarray(),
        "pairs' items": neighbours.mass_I,
        "closed form": closed.weights_II.toarray(),
        "population": model.population.shares(),
        "population's days": model.population.mass_N,
        "popularity": model.popularity,
    }


def busiest(run: Path) -> str:
    """Return the shopper with the most events, so that their absence shows."""
    events = pl.read_parquet(run / "events.parquet").filter(~pl.col("anonymous"))
    return str(events["shopper_id"].value_counts(sort=True)["shopper_id"][0])


@pytest.fixture
def forgotten(live_run: Path) -> tuple[Path, str]:
    """Return a run from which its busiest shopper was erased, and their id."""
    shopper_id = busiest(live_run)
    with opened(live_run) as talk:
        assert talk.client.delete(f"/v1/shoppers/{shopper_id}").status_code == 200
    answer = call("forget", "--run", live_run, "--json")
    assert answer.code == 0, answer.err
    return live_run, shopper_id


def test_what_counts_equals_a_model_that_never_saw_the_shopper(
    forgotten: tuple[Path, str], small_run: Path
) -> None:
    run, shopper_id = forgotten
    before, without = load(small_run), counts_of(load(run))
    others = before.shop.events.filter(pl.col("shopper_id") != shopper_id)
    never = fit(replace(before.shop, events=others), before.settings)
    for name, counted in counts_of(never).items():
        rounding = 1e-7 if name == "closed form" else 0  # a system of equations, solved twice
        np.testing.assert_allclose(without[name], counted, rtol=0, atol=rounding, err_msg=name)
    for name, counted in counts_of(before).items():
        is_same = counted.shape == without[name].shape and np.allclose(without[name], counted, atol=1e-5)
        assert not is_same, name


def test_the_folder_of_the_run_has_nothing_of_the_shopper(forgotten: tuple[Path, str]) -> None:
    run, shopper_id = forgotten
    read_manifest(run)  # its checksums agree
    key = read_key(None, file=run.with_name("run.live") / "pseudonym.key")
    words = [shopper_id, Pseudonyms(key).of("default", shopper_id)]
    files = [file for file in [*run.rglob("*"), *run.with_name("run.live").rglob("*")] if file.is_file()]
    assert len(files) > 20
    assert not [file.name for file in files for word in words if word.encode() in file.read_bytes()]
    tables = [pl.read_parquet(file) for file in run.glob("*.parquet")]
    assert not [1 for table in tables for word in words if word in str(table.to_dicts())]
    assert shopper_id not in load(run).states


def test_a_receipt_says_when_everything_is_done(live_run: Path) -> None:
    with opened(live_run) as talk:
        receipt = talk.client.delete(f"/v1/shoppers/{busiest(live_run)}").json()
        assert [one["made_anew"]["state"] for one in receipt["models"]] == ["waiting"]
        assert receipt["models"][0]["made_anew"]["members"] == list(QUICK_MEMBERS)
        assert not talk.client.post("/v1/receipts/check", json=receipt).json()["is_complete"]
        before = receipt["models"][0]["name"]
        assert call("forget", "--run", live_run).code == 0
        checked = talk.client.post("/v1/receipts/check", json=receipt).json()
        assert checked["is_complete"]
        assert [one["name"] for one in checked["models"]] != [before]


def test_a_running_service_brings_an_erasure_to_its_end_by_itself(live_run: Path) -> None:
    with opened(live_run) as talk:
        talk.client.app.state.service.forgetting.gather_s = 0.0
        before = talk.shop.serving.model
        receipt = talk.client.delete(f"/v1/shoppers/{busiest(live_run)}").json()
        talk.until(lambda: talk.client.post("/v1/receipts/check", json=receipt).json()["is_complete"])
        talk.until(lambda: talk.shop.serving.model.name != before.name)
        assert talk.shop.serving.model.popularity.sum() != before.popularity.sum()


def test_a_version_goes_on_learning_where_it_stopped_whoever_was_erased(live_run: Path) -> None:
    with opened(live_run) as talk:
        item_id = talk.shop.serving.model.catalogue.item_ids[3]
        before, now = bought_of(talk, item_id), datetime.now(UTC).isoformat()
        deeds = [event(f"new-{n}", "purchase", item_id=item_id, occurred_at=now) for n in range(4)]
        talk.send(deeds[0])
        talk.until(lambda: bought_of(talk, item_id) > before)
        one = bought_of(talk, item_id) - before
        talk.send(*deeds[1:])
        talk.client.delete("/v1/shoppers/new-0")
        call("forget", "--run", live_run)
        talk.until(lambda: talk.shop.serving.model.name == load(live_run).name)
        talk.until(lambda: bought_of(talk, item_id) == pytest.approx(before + 3 * one))
