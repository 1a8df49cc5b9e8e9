"""Lists of items, brands and price bands, on a shop written out."""

from dataclasses import replace

import numpy as np
import pytest

from huaxiang.errors import InputError
from huaxiang.ranking.base import Deeds, Occasion, Shelf
from huaxiang.ranking.rank import Config
from huaxiang.ranking.removal import audit_reasons
from huaxiang.ranking.stated import Said, Stated
from huaxiang.recommend.base import Recommender
from huaxiang.recommend.histories import histories_of
from huaxiang.recommend.lists import Asker, claims_of, list_items, list_values
from huaxiang.recommend.neighbours import Neighbours
from huaxiang.recommend.popular import Popular
from huaxiang.shop.catalogue import Catalogue, Dimension
from recommend.small_shops import catalogue_of, training_of

SEQUENCES = [[0, 1, 2], [0, 1, 2], [3, 4, 5], [3, 4, 5], [0, 2, 1]]
BRAND_OF = np.array([0, 0, 0, 1, 1, 1], dtype=np.int32)


def catalogue() -> Catalogue:
    brands = Dimension(
        name="brand",
        values=("Hill", "Sea"),
        labels={"zh": ("山", "海")},
        offsets=np.arange(7, dtype=np.int64),
        value_rows=BRAND_OF,
        weights=np.ones(6, dtype=np.float32),
        confidence=np.ones(6, dtype=np.float32),
        is_inferred=np.zeros(6, dtype=bool),
    )
    return replace(catalogue_of(6), dimensions={"brand": brands})


def shelf() -> Shelf:
    return Shelf(catalogue=catalogue(), vectors_ID=np.eye(6, dtype=np.float32))


def recommender() -> Recommender:
    return Neighbours().fit(training_of(SEQUENCES, n_items=6))


def asker(items: list[int], *, stated: Stated | None = None) -> Asker:
    history = histories_of([items])
    deeds = Deeds(
        event_ids=[f"e{row}" for row in range(len(items))],
        types=history.types,
        item_rows=history.item_rows,
        texts=[None] * len(items),
    )
    return Asker(history=history, deeds=deeds, had_rows=history.item_rows, stated=stated or Stated())


def test_each_item_is_given_the_event_it_goes_with() -> None:
    listed = list_items(recommender(), asker([3, 0]), shelf(), k=2, config=Config(variety=0))
    assert {row.item_id for row in listed.rows} <= {"i1", "i2", "i4", "i5"}
    for row in listed.rows:
        same_tribe = "i0" if row.item_id in ("i1", "i2") else "i3"
        assert row.reasons[0].item_id == same_tribe


def test_reasons_speak_the_language_asked_for() -> None:
    listed = list_items(recommender(), asker([0]), shelf(), k=1, occasion=Occasion(language="zh"))
    assert listed.rows[0].reasons[0].text.startswith("因为您买过")


def test_somebody_unknown_is_served_and_told_so() -> None:
    popular = Popular().fit(training_of(SEQUENCES, n_items=6))
    listed = list_items(popular, asker([]), shelf(), k=2)
    assert len(listed.rows) == 2
    assert "nothing known" in listed.degraded[0]
    assert {reason.kind for row in listed.rows for reason in row.reasons} == {"impersonal"}


def test_brands_are_listed_by_what_their_items_score() -> None:
    listed = list_values(recommender(), asker([0]), catalogue(), of="brand", k=2)
    assert [row.item_id for row in listed.rows] == ["Hill"]
    assert listed.rows[0].score == pytest.approx(1)
    assert listed.rows[0].reasons[0].event_id == "e0"


def test_values_are_called_as_the_language_calls_them() -> None:
    listed = list_values(recommender(), asker([3]), catalogue(), of="brand", k=1, language="zh")
    assert listed.rows[0].title == "海"


def test_a_refused_brand_is_not_listed() -> None:
    refused = Stated(refused=(Said(dimension="brand", value="Hill"),))
    listed = list_values(recommender(), asker([0, 3], stated=refused), catalogue(), of="brand", k=2)
    assert [row.item_id for row in listed.rows] == ["Sea"]


def test_a_dimension_the_shop_lacks_is_an_error_that_names_the_others() -> None:
    with pytest.raises(InputError, match="item, brand"):
        list_values(recommender(), asker([0]), catalogue(), of="taste", k=2)


def test_what_reasons_claim_stands_when_it_is_removed() -> None:
    claims = [
        claim
        for items in ([3, 0], [0, 3], [4, 1], [1, 5])
        for claim in claims_of(recommender(), asker(items), np.setdiff1d(np.arange(6), items))
    ]
    audit = audit_reasons(claims, rng=np.random.default_rng(2))
    assert audit.n_comparable > 8
    assert (audit.share_lowered, audit.share_above_random) == (1, 1)
