from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from encoders.finetuning.shops_of_pairs import encoder_of_words, judged_pairs
from huaxiang.encoders.finetuning.bi_encoder import bi_encoder
from huaxiang.encoders.finetuning.judged import Asked, Judged
from huaxiang.encoders.finetuning.match import Matched, PairParts, finetune_match
from huaxiang.encoders.finetuning.match_lesson import MatchConfig, MatchLesson
from huaxiang.encoders.finetuning.match_network import MatchNetwork
from huaxiang.encoders.finetuning.matcher import Blend, Matcher, load_predictor, write_matcher
from huaxiang.encoders.finetuning.pairs import Pairs, read_pairs, split_pairs
from huaxiang.encoders.learning.base import TrainerConfig
from huaxiang.encoders.named import text_encoder
from huaxiang.errors import EncoderError, InputError

STEPS = 24
QUICK = MatchConfig(
    max_tokens=24,
    training=TrainerConfig(
        steps=STEPS, learning_rate=3e-3, batch_rows=8, validations=4, precision="fp32", warmup_share=0.0
    ),
)


def parts_of(pairs: Pairs) -> PairParts:
    rest, test = split_pairs(pairs, share=0.3, salt="t")
    train, validation = split_pairs(rest, share=0.3, salt="v")
    return PairParts(train=train, validation=validation, test=test)


def tuned(home: Path, name: str = "out", **options: object) -> Matched:
    return finetune_match(
        parts_of(judged_pairs(40)),
        model=home / "model",
        folder=home / name,
        checkpoint=home / f"{name}-checkpoint",
        **{"config": QUICK, **options},  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("match")
    encoder_of_words(folder / "model")
    return folder


@pytest.fixture(scope="module")
def made(home: Path) -> Matched:
    found = tuned(home)
    write_matcher(home / "out", columns=["query", "product"])
    return found


def test_the_order_of_products_is_learnt_by_grade(made: Matched) -> None:
    assert made.before["share"] < 0.6
    assert made.test["share"] > 0.9
    assert made.test["share_low"] <= made.test["share"] <= made.test["share_high"]


def test_the_folder_is_a_text_encoder_and_scores_pairs(home: Path, made: Matched, tmp_path: Path) -> None:
    encoder = text_encoder(home / "out", cache_folder=tmp_path)
    assert encoder.encode(["pine"]).vectors_ID.shape == (1, 32)
    found = load_predictor(home / "out").predict_rows([["wood a", "pine"], ["wood a", "iron"], ["", "pine"]])
    assert found["score"][0] > found["score"][1]
    assert found["error"] == [None, None, "no query"]


def test_a_fit_that_was_stopped_ends_with_the_very_weights(home: Path, made: Matched) -> None:
    class KilledError(Exception):
        pass

    def kill(stage: str, done: int, total: int, note: str) -> None:
        if stage == "fine-tune" and done == STEPS // 2 + 1:
            raise KilledError

    with pytest.raises(KilledError):
        tuned(home, "again", progress=kill)
    again = tuned(home, "again")
    assert again.learnt.resumed_from == STEPS // 2
    ours, theirs = (load_file(home / name / "model.safetensors") for name in ("again", "out"))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_pairs_are_learnt_in_half_precision_too(home: Path) -> None:
    half = replace(QUICK, training=replace(QUICK.training, precision="bf16", steps=3, validations=1))
    made = tuned(home, "half", config=half)
    assert made.learnt.precision == "bf16"
    assert made.learnt.steps == 3


def test_no_query_is_on_both_sides_however_it_is_capitalised(tmp_path: Path) -> None:
    pairs = judged_pairs()
    shouted = replace(pairs, queries=tuple(q.upper() if n % 2 else q for n, q in enumerate(pairs.queries)))
    left, held_out = split_pairs(shouted, share=0.4, salt="x")
    assert {q.lower() for q in left.queries}.isdisjoint(q.lower() for q in held_out.queries)


@given(st.integers(0, 999))
@settings(max_examples=10)
def test_the_side_of_a_query_does_not_change_with_the_order_of_rows(seed: int) -> None:
    pairs = judged_pairs()
    order = np.random.default_rng(seed).permutation(len(pairs))
    sides = [set(split_pairs(some, share=0.3, salt="s")[1].queries) for some in (pairs, pairs.take(order))]
    assert sides[0] == sides[1]


def network_of(home: Path, judged: Judged, *, mined: int = 1) -> MatchNetwork:
    encoder, _ = bi_encoder(home / "model", [*judged.products, *judged.queries], max_tokens=24, seed=0)
    lesson = MatchLesson(judged, encoder.lengths_N.numpy(), QUICK)
    return MatchNetwork(
        encoder,
        n_products=len(judged.products),
        known=lesson.known,
        mined_QM=np.full((len(judged.queries), mined), -1, np.int64),
        sharpness=20.0,
        graded=1.0,
    ).eval()


def pairs_of(rows: list[tuple[str, str, float]]) -> Pairs:
    queries, products, relevance = zip(*rows, strict=True)
    return Pairs(
        file="f",
        queries=queries,
        products=products,
        relevance_N=np.array(relevance),
        lines=np.arange(len(rows)),
    )


def test_what_was_judged_right_for_a_query_is_not_its_negative_by_chance(home: Path) -> None:
    one, other = [("wood", "pine", 1.0), ("metal", "iron", 1.0)], [("wood", "iron", 1.0)]
    shown = {"query_rows": torch.tensor([0, 1]), "gains": torch.ones(2, 1)}
    losses = []
    for rows in (one, one + other):
        judged = Judged.of(pairs_of(rows))
        products = torch.tensor([[judged.products.index("pine")], [judged.products.index("iron")]])
        losses.append(network_of(home, judged)(product_rows=products, **shown)["loss"].item())
    assert losses[1] < losses[0]


def test_a_product_twice_in_a_batch_is_read_once_and_no_negative_of_itself(home: Path) -> None:
    judged = Judged.of(pairs_of([("wood", "pine", 1.0), ("metal", "pine", 1.0)]))
    network = network_of(home, judged)
    found = network(torch.tensor([0, 1]), torch.zeros(2, 1, dtype=torch.int64), torch.ones(2, 1))
    assert found["loss"].item() == pytest.approx(0.0, abs=1e-6)


def test_mined_negatives_are_near_and_never_judged_for_the_query(home: Path) -> None:
    judged = Judged.of(judged_pairs())
    network = network_of(home, judged, mined=3)
    queries = np.arange(len(judged.queries))
    best_of = [judged.product_N[judged.query_N == query] for query in queries]
    network.mine(queries, np.arange(len(judged.products)), best_of)
    mined = network.mined_QM.numpy()
    known = set(zip(judged.query_N.tolist(), judged.product_N.tolist(), strict=True))
    assert (mined >= 0).any()
    assert not any((q, p) in known for q in queries.tolist() for p in mined[q].tolist())


def test_a_pair_judged_twice_counts_once_with_the_mean(home: Path) -> None:
    judged = Judged.of(pairs_of([("Wood", "pine", 1.0), ("wood", "Pine", 3.0), ("wood", "oak", 0.0)]))
    assert judged.queries == ("Wood",)
    assert sorted(judged.relevance_N.tolist()) == [0.0, 2.0]


def test_clicks_alone_are_asked_by_how_often_the_match_is_found(home: Path) -> None:
    judged = Judged.of(
        pairs_of([(query, product, 1.0) for query in ("wood", "metal") for product in ("pine",)])
    )
    encoder, _ = bi_encoder(home / "model", [*judged.products, *judged.queries], max_tokens=24, seed=0)
    asked = Asked(judged, np.arange(3))
    assert asked.best == "recall@10"
    assert asked.quick(encoder) == {"recall@10": 1.0, "queries": 2.0}


@pytest.mark.parametrize(
    ("label", "said"), [("good", "relevance is not a number"), ("-1", "from 0 to 10"), ("99", "from 0 to 10")]
)
def test_relevance_that_is_no_grade_names_its_line(tmp_path: Path, label: str, said: str) -> None:
    file = tmp_path / "pairs.csv"
    file.write_text("q,p,r\n" + "wood,pine,1\n" * 30 + f"wood,oak,{label}\n")
    with pytest.raises(InputError, match=said) as raised:
        read_pairs(file, query="q", product="p", label="r")
    assert raised.value.line == 32


def test_missing_columns_and_few_rows_are_named(tmp_path: Path) -> None:
    file = tmp_path / "pairs.csv"
    file.write_text("q,p,r\n" + "wood,pine,1\n" * 5)
    with pytest.raises(InputError, match="no such column"):
        read_pairs(file, query="query", product="p", label="r")
    with pytest.raises(InputError, match="too few rows"):
        read_pairs(file, query="q", product="p", label="r")


def test_nothing_relevant_is_an_error(home: Path) -> None:
    pairs = judged_pairs()
    parts = parts_of(replace(pairs, relevance_N=np.zeros(len(pairs))))
    with pytest.raises(InputError, match="no product is relevant"):
        finetune_match(parts, model=home / "model", folder=home / "x", checkpoint=home / "y")


def test_a_folder_of_something_else_is_an_error(home: Path, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text('{"model_type": "resnet"}')
    with pytest.raises(EncoderError):
        finetune_match(
            parts_of(judged_pairs()),
            model=tmp_path / "model",
            folder=tmp_path / "x",
            checkpoint=tmp_path / "y",
        )


def test_a_blend_of_one_stage_alone_orders_as_that_stage_does() -> None:
    first, second = np.array([0.1, 0.5, 0.3]), np.array([3.0, 1.0, 2.0])
    for weight, stage in ((0.0, first), (1.0, second)):
        scores = Blend.of(first, second, weight=weight).scores(first, second)
        assert np.argsort(scores).tolist() == np.argsort(stage).tolist()


def test_a_query_and_a_product_are_needed(home: Path, made: Matched) -> None:
    with pytest.raises(InputError, match="a query and a product"):
        Matcher(home / "out").predict_rows([["wood"]])
