"""Each command prints one object under --json, and draws the same for people in both languages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import polars as pl
import pytest
from PIL import Image

from command_line import call
from huaxiang.evaluate.report import REMOVAL, USES
from huaxiang.model import Model

if TYPE_CHECKING:
    from conftest import SmallBuild

PROFILE_KEYS = {
    "schema",
    "shopper_id",
    "as_of",
    "version",
    "n_events",
    "facets",
    "interests",
    "intent",
    "activity",
    "portrait",
    "consent",
    "degraded",
}
FACET_KEYS = {
    "dimension",
    "value",
    "side",
    "share",
    "lift",
    "confidence",
    "half_life_days",
    "last_seen",
    "source",
    "evidence",
}
MODEL_KEYS = {"name", "uses", "seeds", "train_s", "train_cpu_s", "rank_s", "validation", "test"}


def test_simulate_says_what_it_wrote(small_build: SmallBuild) -> None:
    said = small_build.simulated.json
    assert said["schema"] == "huaxiang.simulate/1"
    assert (said["seed"], said["shoppers"], said["items"]) == (7, 120, 60)
    truth = pl.read_parquet(small_build.shop / "truth.parquet")
    assert {"shopper_id", "dimension", "value", "taste", "from", "until"} <= set(truth.columns)


def test_build_accounts_for_every_line(small_build: SmallBuild) -> None:
    said = small_build.built.json
    assert said["schema"] == "huaxiang.build/1"
    assert {"shoppers", "anonymous_sessions", "items", "seconds"} <= set(said)
    gone = sum(said["set_aside"].values()) + sum(said["quarantined"].values())
    assert said["lines_read"] == said["events"] + gone > 0


def test_build_tells_of_its_progress_on_stderr(small_build: SmallBuild) -> None:
    assert "read the shop" in small_build.built.err
    assert small_build.built.out.startswith("{")


def test_a_run_holds_its_artefacts_and_nothing_is_left_beside_it(small_run: Path) -> None:
    names = {path.name for path in small_run.iterdir()}
    assert {"settings.toml", "manifest.json", "items.parquet", "events.parquet", "states.parquet"} <= names
    assert {"vocabulary.json", "vectors", "encoders", "recommender", "quarantine.csv"} <= names
    assert {"evaluation.json", "report.html"} <= names
    assert {path.name for path in small_run.parent.iterdir()} == {"shop", "run"}
    assert not [path for path in small_run.rglob("*") if path.suffix in (".pkl", ".pickle", ".new")]


def test_the_quarantine_names_file_line_column_value_and_reason(small_run: Path) -> None:
    head = (small_run / "quarantine.csv").read_text(encoding="utf-8").splitlines()[0]
    assert head.split(",") == ["file", "line", "column", "value", "reason"]


def test_profile_has_the_promised_keys(small_run: Path) -> None:
    answer = call("profile", "s-0", "--run", small_run, "--json")
    said = answer.json
    assert (answer.code, answer.err) == (0, "")
    assert said["schema"] == "huaxiang.profile/1"
    assert said["shopper_id"] == "s-0"
    assert set(said) >= PROFILE_KEYS
    assert "vector" not in said
    assert all(set(facet) >= FACET_KEYS for facet in said["facets"])
    assert {facet["side"] for facet in said["facets"]} <= {"liked", "disliked"}
    assert {facet["source"] for facet in said["facets"]} <= {"stated", "inferred", "corrected"}


def test_every_statement_of_a_profile_names_events_of_its_shopper(small_run: Path) -> None:
    said = call("profile", "s-0", "--run", small_run, "--json").json
    events = pl.read_parquet(small_run / "events.parquet").filter(shopper_id="s-0")
    own = set(events["event_id"].to_list())
    sentences = [*said["portrait"]["en"], *said["portrait"]["zh"]]
    for statement in [*said["facets"], *said["interests"], *sentences]:
        assert statement["evidence"]
        assert set(statement["evidence"]) <= own


def test_profile_adds_its_vector_when_asked(small_run: Path, small_model: Model) -> None:
    said = call("profile", "s-0", "--run", small_run, "--json", "--vector").json
    assert said["vector"] == pytest.approx(small_model.profile("s-0").vector.tolist(), abs=1e-5)


def test_profile_can_be_as_of_an_earlier_moment(small_run: Path) -> None:
    early = call("profile", "s-0", "--run", small_run, "--json", "--as-of", "2025-06-01").json
    assert early["as_of"].startswith("2025-06-01T00:00:00")


def test_describe_cites_words_by_their_place(small_run: Path) -> None:
    words = "a blue mug under 200"
    said = call("describe", words, "--run", small_run, "--json").json
    assert said["schema"] == "huaxiang.describe/1"
    assert said["shopper_id"] is None
    assert set(said) >= PROFILE_KEYS
    cited = [one for facet in said["facets"] for one in facet["evidence"]]
    assert cited
    assert all(words[one["start"] : one["end"]] == one["text"] for one in cited)
    assert all(interest["name"] for interest in said["interests"])


def test_recommend_has_the_promised_keys_and_ranks_from_one(small_run: Path) -> None:
    said = call("recommend", "s-0", "--run", small_run, "-k", "7", "--json").json
    assert said["schema"] == "huaxiang.recommend/1"
    assert {"shopper_id", "model", "slate_id", "items", "degraded"} <= set(said)
    assert [item["rank"] for item in said["items"]] == [1, 2, 3, 4, 5, 6, 7]
    keys = {"rank", "item_id", "title", "score", "propensity", "reasons"}
    assert all(set(item) >= keys for item in said["items"])
    reasons = [reason for item in said["items"] for reason in item["reasons"]]
    promised = {"kind", "text", "event_id", "item_id", "type", "contribution"}
    assert all(set(reason) >= promised for reason in reasons)
    assert {reason["kind"] for reason in reasons} <= {"personal", "impersonal", "rule"}


@pytest.mark.parametrize("of", ["category", "brand", "price_band"])
def test_recommend_lists_values_too(small_run: Path, of: str) -> None:
    said = call("recommend", "s-0", "--run", small_run, "-k", "3", "--of", of, "--json").json
    assert len(said["items"]) == 3


def test_evaluate_has_the_promised_keys(small_run: Path) -> None:
    answer = call("evaluate", "--run", small_run, "--json")
    said = answer.json
    assert answer.code == 0
    assert said["schema"] == "huaxiang.evaluate/1"
    assert {"models", "split", "by_history", "by_popularity", "by_category"} <= set(said)
    assert all(set(model) >= MODEL_KEYS for model in said["models"])
    ndcg = said["models"][0]["test"]["ndcg@10"]
    assert ndcg["low"] <= ndcg["mean"] <= ndcg["high"]
    assert {"low", "high", "mean", "per_seed"} <= set(ndcg)
    assert call("profile", "s-0", "--run", small_run, "--json").code == 0


def test_whatever_the_report_shows_has_a_name_in_both_languages(small_run: Path) -> None:
    facts = orjson.loads((small_run / "evaluation.json").read_bytes())
    assert set(facts["removal"]) == set(REMOVAL)
    assert {
        use for part in facts["parts"].values() for model in part["models"] for use in model["uses"]
    } <= set(USES)
    assert set(facts["fusion"]) <= set(USES)
    kinds = ("by_popularity", "by_category", "by_novelty")
    groups = [group for kind in kinds for group in facts[kind]]
    places = [place for place in facts["map"]["groups"] if place["name"] is not None]
    assert groups and places
    for named in [*groups, *places]:
        assert named["names"]["en"].isascii()
        assert any("\u4e00" <= letter <= "\u9fff" for letter in named["names"]["zh"]), named
    assert all(set(interest["names"]) == {"en", "zh"} for interest in facts["map"]["interests"])


def test_evaluating_again_finds_what_build_found(small_build: SmallBuild) -> None:
    first = call("evaluate", "--run", small_build.run, "--json").json
    again = call("evaluate", "--run", small_build.run, "--json").json
    assert [model["test"] for model in first["models"]] == [model["test"] for model in again["models"]]


@pytest.fixture
def sequences(tmp_path: Path, cache: Path) -> Path:
    """Return a folder of twenty sequences that walk around a ring of nine items."""
    lines = [" ".join([f"u{n}", *(f"i{(n + step) % 9}" for step in range(6))]) for n in range(20)]
    (tmp_path / "sequences.txt").write_text("\n".join(lines))
    return tmp_path


@pytest.mark.parametrize("protocol", ["masked", "unmasked", "both"])
def test_benchmark_has_the_promised_keys(sequences: Path, protocol: str) -> None:
    names = ("--models", "popular,neighbours", "--protocol", protocol)
    written = sequences / "made"
    said = call("benchmark", "amazon", "--data", sequences, *names, "--out", written, "--json").json
    assert said["schema"] == "huaxiang.benchmark/1"
    assert {"dataset", "data_sha256", "protocol", "history", "n_shoppers", "n_items"} <= set(said)
    assert {"hardware", "models", "best"} <= set(said)
    assert all(set(model) >= MODEL_KEYS for model in said["models"])
    assert {"recall@10", "ndcg@10"} <= set(said["models"][0]["test"])
    assert not {"times", "image"} & {name for model in said["models"] for name in model["uses"]}
    assert orjson.loads((written / "results.json").read_bytes())["best"] == said["best"]
    with Image.open(written / "results.png") as picture:
        assert picture.width > 500
    table = (written / "results.md").read_text()
    for result in said["protocols"]:
        assert f"## {result['protocol']}" in table
        for model in result["models"]:
            assert f"{model['test']['recall@10']['mean']:.4f}" in table


@pytest.mark.parametrize(
    ("language", "heads"), [("en", ("Portrait", "Facets", "Interests")), ("zh", ("画像", "特征", "兴趣"))]
)
def test_a_profile_is_drawn_in_either_language(
    small_run: Path, small_model: Model, language: str, heads: tuple[str, ...]
) -> None:
    drawn = call("profile", "s-0", "--run", small_run, "--language", language).out
    assert all(head in drawn for head in heads)
    sentence = small_model.profile("s-0").portrait[language][0].text
    assert sentence in drawn


@pytest.mark.parametrize(("language", "head"), [("en", "reasons"), ("zh", "理由")])
def test_a_list_is_drawn_in_either_language(small_run: Path, language: str, head: str) -> None:
    answer = call("recommend", "s-0", "--run", small_run, "-k", "3", "--language", language)
    assert answer.code == 0
    assert head in answer.out


def test_a_description_is_answered_in_its_own_language(small_run: Path) -> None:
    assert "画像" in call("describe", "我想要一个蓝色的杯子", "--run", small_run).out
    assert "Portrait" in call("describe", "a blue mug", "--run", small_run).out


def test_build_and_evaluate_draw_their_figures(small_run: Path) -> None:
    drawn = call("evaluate", "--run", small_run).out
    assert "ndcg@10" in drawn
    assert "report.html" in drawn.replace("\n", "")


def test_an_id_that_a_spreadsheet_made_a_number_of_is_the_id() -> None:
    from huaxiang.cli.app import _id

    assert [_id(written) for written in ("17850.0", "17850", "s-0")] == ["17850", "17850", "s-0"]


def test_facets_are_drawn_as_people_say_them(small_run: Path) -> None:
    drawn = call("describe", "想要蓝色的东西，150元以内，不要皮革", "--run", small_run).out
    assert all(said in drawn for said in ("颜色", "蓝色", "皮革", "≤ 150 CNY"))
    assert "minor" not in drawn


def test_the_same_reason_is_drawn_once(small_run: Path) -> None:
    drawn = call("recommend", "s-3", "--run", small_run, "-k", "1", "--language", "zh").out
    reasons = [line.split("│")[4].strip() for line in drawn.splitlines() if line.startswith("│")]
    assert len(reasons) == len(set(reasons))
