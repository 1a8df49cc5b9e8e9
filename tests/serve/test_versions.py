"""Another model beside the one that is served: swapped whole, rolled back by name, refused where damaged."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from huaxiang.model import load
from huaxiang.store.models import ModelRow, put_model
from serve.talking import Talk


@pytest.fixture
def other(talk: Talk, tmp_path: Path) -> str:
    """Add another version of the same model under another name; return it."""
    folder = tmp_path / "other"
    replace(load(talk.run), name="other").save(folder)
    with talk.shop.store.begin() as tx:
        put_model(tx, "default", ModelRow(name="other", folder=str(folder), status="ready", created_ms=1))
    return "other"


def test_a_promoted_version_makes_the_next_list_and_the_former_one_can_come_back(
    talk: Talk, other: str
) -> None:
    first = talk.get("/v1/models").json()["serving"]
    assert talk.client.post(f"/v1/models/{other}/promote").json() == {"serving": "other"}
    assert talk.get("/v1/shoppers/s-1/recommendations").json()["model"] == "other"
    assert talk.get("/v1/shoppers/s-1/profile").json()["version"]["model"] == "other"
    named = [
        line for line in talk.get("/metrics").text.splitlines() if line.startswith("huaxiang_model_info")
    ]
    assert named == ['huaxiang_model_info{model="other",shop="default"} 1.0']
    statuses = {one["name"]: one["status"] for one in talk.get("/v1/models").json()["versions"]}
    assert statuses == {"other": "serving", first: "retired"}
    talk.client.post(f"/v1/models/{first}/promote")
    assert talk.get("/v1/shoppers/s-1/recommendations").json()["model"] == first


def test_a_damaged_version_is_refused_and_the_old_one_stays(talk: Talk, other: str, tmp_path: Path) -> None:
    states = tmp_path / "other" / "vectors" / "items.safetensors"
    states.write_bytes(states.read_bytes()[:-100])
    first = talk.get("/v1/models").json()["serving"]
    refused = talk.client.post(f"/v1/models/{other}/promote")
    assert refused.status_code == 409
    assert talk.get("/v1/shoppers/s-1/recommendations").json()["model"] == first
    statuses = {one["name"]: one["status"] for one in talk.get("/v1/models").json()["versions"]}
    assert statuses["other"] == "failed"


def test_a_folder_that_is_gone_is_refused(talk: Talk, other: str, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "other")
    assert talk.client.post(f"/v1/models/{other}/promote").status_code == 409


def test_an_unknown_version_is_named(talk: Talk) -> None:
    answer = talk.client.post("/v1/models/nothing/promote")
    assert answer.status_code == 422
    assert answer.json()["value"] == "nothing"


def test_items_like_an_item_over_http(talk: Talk) -> None:
    item_id = talk.shop.serving.model.catalogue.item_ids[0]
    answer = talk.get(f"/v1/items/{item_id}/similar", params={"k": 3}).json()
    assert len(answer["items"]) == 3
    assert item_id not in [one["item_id"] for one in answer["items"]]
    assert talk.get("/v1/items/nothing/similar").status_code == 404


def test_the_graph_of_an_item_over_http(talk: Talk) -> None:
    item_id = talk.shop.serving.model.catalogue.item_ids[0]
    answer = talk.get(f"/v1/items/{item_id}/graph", params={"k": 2, "language": "zh"}).json()
    assert {"complements", "substitutes", "bought_together", "values", "up"} <= set(answer)
    assert len(answer["substitutes"]) <= 2
    assert talk.get("/v1/items/nothing/graph").status_code == 404
    assert talk.get(f"/v1/items/{item_id}/graph", params={"k": 0}).status_code == 422


def test_another_version_is_served_with_the_items_as_they_are_now(talk: Talk, other: str) -> None:
    gone = talk.shop.serving.model.catalogue.item_ids[0]
    new = {"item_id": "newcomer", "texts": {"en": {"title": "Red leather ankle boots"}}}
    changes = [new, {"action": "delete", "item_id": gone}]
    assert talk.client.post("/v1/items", json={"items": changes}).json()["accepted"] == 2
    talk.client.post(f"/v1/models/{other}/promote")
    catalogue = talk.shop.serving.model.catalogue
    assert "newcomer" in catalogue.row_of
    assert catalogue.gone[catalogue.row_of[gone]]
    listed = talk.get("/v1/shoppers/s-1/recommendations", params={"k": 100, "repeat": True}).json()
    assert "newcomer" in {one["item_id"] for one in listed["items"]}
