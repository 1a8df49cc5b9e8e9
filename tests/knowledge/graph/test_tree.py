"""Families of categories, whatever their paths look like."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from huaxiang.knowledge.graph.tree import Tree, tree_of
from huaxiang.shop.catalogue import build_catalogue
from knowledge.graph.small_graph import shop_of


def above(tree: Tree, category: str) -> list[str]:
    return [tree.names[row] for row in tree.families_of(tree.category_row_of[category])]


def test_boots_and_sandals_are_shoes() -> None:
    tree = tree_of(build_catalogue(shop_of()))
    assert above(tree, "Boots") == above(tree, "Sandals") == ["Shoes", "Home"]
    assert [tree.categories[row] for row in tree.categories_of(tree.row_of["Shoes"])] == ["Boots", "Sandals"]


def test_a_path_that_runs_in_a_ring_names_each_thing_once() -> None:
    tree = tree_of(build_catalogue(shop_of([("Shoes", "Sale", "Shoes"), ("Sale", "Shoes", "Sale")])))
    assert above(tree, "Shoes") == ["Sale (2)"]  # not the category that is called Sale
    assert all(row not in tree.up(row) for row in range(tree.n_families))


def test_a_parent_without_a_line_of_its_own_is_made_from_the_paths_below() -> None:
    tree = tree_of(build_catalogue(shop_of([("A", "B", "C")])))
    assert tree.paths == ["A", "A > B"]


def test_families_of_one_name_keep_apart() -> None:
    tree = tree_of(build_catalogue(shop_of([("Men", "Shoes", "Boots"), ("Women", "Shoes", "Heels")])))
    assert above(tree, "Boots") == ["Men > Shoes", "Men"]
    assert above(tree, "Heels") == ["Women > Shoes", "Women"]


def test_a_shop_without_categories_has_no_families() -> None:
    assert tree_of(build_catalogue(shop_of([(), ()]))).n_families == 0


def test_flat_categories_belong_where_most_of_their_items_were_mapped() -> None:
    places = ["Wear > Shoes > Boots", "Wear > Shoes > Snow Boots", "Wear > Hats"]
    shop = shop_of([("boots",), ("boots",), ("hat",)], places=places)
    tree = tree_of(build_catalogue(shop))
    assert above(tree, "boots") == ["Shoes", "Wear"]
    assert above(tree, "hat") == ["Wear"]  # "Hats" is the category itself
    assert tree.is_inferred.all()


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=4).map(tuple), max_size=8))
def test_every_way_up_ends_and_names_nothing_twice(paths: list[tuple[str, ...]]) -> None:
    tree = tree_of(build_catalogue(shop_of(paths)))
    for category in tree.categories:
        names = above(tree, category)
        assert len(names) == len(set(names))
    assert len(set(tree.names)) == tree.n_families
