"""Relevance that is learnt from judged pairs orders what it never saw, and is the same once stored."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from huaxiang.encoders.finetuning.judged import Judged
from huaxiang.encoders.finetuning.pairs import Pairs
from huaxiang.encoders.hashed import HashedEncoder
from huaxiang.errors import ArtefactError, SettingsError
from huaxiang.records import Matrix
from huaxiang.search.learnt.lesson import Config, Taught, learn_relevance
from huaxiang.search.learnt.relevance import SETTINGS, Relevance
from huaxiang.search.learnt.trees import Trees, write_trees

THINGS = ("ladder", "bucket", "mug", "rope", "shelf", "lamp")
COLOURS = ("red", "blue", "green", "white", "black")
TITLES = [f"{colour} {thing}" for thing in THINGS for colour in COLOURS]
SMALL = Config(n_trees=40, n_leaves=4, least_rows=5, seeds=1, ridge=1.0, senses=4, n_unjudged=4)


def encode(texts: Sequence[str]) -> Matrix:
    return HashedEncoder(dimensions=32).encode(list(texts)).vectors_ID


def judged(queries: Sequence[str]) -> Judged:
    """Every title for every query: 3 for both words, 2 for the thing alone, 1 otherwise."""
    rows = [(query, title) for query in queries for title in TITLES]
    relevance = [3.0 if q == t else 2.0 if q.split()[1] == t.split()[1] else 1.0 for q, t in rows]
    return Judged.of(
        Pairs(
            file="f",
            queries=tuple(query for query, _ in rows),
            products=tuple(title for _, title in rows),
            relevance_N=np.array(relevance),
            lines=np.arange(len(rows)),
        )
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("relevance")


@pytest.fixture(scope="module")
def taught(folder: Path) -> Taught:
    pytest.importorskip("lightgbm", reason="needs the extra train")
    pytest.importorskip("onnx", reason="needs the extra train")
    known = judged([title for title in TITLES if not title.startswith("black")])
    return learn_relevance(known, TITLES, encode(TITLES), encode=encode, folder=folder, config=SMALL)


def ordered(relevance: Relevance, query: str, titles: Sequence[str] = TITLES) -> list[str]:
    asked = relevance.ask(query)
    offered = relevance.offer(titles, encode(titles))
    scores = relevance.scores(
        asked, encode([asked.text])[0], np.arange(len(titles)), offered=offered, order="graded"
    )
    return [titles[row] for row in np.argsort(-scores, kind="stable")]


@pytest.mark.parametrize("thing", ["ladder", "lamp", "mug"])
def test_a_query_that_nobody_judged_finds_its_title_first(taught: Taught, thing: str) -> None:
    best = ordered(taught.relevance, f"black {thing}")[:5]
    assert best[0] == f"black {thing}"
    assert sum(thing in title for title in best) >= 3


def test_titles_that_came_later_are_ordered_too(taught: Taught) -> None:
    assert ordered(taught.relevance, "red wheelbarrow", [*TITLES, "red wheelbarrow"])[0] == "red wheelbarrow"


def test_a_stored_relevance_says_the_same(taught: Taught, folder: Path) -> None:
    loaded = Relevance.load(folder)
    assert ordered(loaded, "black rope") == ordered(taught.relevance, "black rope")


def test_a_search_lists_the_best_first(taught: Taught) -> None:
    relevance = taught.relevance
    asked = relevance.ask("black mugz")
    offered = relevance.offer(TITLES, encode(TITLES))
    found = relevance.search(asked, encode([asked.text])[0], offered=offered, n=3)
    assert TITLES[found[0]].endswith("mug")
    assert len(found) == 3


def test_the_shares_of_all_features_are_one(taught: Taught) -> None:
    assert sum(taught.importance["graded"].values()) == pytest.approx(1)


def test_trees_say_in_onnx_what_they_said_in_lightgbm(tmp_path: Path) -> None:
    lightgbm = pytest.importorskip("lightgbm", reason="needs the extra train")
    pytest.importorskip("onnx", reason="needs the extra train")
    rng = np.random.default_rng(0)
    features = rng.integers(0, 5, (300, 4)).astype(np.float32) / 3
    worth = features[:, 0] * features[:, 1] - features[:, 2]
    data = lightgbm.Dataset(features, worth, free_raw_data=False)
    settings = {"verbose": -1, "num_threads": 1, "min_data_in_leaf": 5}
    boosters = [lightgbm.train({**settings, "seed": seed}, data, 12) for seed in range(2)]
    write_trees(boosters, 4, tmp_path / "trees.onnx")
    expected = np.mean([one.predict(features) for one in boosters], axis=0)
    np.testing.assert_allclose(Trees(tmp_path / "trees.onnx").scores(features), expected, atol=1e-5)


def test_a_folder_without_a_relevance_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="no learnt relevance"):
        Relevance.load(tmp_path)


def test_a_newer_relevance_is_refused(taught: Taught, folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    said = (tmp_path / SETTINGS).read_text(encoding="utf-8").replace('"version": 1', '"version": 2')
    (tmp_path / SETTINGS).write_text(said.replace('"version":1', '"version":2'), encoding="utf-8")
    with pytest.raises(ArtefactError, match="newer version"):
        Relevance.load(tmp_path)


@pytest.mark.parametrize("wrong", [{"n_trees": 0}, {"line_share": 1.5}, {"ridge": 0.0}, {"n_unjudged": -1}])
def test_settings_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match="out of range"):
        Config(**wrong)  # type: ignore[arg-type]
