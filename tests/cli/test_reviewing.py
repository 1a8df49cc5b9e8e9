"""`huaxiang reviews`: one item for people and programs, and all of a run."""

from __future__ import annotations

import json
from pathlib import Path

from command_line import call
from huaxiang.model import load


def test_an_item_is_shown_in_both_languages_and_as_json(small_run: Path) -> None:
    item = load(small_run).catalogue.item_ids[0]
    said = call("reviews", "--run", small_run, "--item", item, "--json")
    assert said.code == 0 and said.json["schema"] == "huaxiang.reviews/1" and said.json["item_id"] == item
    for language, word in (("en", "Reviews"), ("zh", "评价")):
        shown = call("reviews", "--run", small_run, "--item", item, "--language", language)
        assert shown.code == 0 and word in shown.out


def test_what_can_not_be_is_refused(small_run: Path) -> None:
    assert call("reviews", "--run", small_run, "--item", "nothing").code == 2
    assert call("reviews", "--run", small_run).code == 2
    assert call("reviews", "--run", small_run, "--item", "x", "--language", "fr").code == 2


def test_all_items_are_written_and_again_from_what_was_read(small_run: Path, tmp_path: Path) -> None:
    first = call("reviews", "--run", small_run, "--out", tmp_path, "--json")
    written = (tmp_path / "insight.jsonl").read_bytes()
    lines = [json.loads(line) for line in written.splitlines()]
    assert first.code == 0 and len(lines) == first.json["n_items"]
    assert sum(line["n_reviews"] for line in lines) == first.json["n_reviews"]
    assert call("reviews", "--run", small_run, "--out", tmp_path).code == 0
    assert (tmp_path / "insight.jsonl").read_bytes() == written
