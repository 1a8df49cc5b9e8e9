from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from encoders.finetuning.shops_of_pairs import ITEMS, SEARCHED, encoder_of_words, tribes
from huaxiang.encoders.finetuning.behaviour import (
    BehaviourConfig,
    ItemTexts,
    PairLesson,
    Tuned,
    tune_on_behaviour,
)
from huaxiang.encoders.finetuning.behaviour_network import BehaviourNetwork
from huaxiang.encoders.finetuning.next_item import NextItems, find_next
from huaxiang.encoders.learning.base import TrainerConfig
from huaxiang.encoders.named import text_encoder
from huaxiang.errors import EncoderError, ShopError

STEPS = 40
QUICK = BehaviourConfig(
    max_tokens=8,
    anchor=0.0,
    training=TrainerConfig(
        steps=STEPS, learning_rate=3e-3, batch_rows=16, validations=4, precision="fp32", warmup_share=0.0
    ),
)


def tuned(home: Path, name: str = "out", **options: object) -> Tuned:
    return tune_on_behaviour(
        tribes(),
        model=home / "model",
        folder=home / name,
        checkpoint=home / f"{name}-checkpoint",
        **{"config": QUICK, **options},  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("behaviour")
    encoder_of_words(folder / "model")
    return folder


@pytest.fixture(scope="module")
def made(home: Path) -> Tuned:
    return tuned(home)


def vectors_in(folder: Path, cache: Path, texts: tuple[str, ...]) -> np.ndarray:
    return text_encoder(folder, cache_folder=cache).encode(list(texts)).vectors_ID


def test_tribes_whose_titles_share_no_word_come_close_and_the_others_do_not(
    home: Path, made: Tuned, tmp_path: Path
) -> None:
    vectors = vectors_in(home / "out", tmp_path, ITEMS)
    cosines = vectors @ vectors.T
    within = np.mean([cosines[:8, :8].mean(), cosines[8:, 8:].mean()])
    assert within > cosines[:8, 8:].mean() + 0.5


def test_an_item_that_nobody_had_lies_with_those_of_its_words(
    home: Path, made: Tuned, tmp_path: Path
) -> None:
    vectors = vectors_in(home / "out", tmp_path, ITEMS)
    assert vectors[7] @ vectors[:7].mean(0) > vectors[7] @ vectors[8:].mean(0) + 0.3


def test_a_query_lies_near_what_was_found_by_it(home: Path, made: Tuned, tmp_path: Path) -> None:
    items, queries = (vectors_in(home / "out", tmp_path, texts) for texts in (ITEMS, SEARCHED))
    near = queries @ items.T
    assert near[0, :8].mean() > near[0, 8:].mean()
    assert near[1, 8:].mean() > near[1, :8].mean()


def test_figures_are_told_before_and_after_with_intervals_unseen_items_apart(made: Tuned) -> None:
    for figures in (made.before, made.test):
        assert figures["recall@10_low"] <= figures["recall@10"] <= figures["recall@10_high"]
        assert figures["shoppers"] == 4
        assert figures["unseen_shoppers"] == 1
    assert made.test["ndcg@10"] > made.before["ndcg@10"]


def test_a_fit_that_was_stopped_ends_with_the_very_weights(home: Path, made: Tuned) -> None:
    class KilledError(Exception):
        pass

    def kill(stage: str, done: int, total: int, note: str) -> None:
        if stage == "tune" and done == STEPS // 2 + 1:
            raise KilledError

    with pytest.raises(KilledError):
        tuned(home, "again", progress=kill)
    again = tuned(home, "again")
    assert again.learnt.resumed_from == STEPS // 2
    ours, theirs = (load_file(home / name / "model.safetensors") for name in ("again", "out"))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_an_anchor_keeps_the_vectors_near_where_they_were(home: Path, made: Tuned, tmp_path: Path) -> None:
    tuned(home, "held", config=replace(QUICK, anchor=20.0))
    before, free, held = (vectors_in(home / name, tmp_path, ITEMS) for name in ("model", "out", "held"))
    assert (before * held).sum(1).mean() > (before * free).sum(1).mean() + 0.05


def test_too_few_pairs_with_texts_are_an_error(home: Path) -> None:
    alone = tribes(queries=False)
    untold = replace(alone, texts_LI=[[None] * len(ITEMS)])
    for poor in (untold, alone.take(np.arange(len(alone.pairs_P2)) < 9)):
        with pytest.raises(ShopError, match="too few pairs"):
            tune_on_behaviour(poor, model=home / "model", folder=home / "x", checkpoint=home / "y")


def test_a_folder_of_something_else_is_an_error(home: Path, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text('{"model_type": "resnet"}')
    with pytest.raises(EncoderError):
        tune_on_behaviour(tribes(), model=tmp_path / "model", folder=home / "x", checkpoint=home / "y")


def test_an_item_in_two_languages_is_read_in_either_and_served_between_them() -> None:
    told = replace(tribes(), texts_LI=[list(ITEMS), ["木头", *[None] * 15]])
    texts = ItemTexts.of(told)
    rng = np.random.default_rng(0)
    drawn = {int(texts.drawn(np.array([0]), rng)[0]) for _ in range(50)}
    assert drawn == {0, 16}
    assert {int(texts.drawn(np.array([1]), rng)[0]) for _ in range(20)} == {1}
    vectors = np.zeros((len(texts.texts), 2), np.float32)
    vectors[0], vectors[16] = (1, 0), (0, 1)
    assert texts.item_vectors(vectors)[0] == pytest.approx([np.sqrt(0.5)] * 2)


def test_queries_never_stand_on_the_right_and_items_on_either_side() -> None:
    together = tribes()
    texts = ItemTexts.of(together)
    lesson = PairLesson(together, texts, np.ones(len(texts.texts), np.int64))
    batch = lesson.batch(np.arange(len(together.pairs_P2)), np.random.default_rng(0))
    assert int(batch["right"].max()) < together.n_items
    assert (batch["left"] > batch["right"]).any()
    assert (batch["left"] < batch["right"]).any()


def test_chances_are_those_of_the_right_side() -> None:
    together = tribes()
    texts = ItemTexts.of(together)
    lesson = PairLesson(together, texts, np.ones(len(texts.texts), np.int64))
    rng = np.random.default_rng(0)
    rows = np.arange(len(together.pairs_P2))
    counts = sum(
        np.bincount(lesson.batch(rows, rng)["right"].numpy(), minlength=together.n_items) for _ in range(400)
    )
    seen = together.seen_I
    expected = np.exp(lesson.log_shares[seen])
    assert counts[seen] / counts.sum() == pytest.approx(expected, rel=0.05)


class Fixed(torch.nn.Module):
    """Vectors that stand where they are."""

    def __init__(self, vectors: list[list[float]]) -> None:
        super().__init__()
        self.vectors = torch.tensor(vectors)

    def distinct(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        different, which = torch.unique(rows, return_inverse=True)
        return self.vectors[different], which


def test_the_loss_by_hand_takes_back_popularity_and_spares_what_belongs_together() -> None:
    known, shares = np.array([0 * 4 + 1, 2 * 4 + 3]), np.log(np.array([0.1, 0.2, 0.3, 0.4], np.float32))
    network = BehaviourNetwork(
        Fixed([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0], [0.6, 0.8]]),
        known=known,
        log_shares_I=shares,
        n_items=4,
        past_ND=None,
        config=replace(QUICK, sharpness=2.0),
    )
    left, right, ones = torch.tensor([0, 2]), torch.tensor([1, 3]), torch.ones(2)
    first = np.log(np.exp(1.6) / 0.2 + np.exp(1.2) / 0.4) - (1.6 - np.log(0.2))
    second = np.log(np.exp(1.2) / 0.2 + np.exp(1.6) / 0.4) - (1.6 - np.log(0.4))
    found = network(left, right, left, right, ones)["loss"]
    assert float(found) == pytest.approx((first + second) / 2, rel=1e-5)
    network.known = torch.tensor([0 * 4 + 1, 0 * 4 + 3, 2 * 4 + 1, 2 * 4 + 3])
    assert network(left, right, left, right, ones)["loss"].item() == pytest.approx(0.0, abs=1e-6)


def test_what_a_shopper_had_or_has_no_vector_is_not_listed() -> None:
    vectors = np.array([[1, 0], [1, 0.1], [0, 0], [0, 1]], np.float32)
    asked = NextItems(
        histories_UH=np.array([[-1, 0], [-1, 0]]), offsets=np.array([0, 1, 2]), item_rows=np.array([1, 2])
    )
    found = find_next(asked, vectors)
    assert found.ndcg_U.tolist() == [1.0, 0.0]


def test_only_asks_for_some_items() -> None:
    asked = NextItems(
        histories_UH=np.array([[0], [1]]), offsets=np.array([0, 2, 3]), item_rows=np.array([3, 2, 3])
    )
    some = asked.only(np.array([False, False, True, False]))
    assert some.histories_UH.tolist() == [[0]]
    assert some.item_rows.tolist() == [2]
