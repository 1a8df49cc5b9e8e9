"""The command `graph`, and the map that goes out for review and comes back."""

from __future__ import annotations

from pathlib import Path

from command_line import call


def test_the_edges_of_an_item_with_weight_confidence_and_evidence(small_run: Path) -> None:
    said = call("graph", "--run", small_run, "--item", "p000-1", "-k", "3", "--json").json
    assert said["schema"] == "huaxiang.graph/1"
    assert {edge["kind"] for edge in said["edges"]} >= {"value"}
    assert {"kind", "target", "weight", "confidence", "evidence", "origin"} == set(said["edges"][0])
    assert all(edge["evidence"] >= 3 for edge in said["edges"] if edge["origin"] == "counted")


def test_the_edges_of_a_value_in_chinese(small_run: Path) -> None:
    answer = call("graph", "--run", small_run, "--value", "price_band=low", "--language", "zh", "-k", "2")
    assert answer.code == 0, answer.err
    assert "关系" in answer.out


def test_unknown_items_and_values_are_refused_with_a_remedy(small_run: Path) -> None:
    for asked, remedy in (
        (("--item", "none"), "check the id"),
        (("--value", "category=none"), "choose one of"),
        (("--value", "category"), "category=Boots"),
        ((), "--item ID"),
    ):
        answer = call("graph", "--run", small_run, *asked)
        assert answer.code == 2
        assert remedy in answer.err


def test_without_a_taxonomy_there_is_no_map(small_run: Path, tmp_path: Path) -> None:
    answer = call("graph", "map", "--run", small_run, "--out", tmp_path / "map.csv")
    assert answer.code == 2
    assert "text.taxonomy" in answer.err
