"""Reviews over HTTP: counted at once, gone with their shopper, for keys with the scope alone."""

from __future__ import annotations

import json
from urllib.parse import quote

from command_line import call
from serve.talking import Talk, event

PLACE = "/v1/items/{}/reviews/insight"


def some_item(talk: Talk) -> str:
    return str(talk.shop.serving.model.catalogue.item_ids[0])


def reviewed(
    talk: Talk, item: str, *, shopper: str = "rita", text: str = "It runs small."
) -> dict[str, object]:
    return event(shopper, "review", item_id=item, text=text, value={"rating": 2})


def test_a_review_counts_at_the_next_answer_and_is_gone_with_its_shopper(talk: Talk) -> None:
    item = some_item(talk)
    place = PLACE.format(quote(item))
    before = talk.get(place).json()["n_reviews"]
    said = "It runs small. <script>alert(1)</script> mail ann.lee@example.com"
    assert talk.send(reviewed(talk, item, text=said)).json()["accepted"] == 1
    found = talk.get(place, params={"language": "zh"}).json()
    assert found["n_reviews"] == before + 1
    assert "fit" in {side["aspect"] for side in found["aspects"]}
    assert "ann.lee" not in json.dumps(found)
    assert talk.client.delete("/v1/shoppers/rita").status_code == 200
    assert talk.get(place).json()["n_reviews"] == before


def test_an_unknown_item_and_a_wrong_language_are_refused(talk: Talk) -> None:
    answer = talk.get(PLACE.format("nothing"))
    assert answer.status_code == 404 and answer.json()["code"] == "unknown_item"
    assert talk.get(PLACE.format(some_item(talk)), params={"language": "xx"}).status_code == 422


def test_only_keys_with_the_scope_read_reviews(talk: Talk) -> None:
    place = PLACE.format(quote(some_item(talk)))
    assert talk.get(place, headers={"Authorization": ""}).status_code == 401
    for scope, status in (("reviews:read", 200), ("profile:read", 403)):
        made = call("keys", "create", "--scope", scope, "--run", talk.run, "--json").json
        assert talk.get(place, headers={"Authorization": f"Bearer {made['key']}"}).status_code == status
