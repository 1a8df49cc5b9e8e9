"""The softmax over items drawn, against the one over all."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from huaxiang.errors import SettingsError
from huaxiang.recommend.histories import histories_of
from huaxiang.recommend.sampled_softmax import Proposal, sampled_softmax_loss
from huaxiang.recommend.sequence import MANY_NEGATIVES, Config, SequenceRecommender
from huaxiang.training import Config as TrainingConfig
from recommend.small_shops import training_of

N_ITEMS = 40
RING = histories_of([[(start + step) % N_ITEMS for step in range(8)] for start in range(N_ITEMS)] * 4)
CONFIG = Config(
    dimensions=16,
    layers=1,
    dropout=0.0,
    id_dropout=0.0,
    training=TrainingConfig(steps=150, batch_events=256, learning_rate=0.02, weight_decay=0.0),
)


def test_with_everything_drawn_it_is_cross_entropy() -> None:
    generator = torch.Generator().manual_seed(0)
    outlooks, items = (torch.randn(n, 5, generator=generator, requires_grad=True) for n in (9, 11))
    targets, weights = torch.arange(9), torch.rand(9, generator=generator) + 0.1
    is_target = targets[:, None] == torch.arange(11)
    ours = sampled_softmax_loss(outlooks, items[targets], items, torch.zeros(11), is_target, weights)
    each = cross_entropy(outlooks @ items.T, targets, reduction="none")
    whole = each @ weights / weights.sum()
    for mine, theirs in zip(
        torch.autograd.grad(ours, [outlooks, items]),
        torch.autograd.grad(whole, [outlooks, items]),
        strict=True,
    ):
        torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(ours, whole)


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_what_is_drawn_stands_for_everything(seed: int) -> None:
    rng = np.random.default_rng(seed)
    proposal = Proposal.of(rng.integers(0, 50, size=300))
    sizes_I = rng.random(300)
    sums = []
    for _ in range(400):
        items, log_weights = proposal.draw(100, rng)
        assert len(np.unique(items)) == len(items)
        sums.append((np.exp(log_weights) * sizes_I[items]).sum())
    assert np.mean(sums) == pytest.approx(sizes_I.sum(), rel=0.05)


def test_a_row_of_which_only_the_target_was_drawn_teaches_nothing() -> None:
    outlooks, items = torch.randn(2, 3, requires_grad=True), torch.randn(2, 3)
    is_target = torch.tensor([[True], [False]])
    loss = sampled_softmax_loss(outlooks, items, items[:1], torch.zeros(1), is_target, torch.ones(2))
    (gradient,) = torch.autograd.grad(loss, [outlooks])
    assert torch.isfinite(gradient).all()
    assert not gradient[0].any() and gradient[1].any()


def test_a_fit_with_drawn_items_foretells_as_well() -> None:
    training = training_of(RING, n_items=N_ITEMS)
    asked = histories_of([[3, 4, 5], [20, 21]])
    for n_negatives in (0, 12):
        model = SequenceRecommender(replace(CONFIG, n_negatives=n_negatives)).fit(training)
        assert model.score(asked).argmax(axis=1).tolist() == [6, 22]


def test_the_same_seed_draws_the_same() -> None:
    training = training_of(RING, n_items=N_ITEMS)
    asked = histories_of([[3, 4, 5]])
    short = replace(CONFIG, n_negatives=7, training=TrainingConfig(steps=4, batch_events=256))
    first, second = (SequenceRecommender(short).fit(training).score(asked) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_large_catalogues_are_sampled_unasked() -> None:
    assert Config().negatives_of(12_000) == 0
    assert Config().negatives_of(60_000) == MANY_NEGATIVES
    assert Config(n_negatives=5).negatives_of(100) == 5
    with pytest.raises(SettingsError, match="n_negatives"):
        Config(n_negatives=-1)
    with pytest.raises(SettingsError, match="smoothing"):
        Config(n_negatives=5, smoothing=0.1)
