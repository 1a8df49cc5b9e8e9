"""The end of a service: asked to stop under load, it leaves nothing undone; its logs have nobody in them."""

from __future__ import annotations

import json
import time
from pathlib import Path

import httpx
import pytest

from huaxiang.store import open_store
from huaxiang.store.sql import rows_of
from serve.operations import operations
from serve.processes import KEY, Served
from serve.senders import Senders, check_all_there
from serve.stored import states_in, states_of_the_log
from serve.talking import event

pytestmark = pytest.mark.slow
PERSONAL = {
    "shopper_id": "zanzibar-shopper-4711",
    "visitor_id": "anonymous:quokka-visitor",
    "text": "my knee hurts since the marmalade incident",
    "query": "pelargonium wallpaper",
    "email": "aurelia.quince@example.org",
    "name": "Aurelia Quince",
    "session_id": "session-vermilion-9",
}


def test_asked_to_stop_under_load_it_answers_writes_and_leaves(live_run: Path) -> None:
    live = live_run.with_name("run.live")
    with Served(live_run) as served:
        senders = Senders(served, seed=6)
        threads = senders.start()
        while senders.n_acknowledged < 30:
            time.sleep(0.01)
        slates = {served.ask("GET", f"/v1/shoppers/s-{n}/recommendations")[1]["slate_id"] for n in range(20)}
        assert served.stop() == 0
        senders.end(threads)
        assert set(senders.codes) <= {0, 200, 503}
        store = open_store(f"sqlite:///{live / 'store.sqlite'}")
        with store.read() as tx:
            assert slates <= {row[0] for row in rows_of(tx, "SELECT slate_id FROM slates")}
        store.close()
        assert states_in(live) == states_of_the_log(live)
        served.start()
        check_all_there(served, senders.acknowledged)


def test_nothing_of_a_person_or_a_key_is_in_what_the_service_writes(live_run: Path, tmp_path: Path) -> None:
    output = tmp_path / "output"
    with Served(live_run, output=output) as served:
        headers = {"Authorization": f"Bearer {KEY}"}
        with httpx.Client(base_url=f"http://127.0.0.1:{served.port}", headers=headers) as client:
            live_a_little(client)
            for one in operations(client):
                body = json.dumps(one.example).replace("s-17", PERSONAL["shopper_id"])
                client.request(one.method, one.filled(shopper_id=PERSONAL["shopper_id"]), content=body)
                client.request(one.method, one.filled(shopper_id=PERSONAL["shopper_id"]), content=body[:-9])
        assert served.stop() == 0
    written = output.read_text()
    assert written
    assert [name for name, said in PERSONAL.items() if said in written] == []
    assert KEY.rpartition("_")[2] not in written


def live_a_little(client: httpx.Client) -> None:
    """Let a person do everything that names them, right and wrong."""
    shopper_id, context = PERSONAL["shopper_id"], {"email": PERSONAL["email"], "name": PERSONAL["name"]}
    said = [
        event(shopper_id, "search", query=PERSONAL["query"], session_id=PERSONAL["session_id"]),
        event(shopper_id, "state", text=PERSONAL["text"], context=context),
        event(shopper_id, "state", text=PERSONAL["text"], occurred_at=PERSONAL["text"]),
        event(shopper_id, PERSONAL["text"], item_id=PERSONAL["name"]),
    ]
    answer = client.post("/v1/events", json={"events": said}).json()
    assert (answer["accepted"], len(answer["rejected"])) == (2, 2)
    traits = {"userId": shopper_id, "anonymousId": PERSONAL["visitor_id"], "traits": context}
    assert client.post("/v1/identify", json={**traits, "messageId": "m-0"}).json()["accepted"] == 1
    for path in ("profile", "recommendations", "export", "consent"):
        assert client.get(f"/v1/shoppers/{shopper_id}/{path}").status_code == 200


def test_every_line_that_the_service_writes_once_it_runs_is_json(live_run: Path, tmp_path: Path) -> None:
    output = tmp_path / "output"
    with Served(live_run, output=output) as served:
        for path in ("/readyz", "/v1/nothing", "/v1/items/nothing/similar"):
            served.ask("GET", path)
        served.stop()
    said = output.read_text().splitlines()
    first = next(place for place, line in enumerate(said, 1) if "documentation" in line)
    lines = [json.loads(line) for line in said[first:]]
    assert lines
    assert all({"at", "level", "logger", "message"} <= line.keys() for line in lines)
