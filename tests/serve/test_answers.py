"""Each operation answers what its description says, with nothing more: real answers of every one of them."""

from __future__ import annotations

from typing import Any

import pytest

from huaxiang.serve.answer_shapes import ANSWERS
from serve.operations import operations
from serve.talking import Talk, event

ITEM = "p000-1"
DOT = "data:image/gif;base64,R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs="
RULES = "version: 1\nrules:\n- {name: out, items: {item_id: p000-1}, exclude: true}\n"
TRACKED = {"type": "track", "event": "Product Viewed", "userId": "s-1", "properties": {"product_id": ITEM}}


def test_every_operation_has_a_schema_and_an_example(talk: Talk) -> None:
    described = talk.get("/openapi.json").json()
    stated = {f"{one.method} {one.path}" for one in operations(talk.client)}
    assert stated - ANSWERS.keys() == {"get /metrics"}
    assert ANSWERS.keys() <= stated
    for name, shape in ANSWERS.items():
        method, path = name.split()
        content = described["paths"][path][method]["responses"]["200"]["content"]["application/json"]
        assert content["schema"]["$ref"].rpartition("/")[2] in described["components"]["schemas"], name
        shape.model_validate(content["example"])


@pytest.fixture
def answered(talk: Talk) -> dict[str, list[Any]]:
    """Return what every operation answered; of some of them several answers that differ."""
    bought = event("s-1", "purchase", item_id=ITEM)
    unknown = event("s-1", "purchase", item_id="not yet")
    talk.send(bought, unknown, event("s-1", "search", query="red dress"))
    shopper = "/v1/shoppers/s-1"
    serving = talk.get("/v1/models").json()["serving"]
    corrected = {"dimension": "colour", "value": "red", "side": "liked"}
    refused = {"items": [{"action": "delete", "item_id": "none"}, {"item_id": "new", "brand": "Acme"}]}
    post = talk.client.post
    answers = {
        "get /healthz": [talk.get("/healthz")],
        "get /readyz": [talk.get("/readyz")],
        "post /v1/events": [talk.send(bought, event("s-2", "nothing")), talk.send(unknown)],
        "post /v1/batch": [post("/v1/batch", json={"batch": [TRACKED, {"type": "page", "userId": "s-1"}]})],
        "post /v1/items": [post("/v1/items", json=refused)],
        "get /v1/items/{item_id}": [talk.get(f"/v1/items/{ITEM}"), talk.get("/v1/items/new")],
        "get /v1/items/{item_id}/similar": [talk.get(f"/v1/items/{ITEM}/similar")],
        "get /v1/items/{item_id}/graph": [talk.get(f"/v1/items/{ITEM}/graph")],
        "get /v1/recommendations": [talk.get("/v1/recommendations?placement=item", params={"item_id": ITEM})],
        "get /v1/shoppers/{shopper_id}/recommendations": [
            talk.get(f"{shopper}/recommendations{more}") for more in ("", "?of=brand", "?explain=full")
        ],
        "get /v1/shoppers/{shopper_id}/profile": [talk.get(f"{shopper}/profile?vector=true")],
        "patch /v1/shoppers/{shopper_id}/profile": [talk.client.patch(f"{shopper}/profile", json=corrected)],
        "put /v1/shoppers/{shopper_id}/consent": [
            talk.client.put(f"{shopper}/consent", json={"purposes": {"ads": True}})
        ],
        "get /v1/shoppers/{shopper_id}/consent": [talk.get(f"{shopper}/consent")],
        "get /v1/shoppers/{shopper_id}/export": [talk.get(f"{shopper}/export")],
        "get /v1/letters": [talk.get("/v1/letters")],
        "post /v1/letters/retry": [post("/v1/letters/retry", json={})],
        "post /v1/letters/drop": [post("/v1/letters/drop", json={})],
        "get /v1/aggregates": [talk.get("/v1/aggregates")],
        "get /v1/audit": [talk.get("/v1/audit"), talk.get("/v1/audit?limit=1")],
        "get /v1/models": [talk.get("/v1/models")],
        "post /v1/models/{name}/promote": [post(f"/v1/models/{serving}/promote")],
        "get /v1/items/{item_id}/reviews/insight": [talk.get(f"/v1/items/{ITEM}/reviews/insight")],
        "get /v1/search": [
            talk.get("/v1/search", params={"q": said}) for said in ("red dress", "红色", "zzz")
        ],
        "post /v1/search/image": [post("/v1/search/image", json={"image": DOT, "q": "dress"})],
        "get /v1/search/suggest": [talk.get("/v1/search/suggest?q=re")],
        "get /v1/rules": [talk.get("/v1/rules")],
        "post /v1/rules/check": [post("/v1/rules/check", content=RULES)],
        "post /v1/rules/try": [post("/v1/rules/try", content=RULES)],
        "get /v1/outcomes": [talk.get("/v1/outcomes")],
        "get /v1/drift": [talk.get("/v1/drift")],
    }
    for kind in ("track", "identify", "alias", "page", "screen", "group"):
        said = {**TRACKED, "type": kind, "previousId": "v-1"}
        answers[f"post /v1/{kind}"] = [post(f"/v1/{kind}", json=said)]
    receipt = talk.client.delete(shopper)
    answers["delete /v1/shoppers/{shopper_id}"] = [receipt]
    checked = [
        post("/v1/receipts/check", json=one) for one in (receipt.json(), {**receipt.json(), "rows": {}})
    ]
    return {**answers, "post /v1/receipts/check": checked}


def test_real_answers_are_what_is_described_and_have_no_other_key(answered: dict[str, list[Any]]) -> None:
    assert answered.keys() == ANSWERS.keys()
    for name, answers in answered.items():
        for answer in answers:
            assert answer.status_code in (200, 422), (name, answer.text)
            shape = ANSWERS[name].model_validate_json(answer.content, strict=True)
            assert shape.model_dump(by_alias=True, exclude_unset=True) == answer.json(), name
