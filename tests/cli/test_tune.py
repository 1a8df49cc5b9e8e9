"""`tune` from the command line: what it writes is taken by build and benchmark, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from command_line import Answer, call
from huaxiang.cli.tuning import with_found
from huaxiang.config import Settings, read_settings, recommenders_named, settings_from
from huaxiang.evaluate.amazon import benchmark, recommender_for

if TYPE_CHECKING:
    from conftest import SmallBuild

QUICK = ("--minutes", "60", "--trials", "8", "--json")


@pytest.fixture
def sequences(tmp_path: Path, cache: Path) -> Path:
    """Return a folder of sequences that mostly walk around a ring of thirty items."""
    rng = np.random.default_rng(2)
    steps = np.cumsum(rng.choice([1, 1, 1, 2, 7], size=(320, 7)), axis=1)
    lines = [" ".join([f"u{n}", *(f"i{(n + step) % 30}" for step in own)]) for n, own in enumerate(steps)]
    folder = tmp_path / "ring"
    folder.mkdir()
    (folder / "sequences.txt").write_text("\n".join(lines))
    return folder


def tune(shop: Path, out: Path, *more: str | Path) -> Answer:
    return call("tune", "--shop", shop, "--out", out, *QUICK, *more)


def test_sequences_are_tuned_as_the_benchmark_splits_them(
    sequences: Path, tmp_path: Path, cache: Path
) -> None:
    out = tmp_path / "settings.toml"
    said = tune(sequences, out).json
    assert said["schema"] == "huaxiang.tune/1"
    assert (said["n_shoppers"], said["n_checked"]) == (213, 107)
    assert [way["name"] for way in said["models"]] == ["neighbours", "closed_form"]
    for way in said["models"]:
        assert len(way["trials"]) == 8
        assert way["best"]["ndcg@10"] >= way["start"]["ndcg@10"]
    named = recommenders_named(out)
    measured = benchmark(
        sequences, protocol="masked", models=("neighbours", "closed_form"), settings=named, cache=cache
    )
    defaults = benchmark(sequences, protocol="masked", models=("neighbours", "closed_form"), cache=cache)
    assert measured["settings"]["neighbours"] == json.loads(json.dumps(measured["settings"]["neighbours"]))
    for way, ours, theirs in zip(said["models"], measured["models"], defaults["models"], strict=True):
        everybody = ours["validation"]["ndcg@10"] - theirs["validation"]["ndcg@10"]
        searched = way["best"]["ndcg@10"] - way["start"]["ndcg@10"]
        gained = (searched * 213 + way["gain"]["mean"] * 107) / 320
        assert everybody == pytest.approx(gained if way["kept"] else 0.0)


def test_the_report_is_kept_as_json_and_picture(sequences: Path, tmp_path: Path) -> None:
    out = tmp_path / "settings.toml"
    said = tune(sequences, out, "--models", "neighbours").json
    folder = tmp_path / "settings.toml.search"
    kept = json.loads((folder / "report.json").read_text())
    assert kept["models"] == said["models"]
    with Image.open(folder / "report.png") as picture:
        assert picture.width > 500


def test_a_table_is_drawn(sequences: Path, tmp_path: Path) -> None:
    more = ("--models", "neighbours", "--minutes", "60", "--trials", "2")
    drawn = call("tune", "--shop", sequences, "--out", tmp_path / "s.toml", *more).out
    assert all(word in drawn for word in ("neighbours", "213 shoppers searched on", "report.json"))


def test_the_same_command_goes_on_and_another_shop_is_refused(sequences: Path, tmp_path: Path) -> None:
    out = tmp_path / "settings.toml"
    first = tune(sequences, out, "--models", "neighbours").json["models"][0]
    longer = tune(sequences, out, "--models", "neighbours", "--trials", "10").json["models"][0]
    assert longer["trials"][:8] == first["trials"]
    assert len(longer["trials"]) == 10
    text = (sequences / "sequences.txt").read_text()
    (sequences / "sequences.txt").write_text(text + "\nu999 i1 i2 i3 i4")
    answer = tune(sequences, out, "--models", "neighbours")
    assert answer.code == 2
    assert "of another shop" in answer.err
    assert "--out" in answer.err


def test_unmasked_keeps_what_the_protocol_asks_for_out_of_the_file(sequences: Path, tmp_path: Path) -> None:
    out = tmp_path / "settings.toml"
    said = tune(sequences, out, "--models", "closed_form", "--protocol", "unmasked").json
    assert said["protocol"] == "unmasked"
    found = read_settings(out).recommend.closed_form
    assert found.zero_diagonal is Settings().recommend.closed_form.zero_diagonal
    held: Any = recommender_for("closed_form", "unmasked", {"closed_form": found})
    assert held.config.zero_diagonal


def test_a_shop_is_tuned_and_built_with_what_was_found(small_build: SmallBuild, tmp_path: Path) -> None:
    base = tmp_path / "base.toml"
    base.write_text(
        'seed = 3\n[image]\nencoder = "none"\n[recommend]\nmembers = ["popular", "own_frequency"]\n'
    )
    out = tmp_path / "settings.toml"
    models = "popular,own_frequency,neighbours,closed_form,ease"
    said = tune(small_build.shop, out, "--models", models, "--settings", base, "--protocol", "unmasked").json
    assert said["n_windows"] > 1
    settings = read_settings(out)
    assert (settings.seed, settings.recommend.members) == (3, ("popular", "own_frequency"))
    assert settings.recommend.ease.way == "symmetric"
    for way in said["models"]:
        kept = getattr(settings.recommend, way["name"])
        assert {name: getattr(kept, name) for name in way["found"]} == way["found"]
    built = call("build", "--shop", small_build.shop, "--out", tmp_path / "run", "--settings", out, "--json")
    assert built.code == 0, built.err
    assert read_settings(tmp_path / "run" / "settings.toml") == settings


def test_what_is_found_is_written_for_the_parts_of_stacked_too() -> None:
    found = {"closed_form": {"ridge": 70.0}, "neighbours": {"target_exponent": 0.3}}
    settings = settings_from(with_found({}, Settings(), found)).recommend
    assert settings.closed_form.ridge == settings.stacked.closed_form.ridge == 70.0
    assert settings.neighbours.target_exponent == settings.stacked.neighbours.target_exponent == 0.3
    assert settings.stacked.tastes == Settings().recommend.stacked.tastes


def test_nothing_found_leaves_the_settings_as_they_were() -> None:
    assert with_found({"seed": 3}, Settings(), {}) == {"seed": 3}


def a_file(folder: Path) -> Path:
    (folder / "mine.toml.search").mkdir()  # of a search that was refused before it began
    (folder / "mine.toml").write_text("seed = 3")
    return folder / "mine.toml"


def a_folder(folder: Path) -> Path:
    (folder / "made").mkdir()
    return folder / "made"


def below_a_file(folder: Path) -> Path:
    return a_file(folder) / "settings.toml"


REFUSED: dict[str, tuple[tuple[str, ...], Callable[[Path], Path] | None, str]] = {
    "unknown model": (
        ("--models", "neighbors"),
        None,
        "no such recommender: --models 'neighbors'; choose of",
    ),
    "model without search": (("--models", "sequence"), None, "nothing of it is searched"),
    "model that needs times": (("--models", "popular"), None, "where only an order is known"),
    "no minutes": (("--minutes", "0"), None, "--minutes '0.0'; give a number above 0"),
    "no number": (("--minutes", "nan"), None, "--minutes 'nan'; give a number above 0"),
    "no trials": (("--trials", "0"), None, "--trials '0'; give 1 or more"),
    "no shoppers": (("--shoppers", "0"), None, "--shoppers '0'; give 1 or more"),
    "unknown protocol": (("--protocol", "both"), None, "--protocol 'both'; say masked or unmasked"),
    "a file in the place": ((), a_file, "only a file of an earlier search is written over"),
    "a folder in the place": ((), a_folder, "name a file, such as settings.toml"),
    "no place to write": ((), below_a_file, "name a place where files can be written"),
}


def test_a_settings_file_is_not_written_over_by_what_was_found(sequences: Path, tmp_path: Path) -> None:
    out = tmp_path / "settings.toml"
    assert tune(sequences, out, "--models", "neighbours", "--trials", "1").code == 0
    answer = tune(sequences, out, "--models", "neighbours", "--settings", out)
    assert answer.code == 2
    assert "would write over --settings" in answer.err


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_and_nothing_is_left(case: str, sequences: Path, tmp_path: Path) -> None:
    more, place, said = REFUSED[case]
    out = tmp_path / "settings.toml" if place is None else place(tmp_path)
    answer = tune(sequences, out, *more)
    assert answer.code == 2
    assert said in answer.err.splitlines()[-1]
    assert answer.json["error"]["remedy"]
    assert not (tmp_path / "settings.toml").exists()


def test_a_shop_too_small_to_hold_anything_out_is_refused(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "sequences.txt").write_text("u1 a b\nu2 b c\n")
    answer = tune(tmp_path, tmp_path / "settings.toml")
    assert answer.code == 2
    assert "no shopper" in answer.err
