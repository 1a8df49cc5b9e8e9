"""What completes an item, what replaces it, and where it belongs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from huaxiang.errors import ArtefactError, InputError, UnknownItemError
from huaxiang.knowledge.graph import Config, Graph, count_together, learn_view, tree_of
from huaxiang.knowledge.graph.stored import load_graph, save_graph
from huaxiang.shop.catalogue import build_catalogue
from knowledge.graph.small_graph import PATHS, shop_of

LIKENESS = np.array(
    [[1, 0, 0], [0.8, 0.6, 0], [0, 0, 1], [0, 0.6, 0.8], [0.6, 0.8, 0], [0, 1, 0]], dtype=np.float32
)


def graph(paths: tuple[tuple[str, ...], ...] = PATHS) -> Graph:
    boots_and_tents = [*((f"s-{n}", [0, 2, 4]) for n in range(4)), *((f"t-{n}", [1]) for n in range(16))]
    shop = shop_of(paths, boots_and_tents)
    return Graph(catalogue=build_catalogue(shop), together=count_together(shop), vectors_ID=LIKENESS)


def test_a_tent_completes_the_boots_it_is_bought_with() -> None:
    found = graph().complements("i-0")
    assert [(edge.target.id, edge.evidence) for edge in found] == [("i-2", 4)]
    assert found[0].weight == pytest.approx((4 + 5) / (4 * 4 / 20 + 5))
    assert found[0].confidence == pytest.approx(4 / 7)


def test_other_boots_replace_boots_and_do_not_complete_them() -> None:
    assert [edge.target.id for edge in graph().substitutes("i-0")] == ["i-4"]
    assert "i-4" not in [edge.target.id for edge in graph().complements("i-0")]
    assert {edge.target.id for edge in graph().neighbours("i-0") if edge.kind == "bought_together"} == {
        "i-2",
        "i-4",
    }


@pytest.mark.parametrize(
    ("of", "to", "relation"), [(2, 0, "complement"), (4, 0, "substitute"), (1, 0, None), (3, 0, None)]
)
def test_how_two_items_stand_to_each_other(of: int, to: int, relation: str | None) -> None:
    assert graph().relation(of, to) == relation


def test_an_item_in_no_category_is_replaced_by_what_it_is_like() -> None:
    assert graph().up("i-5") == []
    assert [edge.target.id for edge in graph().substitutes("i-5")] == ["i-4", "i-1", "i-3"]


def test_the_way_up_from_an_item() -> None:
    assert [node.id for node in graph().up("i-0")] == ["Boots", "Shoes", "Home"]


def test_a_value_is_joined_to_its_families_and_items() -> None:
    edges = graph().of_value("category", "Boots")
    assert [(edge.kind, edge.target.id) for edge in edges] == [
        ("family", "Shoes"),
        ("family", "Home"),
        ("value", "i-0"),
        ("value", "i-4"),
    ]
    below = [edge.target.id for edge in graph().of_value("family", "Shoes") if edge.kind == "value"]
    assert below == ["Boots", "Sandals"]


def test_what_is_unknown_is_refused_with_what_there_is() -> None:
    with pytest.raises(UnknownItemError, match="check the id"):
        graph().complements("none")
    with pytest.raises(InputError, match="Boots"):
        graph().of_value("category", "Bots")
    with pytest.raises(InputError, match="category"):
        graph().of_value("categories", "Boots")
    with pytest.raises(InputError, match="Shoes"):
        graph().of_value("family", "Shoe")
    with pytest.raises(InputError, match="1 or more"):
        graph().neighbours("i-0", k=0)


def test_what_is_kept_reads_back_the_same(tmp_path: Path) -> None:
    one = graph()
    view = learn_view(one.catalogue, one.tree, Config().vectors)
    assert view is not None
    save_graph(one.together, view, tmp_path)
    together, again = load_graph(tmp_path)
    assert again is not None
    assert (together.shoppers_II != one.together.shoppers_II).nnz == 0
    np.testing.assert_array_equal(
        again.vectors(one.catalogue, one.tree), view.vectors(one.catalogue, one.tree)
    )


@pytest.mark.parametrize("damage", ["{}", '{"version": 99}', "no"])
def test_a_damaged_or_newer_graph_is_refused(tmp_path: Path, damage: str) -> None:
    save_graph(graph().together, None, tmp_path)
    (tmp_path / "graph.json").write_text(damage)
    with pytest.raises(ArtefactError):
        load_graph(tmp_path)


def test_items_of_a_kind_are_near_in_the_graph_and_an_item_without_edges_is_nowhere() -> None:
    catalogue = build_catalogue(shop_of())
    view = learn_view(catalogue, tree_of(catalogue), Config().vectors)
    assert view is not None
    found_ID = view.vectors(catalogue, tree_of(catalogue))
    cosine_II = found_ID @ found_ID.T
    assert cosine_II[0, 4] == pytest.approx(1, abs=1e-5)
    assert cosine_II[0, 1] > cosine_II[0, 2]
    assert not found_ID[5].any()


def test_a_newcomer_has_the_vector_of_its_edges_alone() -> None:
    before = build_catalogue(shop_of())
    view = learn_view(before, tree_of(before), Config().vectors)
    assert view is not None
    now = build_catalogue(shop_of([*PATHS, ("Home", "Shoes", "Boots"), ("Garden", "Rakes")]))
    found_ID = view.vectors(now, tree_of(now))
    np.testing.assert_allclose(found_ID[6], found_ID[0], atol=1e-6)
    assert not found_ID[7].any()
