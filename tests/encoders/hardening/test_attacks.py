"""What attacks leave of an accuracy, measured on classifiers whose answers are known."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from encoders.hardening.tiny_networks import LABELS, WORDS, Classifier, Photos
from huaxiang.encoders.hardening.adversarial import PixelsConfig, WordsConfig, moving_words
from huaxiang.encoders.hardening.attacks import Held, under_moved_inputs, under_rewriting
from huaxiang.encoders.hardening.thesaurus import Thesaurus
from huaxiang.encoders.hardening.typos import Config, Typos
from huaxiang.encoders.learning.base import TrainerConfig
from huaxiang.encoders.learning.trainer import train_large
from huaxiang.errors import SettingsError

TEXTS = ["lovely dress", "awful dress", "非常 漂亮", "质量 糟糕"]
RIGHT = np.array([1, 0, 1, 0])


def by_words(texts: Sequence[str]) -> NDArray[np.float64]:
    """Return probabilities that know two words of praise."""
    praise = np.array(["lovely" in text or "漂亮" in text for text in texts], np.float64)
    return np.stack([1 - praise, praise], axis=1)


def test_clean_comes_first_and_every_attack_has_a_row() -> None:
    attacks = {"typos": Typos(Config(rate=1.0)), "synonyms": Thesaurus({"lovely": ["pretty"]})}
    clean, typos, synonyms = under_rewriting(by_words, TEXTS, RIGHT, attacks, tries=2)
    assert (clean.attack, clean.accuracy, clean.changed) == ("clean", 1.0, 0.0)
    assert (typos.accuracy, typos.changed) == (0.5, 1.0)
    assert (synonyms.accuracy, synonyms.worst, synonyms.changed) == (0.75, 0.75, 0.25)
    assert typos.as_json()["n"] == 4


def test_the_same_seed_measures_the_same_and_the_worst_is_never_better() -> None:
    attack = {"typos": Typos(Config(rate=0.5))}
    first, again = (under_rewriting(by_words, TEXTS * 5, np.tile(RIGHT, 5), attack, seed=3)[1] for _ in "ab")
    np.testing.assert_array_equal(first.right_TN, again.right_TN)
    assert first.worst <= first.accuracy


def test_worst_counts_rows_that_were_right_in_every_try() -> None:
    held = Held(attack="typos", right_TN=np.array([[True, True, False], [True, False, False]]), changed=1.0)
    assert held.accuracy == 0.5
    assert held.worst == pytest.approx(1 / 3)


def two_words(seed: int) -> tuple[nn.Module, dict[str, torch.Tensor]]:
    """Return a linear network that tells two words apart by a known margin."""
    network = Classifier(is_linear=True, seed=seed)
    with torch.no_grad():
        network.backbone.table.weight.copy_(torch.eye(4).repeat(2, 1)[:7])
        network.head.weight.copy_(torch.tensor([[1.0, -1, 0, 0], [-1, 1, 0, 0]]))
        network.head.bias.zero_()
    return network, {"input_ids": torch.tensor([[0], [1]]), "targets": torch.tensor([0, 1])}


@pytest.mark.parametrize(("length", "accuracy"), [(0.68, 1.0), (0.74, 0.0)])
def test_a_linear_network_falls_exactly_where_its_margin_ends(length: float, accuracy: float) -> None:
    network, batch = two_words(0)  # the distance from either word to the border is √½ = 0.7071
    config = WordsConfig(epsilon=length / 0.5, steps=10)  # 0.5 is the typical size of the words' numbers
    assert under_moved_inputs(network, [batch], config).accuracy == accuracy


def test_measuring_changes_nothing_in_the_network() -> None:
    network = Photos().train()
    network.layer.weight.grad = torch.ones_like(network.layer.weight)
    network.head.weight.requires_grad_(False)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    photos = {"pixel_values": torch.rand(3, 3, 6, 6), "targets": LABELS}
    held = under_moved_inputs(network, [photos] * 2, PixelsConfig(), tries=3)
    assert held.right_TN.shape == (3, 6)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert torch.equal(network.layer.weight.grad, torch.ones_like(network.layer.weight))
    assert network.training
    assert network.layer.weight.requires_grad
    assert not network.head.weight.requires_grad


def test_a_larger_move_leaves_no_more_right() -> None:
    network, batch = Classifier(), {"input_ids": WORDS, "targets": LABELS}
    left = [
        under_moved_inputs(network, [batch], WordsConfig(epsilon=epsilon, steps=5)).accuracy
        for epsilon in (0.01, 1.0, 50.0)
    ]
    assert left[0] >= left[1] >= left[2] == 0.0


class Words:
    """A lesson: the class of a text is whether word 1 or word 2 stands in it, among others."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.labels = rng.integers(2, size=64)
        noise = rng.integers(3, 7, size=(64, 3))
        self.ids = np.concatenate([1 + self.labels[:, None], noise], axis=1)
        self.lengths_N = np.full(64, 4, np.int64)

    def batch(self, rows_B: NDArray[np.int64], rng: np.random.Generator) -> dict[str, torch.Tensor]:
        return {
            "input_ids": torch.from_numpy(self.ids[rows_B]),
            "targets": torch.from_numpy(self.labels[rows_B]),
        }


def taught(folder: Path, attack: WordsConfig | None) -> nn.Module:
    network = Classifier(seed=0)
    config = TrainerConfig(steps=80, learning_rate=5e-2, batch_rows=64, precision="fp32")
    with moving_words(network, attack) if attack else nullcontext() as adversary:
        train_large(network, Words(), config=config, checkpoint=folder, attack=adversary)
    return network


@pytest.mark.slow
@pytest.mark.parametrize("steps", [1, 3], ids=["fgm", "pgd"])
def test_a_network_taught_under_attack_stands_it_and_loses_nothing_clean(tmp_path: Path, steps: int) -> None:
    whole = Words().batch(np.arange(64), np.random.default_rng(0))
    clean, attacked = WordsConfig(epsilon=1e-6), WordsConfig(epsilon=1.0, steps=10)
    plain = taught(tmp_path / "plain", None)
    hardened = taught(tmp_path / "hardened", WordsConfig(epsilon=1.0, steps=steps))
    for network in (plain, hardened):
        assert under_moved_inputs(network, [whole], clean).accuracy == 1.0
    assert under_moved_inputs(plain, [whole], attacked).accuracy < 0.5
    assert under_moved_inputs(hardened, [whole], attacked).accuracy > 0.9


def test_an_attacked_fit_that_is_cut_short_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    config = TrainerConfig(steps=6, learning_rate=5e-2, batch_rows=64, precision="fp32", validations=3)
    whole, parts = Classifier(seed=0), Classifier(seed=0)
    with moving_words(whole, WordsConfig(steps=2)) as adversary:
        train_large(whole, Words(), config=config, checkpoint=tmp_path / "whole", attack=adversary)

    def cut(done: int, total: int, note: str) -> None:
        if done == 4:
            raise ConnectionError("as if the machine had gone")

    for progress in (cut, None):
        expected = pytest.raises(ConnectionError) if progress else nullcontext()
        with expected, moving_words(parts, WordsConfig(steps=2)) as adversary:
            train_large(
                parts,
                Words(),
                config=config,
                checkpoint=tmp_path / "parts",
                attack=adversary,
                progress=progress,
            )
    for left, right in zip(whole.parameters(), parts.parameters(), strict=True):
        assert torch.equal(left, right)


def test_no_tries_are_refused() -> None:
    with pytest.raises(SettingsError):
        under_rewriting(by_words, TEXTS, RIGHT, {}, tries=0)
