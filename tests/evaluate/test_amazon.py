"""The benchmark of the literature: it goes on after what is finished, mixes by name, compares by shopper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from huaxiang.errors import InputError, StorageError
from huaxiang.evaluate import finished
from huaxiang.evaluate.amazon import PROTOCOLS, benchmark, recommender_for
from huaxiang.recommend.ensemble import Ensemble


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a folder of sequences that mostly walk around a ring of thirty items."""
    rng = np.random.default_rng(2)
    lines = []
    for n in range(90):
        steps = np.cumsum(rng.choice([1, 1, 1, 2, 7], size=7))
        lines.append(" ".join([f"u{n}", *(f"i{item}" for item in (n + steps) % 30)]))
    folder = tmp_path / "ring"
    folder.mkdir()
    (folder / "sequences.txt").write_text("\n".join(lines))
    return folder


def figures(result: dict[str, Any]) -> dict[str, Any]:
    return {model["name"]: model["test"] for model in result["models"]}


def test_what_is_finished_is_not_fitted_again(
    data: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {"protocol": "masked", "cache": cache, "out": tmp_path / "out"}
    first = benchmark(data, models=("popular", "neighbours"), seeds=(0, 1), **asked)
    monkeypatch.setattr(
        "huaxiang.recommend.neighbours.Neighbours.fit", lambda *_: pytest.fail("fitted again")
    )
    told: list[str] = []
    again = benchmark(
        data,
        models=("popular", "neighbours"),
        seeds=(0, 1),
        progress=lambda *said: told.append(said[3]),
        **asked,
    )
    assert figures(again) == figures(first)
    assert told.count("finished before") == 4


def test_other_data_titles_seed_or_sources_are_fitted_anew(
    data: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits: list[int] = []
    real = finished.keep_finished
    monkeypatch.setattr(
        "huaxiang.evaluate.amazon.keep_finished", lambda *said: (fits.append(1), real(*said))[1]
    )
    asked: dict[str, Any] = {
        "protocol": "masked",
        "cache": cache,
        "out": tmp_path / "out",
        "models": ["popular"],
    }
    benchmark(data, **asked)
    benchmark(data, **asked)
    assert len(fits) == 1
    benchmark(data, **asked, seeds=(1,))
    monkeypatch.setattr(finished, "_sources", lambda: "others")
    benchmark(data, **asked)
    (data / "sequences.txt").write_text((data / "sequences.txt").read_text() + "\nu90 i1 i2 i3 i4")
    benchmark(data, **asked)
    assert len(fits) == 4
    titles = "\n".join(f'{{"id": "i{row}", "title": "lamp number {row}"}}' for row in range(30))
    (data / "items.jsonl").write_text(titles)
    benchmark(data, **asked)
    (data / "items.jsonl").write_text(titles.replace("lamp", "mug"))
    benchmark(data, **asked)
    assert len(fits) == 6


def test_a_fit_cut_off_while_it_was_written_is_made_again(data: Path, tmp_path: Path, cache: Path) -> None:
    asked: dict[str, Any] = {
        "protocol": "masked",
        "cache": cache,
        "out": tmp_path / "out",
        "models": ["popular"],
    }
    first = benchmark(data, **asked)
    (kept,) = (tmp_path / "out" / "fits").iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[: len(whole) // 2])
    assert figures(benchmark(data, **asked)) == figures(first)
    told: list[str] = []
    benchmark(data, **asked, progress=lambda *said: told.append(said[3]))
    assert "finished before" in told


def test_a_folder_that_cannot_be_written_is_an_error(data: Path, tmp_path: Path, cache: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(StorageError, match="finished fit can't be written"):
        benchmark(data, protocol="masked", models=["popular"], cache=cache, out=tmp_path / "out")


def test_names_joined_by_a_plus_are_mixed_as_validation_says(data: Path, cache: Path) -> None:
    told = benchmark(
        data, protocol="unmasked", models=("popular", "neighbours", "popular+neighbours"), cache=cache
    )
    by_name = {model["name"]: model for model in told["models"]}
    single = max(by_name[name]["validation"]["ndcg@10"] for name in ("popular", "neighbours"))
    assert by_name["popular+neighbours"]["validation"]["ndcg@10"] >= single - 1e-9


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_members_have_the_settings_of_the_protocol(protocol: str) -> None:
    mixed = recommender_for("closed_form+ease", protocol)
    assert isinstance(mixed, Ensemble)
    assert mixed.config.exclude_had == (protocol == "masked")
    for name, member in mixed.members.items():
        assert member.config == recommender_for(name, protocol).config  # type: ignore[attr-defined]


def test_an_unknown_member_is_an_error() -> None:
    with pytest.raises(InputError):
        recommender_for("popular+guesses", "masked")


def test_gaps_are_to_the_model_that_validation_prefers(data: Path, cache: Path) -> None:
    told = benchmark(data, protocol="masked", models=("popular", "neighbours"), cache=cache)
    best, other = sorted(told["models"], key=lambda model: not model["is_best"])
    assert told["best"] == best["name"]
    assert best["gap_to_best"] is None
    gap = other["test"]["ndcg@10"]["mean"] - best["test"]["ndcg@10"]["mean"]
    assert other["gap_to_best"]["mean"] == pytest.approx(gap)
    assert other["gap_to_best"]["low"] <= gap <= other["gap_to_best"]["high"]


def test_newcomers_are_measured_by_what_is_known_of_them(data: Path, tmp_path: Path, cache: Path) -> None:
    told = benchmark(
        data,
        protocol="masked",
        models=("popular", "neighbours"),
        cache=cache,
        out=tmp_path / "out",
        newcomers=True,
    )
    assert list(told["newcomers"]) == ["1", "2", "3", "5"]
    five = told["newcomers"]["5"]
    assert five["neighbours"]["mean"] > five["popular"]["mean"]
    assert "| events known | popular | neighbours |" in (tmp_path / "out" / "results.md").read_text()


def test_groups_by_interactions_hold_everybody_once(data: Path, cache: Path) -> None:
    told = benchmark(data, protocol="masked", models=("popular", "neighbours"), cache=cache)
    groups = told["by_interactions"]
    assert sum(group["n"] for group in groups) == told["n_shoppers"]
    whole = sum(group["n"] * group["recall@10"]["neighbours"]["mean"] for group in groups if group["n"])
    mean = next(model for model in told["models"] if model["name"] == "neighbours")["test"]["recall@10"][
        "mean"
    ]
    assert whole / told["n_shoppers"] == pytest.approx(mean)


def test_swapped_order_teaches_less_of_a_ring(data: Path, cache: Path) -> None:
    kept, swapped = (
        benchmark(data, protocol="masked", models=["neighbours"], cache=cache, swap=share)["models"][0]
        for share in (0.0, 1.0)
    )
    assert kept["test"]["ndcg@10"]["mean"] > swapped["test"]["ndcg@10"]["mean"] + 0.01


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_out_of_range_is_an_error(data: Path, cache: Path, share: float) -> None:
    with pytest.raises(InputError, match="out of range"):
        benchmark(data, cache=cache, swap=share)


def test_a_refit_knows_what_only_the_validation_items_say(tmp_path: Path, cache: Path) -> None:
    told_of_it = [f"u{n} a b c new x{n}" for n in range(30)]  # the validation item is new
    asked_for_it = [f"v{n} x{n} a b c new" for n in range(30)]
    first = " ".join(["z", *(f"x{n}" for n in range(30))])
    (tmp_path / "sequences.txt").write_text("\n".join([first, *told_of_it, *asked_for_it]))
    out = tmp_path / "out"
    asked: dict[str, Any] = {"protocol": "masked", "models": ["popular"], "cache": cache, "out": out}
    told = benchmark(tmp_path, refit=True, **asked)
    (model,) = told["models"]
    assert model["refit"]["ndcg@10"]["mean"] > model["test"]["ndcg@10"]["mean"]
    assert benchmark(tmp_path, refit=True, **asked)["models"] == told["models"]
    assert "Learnt again with the validation items" in (out / "results.md").read_text()
    (plain,) = benchmark(tmp_path, **asked)["models"]
    assert "refit" not in plain
    assert plain["test"] == model["test"]
