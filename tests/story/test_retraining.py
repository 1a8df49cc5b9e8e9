"""The circle closes: a run is served, shoppers go on, a model learns from it and serves next, or not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from msgspec import structs

import huaxiang as hx
from command_line import Answer, call
from feedback.ring_shop import (
    N_ITEMS,
    OPENED,
    SETTINGS,
    bought,
    purchases,
    robots,
    since_opening,
    until_opening,
    write_shop,
)
from huaxiang.feedback.drift import Reference
from huaxiang.journey import relearn
from huaxiang.profile.update import event_key
from huaxiang.records import Event, EventType, Text
from huaxiang.serve.process import Process
from huaxiang.serve.pseudonyms import Pseudonyms, read_key
from huaxiang.serve.start import prepare
from huaxiang.shop.base import EVENT_COLUMNS
from huaxiang.shop.event_records import event_row
from huaxiang.store import LoggedEvent, Store, append, open_store, positions, put_items
from huaxiang.store.erasure import erase
from huaxiang.store.models import ModelRow, models_of, promote_model, put_model


def as_before(day: float) -> int:
    return 1


def another_fashion(day: float) -> int:
    return 1 if day < 30 else 5


@dataclass
class Served:
    """A run whose log goes on."""

    run: Path
    process: Process

    @contextmanager
    def store(self) -> Iterator[Store]:
        opened = open_store(self.process.where.store)
        yield opened
        opened.close()

    def hashed(self, shopper_id: str) -> str:
        return Pseudonyms(read_key(None, file=self.process.key_file())).of("default", shopper_id)

    def happen(self, events: list[Event], *, excluded: bool = False) -> None:
        """Let events enter the log, as the service writes them."""
        logged = [
            LoggedEvent(
                structs.replace(event, shopper_id=self.hashed(event.shopper_id)),
                event_key(event.event_id),
                None if event.item_id is None else int(event.item_id[1:]),
                excluded=excluded,
            )
            for event in events
        ]
        with self.store() as store, store.begin() as tx:
            append(tx, "default", logged)

    def retrain(self, *arguments: str) -> Answer:
        return call("retrain", "--run", self.run, "--json", *arguments)

    def models(self) -> list[ModelRow]:
        with self.store() as store, store.read() as tx:
            return models_of(tx, "default")


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Path:
    """Return a folder with a run of the days before the opening, and its log beside it."""
    home = tmp_path_factory.mktemp("ring")
    shop = write_shop(home / "shop", until_opening(purchases(as_before)))
    built = call("build", "--shop", shop, "--out", home / "run", *SETTINGS, "--json")
    assert built.code == 0, built.err
    prepare(Process.of({}, run=home / "run"))
    return home


@pytest.fixture
def served(opened: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Served:
    """Return a copy that the test may go on with."""
    for name in ("HUAXIANG_STORE", "HUAXIANG_RUN"):
        monkeypatch.delenv(name, raising=False)
    shutil.copytree(opened, tmp_path / "home")
    run = tmp_path / "home" / "run"
    return Served(run, Process.of({}, run=run))


def test_a_model_that_learnt_the_new_fashion_takes_the_place_of_the_old_one(served: Served) -> None:
    served.happen(since_opening(purchases(another_fashion)))
    answer = served.retrain()
    assert answer.code == 0, answer.err
    record = answer.json
    decision = record["comparison"]["decision"]
    assert record["schema"] == "huaxiang.retrain/1"
    assert record["promoted"] and decision["promote"] and decision["low"] > 0
    assert decision["candidate"] > 2 * decision["incumbent"]

    new, old = served.models()
    assert (new.name, new.status, old.status) == (record["model"], "serving", "retired")
    assert new.decision == decision
    assert new.metrics["ndcg@10"] == pytest.approx(decision["candidate"])
    kept = json.loads((Path(new.folder) / "retraining.json").read_text())
    assert kept["comparison"]["decision"] == decision
    assert old.name == record["before"] and Path(old.folder).exists()


def test_the_new_version_serves_what_it_learnt_and_holds_nobodys_events(served: Served) -> None:
    served.happen(since_opening(purchases(another_fashion)))
    folder = Path(served.retrain().json["folder"])
    new, old = hx.load(folder), hx.load(served.run)
    assert (len(new.states), len(new.shop.events)) == (0, 0)
    listed = {}
    for name, model in (("new", new), ("old", old)):
        model.learn(bought("newcomer", 7, 61, event_id="live"))
        listed[name] = [one.item_id for one in model.recommend("newcomer", k=2).items]
    assert "i12" in listed["new"] and "i12" not in listed["old"]


def test_a_model_that_learnt_from_robots_is_kept_out(served: Served) -> None:
    served.happen(since_opening(purchases(as_before)) + robots())
    record = served.retrain("--test-share", "0.1").json
    decision = record["comparison"]["decision"]
    assert not record["promoted"] and decision["candidate"] < decision["incumbent"]
    assert decision["reason"].startswith("may be worse")
    by_status = {row.status: row for row in served.models()}
    assert (by_status["ready"].name, by_status["serving"].name) == (record["model"], record["before"])
    assert by_status["ready"].decision == decision


def test_robots_that_were_marked_are_not_learnt_from(served: Served) -> None:
    served.happen(since_opening(purchases(as_before)))
    served.happen(robots(), excluded=True)
    record = served.retrain().json
    assert record["promoted"]
    assert record["log"]["excluded"] == len(robots())


def test_the_next_retraining_goes_on_from_the_version_that_is_served(served: Served) -> None:
    walks = since_opening(purchases(another_fashion))
    middle = OPENED + timedelta(days=16)
    served.happen([event for event in walks if (event.occurred_at or OPENED) < middle])
    first = served.retrain().json
    assert first["promoted"]
    served.happen([event for event in walks if (event.occurred_at or OPENED) >= middle])
    second = served.retrain().json
    assert second["before"] == first["model"]
    assert second["log"]["read"] == len(purchases(another_fashion))
    statuses = {row.name: row.status for row in served.models()}
    assert statuses[second["model"]] == ("serving" if second["promoted"] else "ready")
    assert len(statuses) == 3


def test_nothing_new_is_nothing_to_learn_and_the_model_stays(served: Served) -> None:
    answer = served.retrain()
    assert answer.code == 2
    assert "nothing happened since" in answer.json["error"]["message"]
    assert [row.status for row in served.models()] == ["serving"]


def test_a_version_can_be_promoted_by_hand_and_it_is_on_record(served: Served) -> None:
    served.happen(since_opening(purchases(as_before)) + robots())
    record = served.retrain("--test-share", "0.1", "--promote").json
    assert record["promoted"]
    assert record["comparison"]["decision"]["reason"].startswith("promoted because it was asked for")
    assert served.models()[0].status == "serving"
    with served.store() as store, store.begin() as tx:
        promote_model(tx, "default", record["before"])
    assert [row.status for row in served.models()] == ["retired", "serving"]


def answered(shopper_id: str, *, allowed: bool, event_id: str) -> Event:
    return Event(
        event_id=event_id,
        shopper_id=shopper_id,
        type=EventType.CONSENT,
        occurred_at=OPENED + timedelta(days=1),
        context={"consent": {"train": allowed}},
    )


def test_who_refuses_is_not_learnt_from_and_weights_that_knew_them_are_dropped(served: Served) -> None:
    served.happen(since_opening(purchases(another_fashion)))
    served.happen([answered(f"s-{number}", allowed=False, event_id=f"no-{number}") for number in range(10)])
    record = served.retrain().json
    assert record["log"] | {"read": 0} == {
        "read": 0, "excluded": 0, "refused": 10 * 20 + 10, "shoppers_refused": 10, "erased": 0, "old": 0,
    }  # fmt: skip
    assert record["started_over"]
    served.happen([bought("s-20", 3, 62, event_id="later")])
    again = served.retrain("--promote").json
    assert not again["started_over"]


def test_a_version_made_anew_without_somebody_counts_as_if_they_had_never_been_there(served: Served) -> None:
    walks = since_opening(purchases(another_fashion))
    served.happen(walks)
    made = Path(served.retrain("--promote").json["folder"])
    known = hx.load(made)
    subject = Pseudonyms(read_key(None, file=served.process.key_file())).subject(
        "default", served.hashed("s-0")
    )
    with served.store() as store, store.begin() as tx:
        (first,) = [row for row in models_of(tx, "default") if row.status == "retired"]
        put_model(tx, "default", replace(first, folder=str(served.run)))  # the fixture has copied it
        erase(tx, "default", [served.hashed("s-0")], subjects=[subject], at_ms=1)
    record = call("forget", "--run", served.run, "--json").json
    assert len(record["versions"]) == len(served.models())
    assert not made.exists()
    everything = fit_on(known, [one for one in purchases(another_fashion) if one.shopper_id != "s-0"])
    (row,) = [row for row in served.models() if row.status == "serving"]
    for counted, expected in zip(counts(hx.load(row.folder)), counts(everything), strict=True):
        np.testing.assert_allclose(counted, expected, atol=1e-6)
    assert not np.allclose(counts(known)[0], counts(everything)[0])
    assert call("forget", "--run", served.run, "--json").json["versions"] == []


def fit_on(model: hx.Model, events: list[Event]) -> hx.Model:
    """Return the model as it is after only these events."""
    rows = [event_row(one, item_row=int(one.item_id[1:]), new_order=True) for one in events]  # type: ignore[index]
    table = pl.DataFrame(rows, schema=EVENT_COLUMNS, infer_schema_length=None)
    return relearn(model, replace(model.shop, events=table), name="never")


def counts(model: hx.Model) -> list[np.ndarray]:
    """Return what the members of a model of this shop have counted and solved for."""
    members: Any = model.recommenders.new.members
    mass = members["popular"].shares(), members["closed_form"].weights_II.toarray()
    return [*mass, model.popularity, model.population.shares()]


def soon_after(event: Event) -> datetime:
    assert event.occurred_at is not None
    return event.occurred_at + timedelta(hours=1)


def test_items_that_joined_since_are_learnt_and_listed(served: Served) -> None:
    """Everybody who buys item 3 buys the new one next."""
    with served.store() as store, store.begin() as tx:
        put_items(
            tx,
            "default",
            [hx.Item(item_id=f"i{N_ITEMS}", texts={"en": Text(title="a thing that is new")}, brand="b1")],
        )
    walks = since_opening(purchases(as_before))
    served.happen(walks)
    new = bought("anybody", N_ITEMS, 0, event_id="new")
    served.happen(
        [
            structs.replace(
                new, shopper_id=one.shopper_id, event_id=f"new-{number}", occurred_at=soon_after(one)
            )
            for number, one in enumerate(one for one in walks if one.item_id == "i3")
        ]
    )
    record = served.retrain("--promote").json
    model = hx.load(record["folder"])
    row = model.catalogue.row_of[f"i{N_ITEMS}"]
    assert row == N_ITEMS
    assert model.catalogue.title(row) == "a thing that is new"
    assert "b1" in model.catalogue.dimensions["brand"].values
    model.learn(bought("newcomer", 3, 62, event_id="live"))
    assert f"i{N_ITEMS}" in [one.item_id for one in model.recommend("newcomer", k=3).items]


def test_a_run_that_was_never_served_says_what_to_do(
    small_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HUAXIANG_STORE", raising=False)
    answer = call("retrain", "--run", small_run, "--json")
    assert answer.code == 2
    assert "huaxiang serve" in answer.json["error"]["remedy"]
    assert not small_run.with_name(small_run.name + ".live").exists()


def test_a_second_retraining_at_the_same_time_is_refused(served: Served) -> None:
    from huaxiang.cli.versions import alone, versions_of

    with alone(versions_of(served.run)):
        assert "already" in served.retrain().json["error"]["message"]


def test_a_stopped_retraining_goes_on_with_the_log_that_it_had_read(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huaxiang.cli import retraining

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    served.happen(since_opening(purchases(another_fashion)))
    with served.store() as store, store.read() as tx:
        read_up_to = positions(tx, "default")
    with monkeypatch.context() as patch:
        patch.setattr(retraining, "_record", stopped)
        assert served.retrain().code == 130
    served.happen([bought("s-1", 3, 62, event_id="after the stop")])
    record = served.retrain().json
    assert record["log"]["read"] == read_up_to[0] + 1
    served.happen([bought("s-1", 4, 63, event_id="later still")])
    assert served.retrain("--promote").json["log"]["read"] == read_up_to[0] + 3


def test_it_repeats_until_it_is_stopped_and_waits_where_there_is_nothing_new(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huaxiang.cli import feedback

    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 1:
            served.happen(since_opening(purchases(another_fashion)))
        if len(waited) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(feedback.time, "sleep", wait)
    answer = served.retrain("--every", "24h")
    assert (answer.code, waited) == (130, [86_400.0, 86_400.0])
    assert json.loads(answer.out)["promoted"]
    assert "nothing happened since" in answer.err


def test_a_time_without_unit_is_refused(served: Served) -> None:
    assert served.retrain("--every", "24").code == 2


def test_drift_is_told_when_shoppers_change(served: Served) -> None:
    """Items of brand b0 alone are bought from now on."""
    events = [bought(f"s-{n % 160}", 3 * (n % 16), 31 + n / 100, event_id=f"d-{n}") for n in range(2500)]
    served.happen(events)
    record = served.retrain().json
    drift = {one["name"]: one for one in record["drift"]}
    assert drift["brand"]["verdict"] == "large" and drift["brand"]["moved"][0]["value"] == "b0"
    assert drift["event type"]["verdict"] == "steady"
    reference = Reference.from_json(json.loads((served.run / "drift.json").read_text()))
    assert set(reference.values["brand"]) == {"b0", "b1", "b2", "other"}
    assert sum(reference.counts["score"]) > 0
