"""Shop rules in a service: kept to on every way, reloaded, never broken by a broken file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from serve.talking import Talk

PATH = "/v1/shoppers/s-1/recommendations"


@pytest.fixture
def file(talk: Talk, tmp_path: Path) -> Iterator[Path]:
    """Yield the file of rules that the service looks at; what it says is in force at the next look."""
    talk.shop.rules.file = tmp_path / "rules.yaml"
    yield talk.shop.rules.file
    talk.shop.rules.file = None
    talk.shop.rules.book.put(None)


def put(talk: Talk, file: Path, *rules: str) -> None:
    file.write_text("version: 1\nrules:\n" + "".join(f"- {{{rule}}}\n" for rule in rules), encoding="utf-8")
    assert talk.shop.rules.look(talk.shop)


def ids(talk: Talk, path: str = PATH, **asked: object) -> list[str]:
    return [one["item_id"] for one in talk.get(path, params=asked).json()["items"]]


def test_what_is_left_out_is_on_no_way(talk: Talk, file: Path) -> None:
    catalogue = talk.shop.serving.model.catalogue
    brands = catalogue.dimensions["brand"]
    page = ids(talk)[0]
    out = brands.values[brands.value_rows[brands.offsets[catalogue.row_of[ids(talk, k=2)[1]]]]]
    put(
        talk,
        file,
        f"name: out, items: {{brand: '{out}'}}, exclude: true",
        f"name: pin, items: {{brand: '{out}'}}, pin: 1",
    )
    gone = {
        item
        for row, item in enumerate(catalogue.item_ids)
        if out
        in [brands.values[one] for one in brands.value_rows[brands.offsets[row] : brands.offsets[row + 1]]]
    }
    ways: list[tuple[str, dict[str, object]]] = [
        (PATH, {"k": 50}),
        (PATH, {"k": 50, "repeat": True}),
        (PATH, {"k": 20, "placement": "item", "item_id": page}),
        (PATH, {"k": 20, "placement": "cart", "item_id": page}),
        (PATH, {"k": 20, "explain": "full"}),
        ("/v1/shoppers/somebody-unknown/recommendations", {"k": 50}),
        ("/v1/recommendations", {"k": 50}),
        ("/v1/search", {"q": catalogue.title(catalogue.row_of[page]), "k": 50, "shopper": "s-1"}),
        ("/v1/search", {"q": next(iter(catalogue.dimensions["category"].values)), "k": 50, "sort": "price"}),
        *((f"/v1/items/{item}/similar", {"k": 30}) for item in [page, next(iter(gone))]),
    ]
    for path, asked in ways:
        found = ids(talk, path, **asked)
        assert found
        assert not gone & set(found), path
    assert out not in ids(talk, k=50, of="brand")
    talk.shop.settings = replace(talk.shop.settings, exploration=0.9)
    for _ in range(10):
        assert not gone & set(ids(talk, k=20))


def test_a_list_has_another_tag_when_the_rules_are_others(talk: Talk, file: Path) -> None:
    tag = talk.get(PATH).headers["etag"]
    put(talk, file, "name: a, items: {price: {max: 100000}}, boost: 1")
    assert talk.get(PATH, headers={"If-None-Match": tag}).status_code == 200


def test_rules_read_the_channel_and_the_placement(talk: Talk, file: Path) -> None:
    before = ids(talk, k=3)
    put(
        talk,
        file,
        f"name: a, when: {{channel: app, placement: home}}, items: {{item_id: {before[0]}}}, exclude: true",
    )
    assert before[0] in ids(talk, k=3)
    assert before[0] not in ids(talk, k=3, channel="app")


def test_a_pin_keeps_its_place_beside_what_the_page_shows_and_what_is_drawn(talk: Talk, file: Path) -> None:
    listed = ids(talk, k=10)
    put(talk, file, f"name: pin, items: {{item_id: {listed[8]}}}, pin: 3, reason: {{en: Our pick}}")
    assert ids(talk, k=5, placement="item", item_id=listed[0])[2] == listed[8]
    talk.shop.settings = replace(talk.shop.settings, exploration=0.5)
    third = talk.get(PATH, params={"k": 5}).json()["items"][2]
    assert (third["item_id"], third["propensity"]) == (listed[8], 1.0)
    assert {"kind": "rule", "rule": "pin", "type": "pin", "text": "Our pick"}.items() <= third["reasons"][
        -1
    ].items()


def test_rules_over_the_whole_profile_are_asked_of_it(talk: Talk, file: Path) -> None:
    first = ids(talk)[0]
    put(
        talk,
        file,
        f"name: a, when: {{profile: {{orders: {{min: 0}}}}}}, items: {{item_id: {first}}}, exclude: true",
    )
    assert first not in ids(talk)
    nobody = ids(talk, "/v1/recommendations", k=1)[0]
    put(
        talk,
        file,
        f"name: a, when: {{profile: {{known: true}}}}, items: {{item_id: {nobody}}}, exclude: true",
    )
    assert nobody in ids(talk, "/v1/recommendations", k=5)


def test_a_broken_file_keeps_the_rules_before_it(talk: Talk, file: Path) -> None:
    first = ids(talk)[0]
    put(talk, file, f"name: a, items: {{item_id: {first}}}, exclude: true")
    file.write_text("version: 1\nrules: [", encoding="utf-8")
    assert not talk.shop.rules.look(talk.shop)
    shown = talk.get("/v1/rules").json()
    assert ([rule["name"] for rule in shown["rules"]], shown["error"]["kind"]) == (["a"], "RulesError")
    assert first not in ids(talk)
    file.unlink()
    assert not talk.shop.rules.look(talk.shop)
    assert first not in ids(talk)
    put(talk, file, f"name: b, items: {{item_id: {first}}}, boost: 1")
    assert (talk.get("/v1/rules").json()["error"], ids(talk)[0]) == (None, first)


def test_rules_stay_when_the_catalogue_changes(talk: Talk, file: Path) -> None:
    first = ids(talk)[0]
    put(talk, file, f"name: a, items: {{item_id: {first}}}, exclude: true")
    model = talk.shop.serving.model
    talk.shop.serving = replace(talk.shop.serving, model=model.with_items([]))
    assert first not in ids(talk)


def test_rules_are_checked_and_tried_without_being_in_force(talk: Talk) -> None:
    first = ids(talk)[0]
    text = f"version: 1\nrules:\n- {{name: 排除, items: {{item_id: {first}}}, exclude: true}}\n".encode()
    checked = talk.client.post("/v1/rules/check", content=text).json()
    tried = talk.client.post("/v1/rules/try?shoppers=10&k=5", content=text).json()
    assert (checked["rules"], checked["problems"]) == (1, [])
    assert tried["n_lists"] == 11
    assert 1 <= tried["n_changed"] <= 11
    assert any(first in change["went"] and change["why"][first] == ["排除"] for change in tried["changes"])
    assert ids(talk)[0] == first


@pytest.mark.parametrize("way", ["check", "try"])
def test_wrong_rules_are_refused_with_their_line(talk: Talk, way: str) -> None:
    answer = talk.client.post(f"/v1/rules/{way}", content=b"version: 1\nrules:\n- {name: a, exlude: true}\n")
    assert (answer.status_code, answer.json()["line"], answer.json()["value"]) == (422, 3, "exlude")
    assert talk.client.post(f"/v1/rules/{way}", content=b"#" * (1 << 21)).status_code in (413, 422)


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "/check"), ("POST", "/try")])
def test_only_an_admin_sees_rules(talk: Talk, method: str, path: str) -> None:
    answer = talk.client.request(method, f"/v1/rules{path}", headers={"Authorization": ""})
    assert answer.status_code == 401
