"""Items that join, change and go while a model is in use."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import huaxiang as hx
from huaxiang.config import read_settings
from huaxiang.encoders.items import encode_texts
from huaxiang.fusion import Parts
from huaxiang.journey import relearn
from huaxiang.model import Model, load
from huaxiang.records import Event, EventType, Item, Text
from huaxiang.serve.importing import item_records
from huaxiang.shop.read import read_shop

NEW = Item(
    item_id="newcomer",
    texts={"en": Text(title="Red leather ankle boots"), "zh": Text(title="红色真皮短靴")},
    price_minor=30000,
    currency="CNY",
)


def record(model: Model, row: int) -> Item:
    return item_records(model)[row]


def listed(model: Model, shopper_id: str, k: int = 60) -> list[str]:
    return [one.item_id for one in model.recommend(shopper_id, k=k, repeat=True).items]


def somebody(model: Model) -> str:
    return model.shop.events["shopper_id"].mode().sort()[0]


def favourite(model: Model) -> int:
    """Return the row of the item that heads somebody's list."""
    return model.catalogue.row_of[listed(model, somebody(model))[0]]


def test_a_new_item_is_listed_for_who_likes_its_kind(small_model: Model) -> None:
    like = record(small_model, favourite(small_model))
    twin = replace(like, item_id="twin", group_id="twin")
    assert "twin" in listed(small_model.with_items([twin]), somebody(small_model), k=10)


def test_a_new_item_is_similar_to_its_kind_and_they_to_it(small_model: Model) -> None:
    like = record(small_model, 0)
    changed = small_model.with_items([replace(like, item_id="twin", group_id="twin")])
    assert (
        like.group_id
        == item_records(changed)[
            changed.catalogue.row_of[changed.similar("twin", k=1).items[0].item_id]
        ].group_id
    )
    assert "twin" in [one.item_id for one in changed.similar(like.item_id, k=3).items]


def test_a_sold_out_item_is_no_longer_listed_and_comes_back(small_model: Model) -> None:
    row = favourite(small_model)
    item = record(small_model, row)
    sold_out = small_model.with_items([replace(item, in_stock=False)])
    assert item.item_id not in listed(sold_out, somebody(small_model))
    again = sold_out.with_items([item])
    assert listed(again, somebody(small_model)) == listed(small_model, somebody(small_model))
    assert again.catalogue.version == small_model.catalogue.version != sold_out.catalogue.version


def test_a_removed_item_is_not_listed_even_by_a_shop_that_lists_what_is_sold_out(small_model: Model) -> None:
    item = record(small_model, favourite(small_model))
    rules = replace(small_model.settings.ranking.rules, in_stock_only=False)
    ranking = replace(small_model.settings.ranking, rules=rules)
    lenient = replace(small_model, settings=replace(small_model.settings, ranking=ranking))
    sold_out = lenient.with_items([replace(item, in_stock=False)])
    assert item.item_id in listed(sold_out, somebody(small_model))
    removed = lenient.with_items([], removed=[item.item_id])
    assert item.item_id not in listed(removed, somebody(small_model))
    assert item.item_id not in listed(removed.with_items([NEW]), somebody(small_model))
    assert item.item_id in listed(removed.with_items([item]), somebody(small_model))


def test_vectors_are_those_of_building_them_all_again(small_model: Model) -> None:
    changed = record(small_model, 3)
    reworded = replace(changed, texts={**changed.texts, "en": Text(title="Blue denim jacket")})
    now = small_model.with_items([NEW, reworded])
    texts = encode_texts(now.shop.items, now.shop.languages, now.text_encoder).vectors_ID
    np.testing.assert_allclose(now.vectors["text"], texts, atol=1e-5)
    np.testing.assert_allclose(now.vectors["fused"], now.fusion.fuse(Parts.of({"text": texts})), atol=1e-5)


def test_the_model_before_stays_as_it_was(small_model: Model) -> None:
    before = (listed(small_model, somebody(small_model)), small_model.catalogue.version)
    vectors = {space: array.copy() for space, array in small_model.vectors.items()}
    item = record(small_model, 3)
    small_model.with_items(
        [NEW, replace(item, texts={"en": Text(title="other")}, price_minor=1)], removed=["x"]
    )
    assert (listed(small_model, somebody(small_model)), small_model.catalogue.version) == before
    assert all((small_model.vectors[space] == array).all() for space, array in vectors.items())


def test_a_stock_change_shares_everything_else(small_model: Model) -> None:
    changed = small_model.with_items([replace(record(small_model, 0), in_stock=False)])
    shared = ("vectors", "population", "recommenders", "states", "contents")
    assert all(getattr(changed, name) is getattr(small_model, name) for name in shared)


def test_a_price_change_moves_its_band_and_keeps_what_everybody_likes(small_model: Model) -> None:
    item = record(small_model, 0)
    dear = small_model.with_items([replace(item, price_minor=10_000_000)])
    band = dear.catalogue.dimensions["price_band"]
    assert band.values[band.value_rows[band.offsets[0]]] == "premium"
    assert dear.catalogue.price_minor[0] == 10_000_000
    np.testing.assert_allclose(dear.population.shares(), small_model.population.shares())


def test_what_a_new_item_leaves_unsaid_is_inferred_with_confidence(small_model: Model) -> None:
    catalogue = small_model.with_items([NEW]).catalogue
    row, colour = catalogue.row_of["newcomer"], catalogue.dimensions["colour"]
    entry = colour.offsets[row]
    assert colour.values[colour.value_rows[entry]] == "red"
    assert colour.is_inferred[entry] and 0 < colour.confidence[entry] < 1


def test_the_order_in_which_items_join_makes_no_difference(small_model: Model) -> None:
    more = [replace(record(small_model, row), item_id=f"copy-{row}", group_id=f"g-{row}") for row in range(4)]
    together = small_model.with_items([*more, NEW])
    one_by_one = small_model
    for item in [*more, NEW]:
        one_by_one = one_by_one.with_items([item])
    assert one_by_one.catalogue.version == together.catalogue.version
    assert listed(one_by_one, somebody(small_model)) == listed(together, somebody(small_model))


def test_a_shopper_may_act_on_a_new_item_at_once(small_model: Model) -> None:
    changed = small_model.with_items([NEW])
    now = small_model.newest
    for item_id in ("newcomer", record(small_model, 0).item_id):
        event = Event(
            event_id=item_id, shopper_id="somebody", type=EventType.PURCHASE, item_id=item_id, occurred_at=now
        )
        changed.learn(event)
    assert changed.profile("somebody").n_events == 2
    assert "newcomer" not in [one.item_id for one in changed.recommend("somebody", k=60).items]


def test_a_changed_model_can_be_kept(small_model: Model, tmp_path: Path) -> None:
    changed = small_model.with_items([NEW], removed=[record(small_model, 0).item_id])
    changed.save(tmp_path / "run")
    assert listed(load(tmp_path / "run"), somebody(small_model)) == listed(changed, somebody(small_model))


@pytest.fixture
def seeing_model(small_build: object, cache: Path) -> Model:
    settings = read_settings(changes=["recommend.members=['popular','neighbours']"])
    return hx.fit(read_shop(small_build.shop), settings, cache=cache)  # type: ignore[attr-defined]


@pytest.mark.slow
def test_a_photo_gives_a_new_item_its_look(seeing_model: Model, tmp_path: Path) -> None:
    photo = tmp_path / "boots.png"
    Image.new("RGB", (120, 120), (200, 20, 20)).save(photo)
    item = replace(NEW, images=("boots",))
    by_path = seeing_model.with_items([item], photos={"boots": photo})
    by_bytes = seeing_model.with_items([item], photos={"boots": photo.read_bytes()})
    blind = seeing_model.with_items([replace(item, images=(str(photo),))])
    row = by_path.catalogue.row_of["newcomer"]
    assert by_path.vectors["image"][row].any()
    np.testing.assert_array_equal(by_path.vectors["fused"][row], by_bytes.vectors["fused"][row])
    assert not blind.vectors["image"][row].any()  # a path in a record is never opened


def test_a_new_item_has_its_edges_in_the_graph_and_was_bought_with_nothing(small_model: Model) -> None:
    now = small_model.with_items([replace(NEW, category=("Shoes", "Boots"), brand="Acme")])
    edges = now.graph.neighbours("newcomer")
    assert ("brand", "Acme") in {(edge.target.dimension, edge.target.id) for edge in edges}
    assert [node.id for node in now.graph.up("newcomer")][1:] == ["Shoes"]
    assert not [edge for edge in edges if edge.origin == "counted"]


def test_what_was_bought_together_is_learnt_anew_without_the_erased(small_model: Model) -> None:
    nobody = replace(small_model.shop, events=small_model.shop.events.clear())
    assert small_model.graph.together.n_shoppers > 0
    assert relearn(small_model, nobody, name="erased").graph.together.n_shoppers == 0
