"""The list of a shop's versions: one is served, the way back is open, and what failed is never served."""

from __future__ import annotations

import pytest

from huaxiang.errors import InputError
from huaxiang.store import Store
from huaxiang.store.models import (
    ModelRow,
    models_of,
    newest_model_change,
    promote_model,
    put_model,
    serving_model,
)


@pytest.fixture(autouse=True)
def versions(store: Store) -> None:
    with store.begin() as tx:
        for number, name in enumerate(("first", "second", "broken")):
            status = "failed" if name == "broken" else "ready"
            put_model(
                tx,
                "shop",
                ModelRow(
                    name=name,
                    folder=f"/runs/{name}",
                    status=status,  # type: ignore[arg-type]
                    metrics={"ndcg@10": 0.25},
                    decision={"promote": True},
                    created_ms=number,
                ),
            )


def statuses(store: Store, shop_id: str = "shop") -> dict[str, str]:
    with store.read() as tx:
        return {row.name: row.status for row in models_of(tx, shop_id)}


def test_one_version_is_served_and_the_one_before_can_come_back(store: Store) -> None:
    for name, other in (("first", "second"), ("second", "first"), ("first", "second")):
        with store.begin() as tx:
            promote_model(tx, "shop", name)
        assert statuses(store) | {"broken": "failed"} == statuses(store)
        assert statuses(store)[name] == "serving" and statuses(store)[other] != "serving"
    with store.read() as tx:
        found = serving_model(tx, "shop")
    assert found is not None
    assert (found.folder, found.metrics, found.decision) == (
        "/runs/first",
        {"ndcg@10": 0.25},
        {"promote": True},
    )


@pytest.mark.parametrize("name", ["broken", "unknown"])
def test_what_failed_or_is_not_there_is_not_served(store: Store, name: str) -> None:
    with store.begin() as tx:
        promote_model(tx, "shop", "first")
    with pytest.raises(InputError, match="second, first"), store.begin() as tx:
        promote_model(tx, "shop", name)
    assert statuses(store)["first"] == "serving"


def test_each_change_has_a_higher_number(store: Store) -> None:
    with store.begin() as tx:
        before = newest_model_change(tx, "shop")
        promote_model(tx, "shop", "first")
        assert newest_model_change(tx, "shop") == before + 1
        assert newest_model_change(tx, "other shop") == 0


def test_another_shop_has_its_own_versions(store: Store) -> None:
    with store.begin() as tx:
        put_model(tx, "other", ModelRow(name="first", folder="/elsewhere", status="ready"))
        promote_model(tx, "other", "first")
    assert statuses(store, "other") == {"first": "serving"}
    assert statuses(store)["first"] == "ready"
