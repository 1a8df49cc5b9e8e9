"""Drift is looked for while a shop is served, and shown by endpoint and counters."""

from __future__ import annotations

from huaxiang.serve.drifting import compare, show
from serve.talking import Talk, event


def verdicts(talk: Talk) -> dict[str, str]:
    metrics = talk.client.app.state.service.metrics  # type: ignore[attr-defined]
    show(talk.shop, compare(talk.shop), metrics)
    return {one["name"]: one["verdict"] for one in talk.get("/v1/drift").json()["drift"]}


def test_shoppers_who_change_are_noticed(talk: Talk) -> None:
    talk.shop.drift = None
    assert talk.get("/v1/drift").json()["compared_at"] is None
    before = verdicts(talk)
    catalogue = talk.shop.serving.model.catalogue
    first = catalogue.item_ids[0]
    for batch in range(3):
        talk.send(*(event(f"new-{batch}-{n}", "add_to_wishlist", item_id=first) for n in range(300)))
    after = verdicts(talk)
    assert before["event type"] != "large"
    assert (after["event type"], after["category"]) == ("large", "large")
    (found,) = [one for one in talk.get("/v1/drift").json()["drift"] if one["name"] == "event type"]
    assert found["moved"][0]["value"] == "add_to_wishlist"
    counted = talk.get("/metrics").text
    assert 'huaxiang_drifting{name="category",shop="default"} 1.0' in counted


def test_a_run_without_anything_to_compare_with_says_nothing(talk: Talk) -> None:
    (talk.run / "drift.json").unlink()
    assert compare(talk.shop) is None
    assert verdicts(talk) == {}
