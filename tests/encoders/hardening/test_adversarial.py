"""Harder examples: exact gradients, moves inside their ball, and weights that nothing touches."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from encoders.hardening.tiny_networks import LABELS, WORDS, Classifier, Photos, attacked, gradients, learn
from huaxiang.encoders.hardening.adversarial import (
    PixelsConfig,
    WordsConfig,
    moving_pixels,
    moving_words,
    step_share,
)
from huaxiang.encoders.hardening.offsets import input_embeddings, offsets_of_words
from huaxiang.errors import EncoderError, SettingsError, TrainingError

BATCH = {"input_ids": WORDS, "targets": LABELS}
PHOTOS = {"pixel_values": torch.rand(3, 3, 6, 6, generator=torch.manual_seed(2)), "targets": LABELS}
PLAIN = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}


def by_hand(network: Classifier, epsilon: float, steps: int) -> tuple[dict[str, Tensor], Tensor]:
    """Return the sum of plain and moved gradients, and the move, by the published formulas."""
    network.zero_grad()
    vectors = network.backbone.table(WORDS)
    network.answer(vectors, LABELS)["loss"].backward()
    moved = torch.zeros_like(vectors)
    radius = epsilon * vectors.detach().square().mean().sqrt()
    size = radius * step_share(WordsConfig(epsilon=epsilon, steps=steps))
    for _ in range(steps):
        at = (vectors.detach() + moved).requires_grad_()
        (slope,) = torch.autograd.grad(network.answer(at, LABELS)["loss"], at)
        moved = moved + size * slope / slope.flatten(1).norm(dim=1)[:, None, None]
        moved = moved * (radius / moved.flatten(1).norm(dim=1)).clamp(max=1)[:, None, None]
    network.answer(network.backbone.table(WORDS) + moved, LABELS)["loss"].backward()
    return gradients(network), moved


@pytest.mark.parametrize("steps", [1, 2, 3, 5])
def test_the_gradient_is_the_sum_of_the_plain_and_the_moved_one(steps: int) -> None:
    network = Classifier()
    expected, _ = by_hand(network, 3.0, steps)
    found = attacked(moving_words(network, WordsConfig(epsilon=3.0, steps=steps)), network, **BATCH)
    assert found.keys() == expected.keys()
    for name, gradient in found.items():
        torch.testing.assert_close(gradient, expected[name], msg=name)


def test_one_step_against_a_linear_network_goes_along_its_weights() -> None:
    network = Classifier(is_linear=True)
    with moving_words(network, WordsConfig(epsilon=1.0)) as attack:
        learn(network, **BATCH)()
        seen: list[Tensor] = []
        attack.again(network, lambda: seen.extend(call.offset for call in attack._offsets.calls()))
    away = network.head.weight[1 - LABELS] - network.head.weight[LABELS]  # towards the other class
    radius = network.backbone.table(WORDS).square().mean().sqrt()
    along = (away / away.norm(dim=1, keepdim=True))[:, None, :].expand(-1, 4, -1) / 4**0.5
    torch.testing.assert_close(seen[0], radius * along)


def test_every_weight_is_bit_for_bit_what_it_was() -> None:
    network = Classifier()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    attacked(moving_words(network, WordsConfig(steps=4)), network, **BATCH)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(weight.requires_grad for weight in network.parameters())


def test_nothing_stays_on_the_network_when_it_is_done() -> None:
    network = Classifier()
    with moving_words(network, WordsConfig()):
        pass
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_moved_words_stay_in_their_ball_and_hurt(steps: int) -> None:
    network = Classifier()
    lengths, losses = [], []
    with moving_words(network, WordsConfig(epsilon=2.0, steps=steps)) as attack:

        def once() -> None:
            loss = network(**BATCH)["loss"]
            losses.append(loss.item())
            moves = [call.offset.detach().flatten(1) for call in attack._offsets.calls()]
            lengths.extend(move.norm(dim=1).max().item() for move in moves)
            loss.backward()

        once()
        attack.again(network, once)
    radius = 2.0 * network.backbone.table(WORDS).square().mean().sqrt().item()
    assert max(lengths) <= radius * (1 + 1e-5)
    assert losses[-1] > losses[0]
    assert len(losses) == steps + 1


@pytest.mark.parametrize("steps", [1, 4])
def test_moved_pixels_stay_near_and_between_black_and_white(steps: int) -> None:
    network, config = Photos(), PixelsConfig(epsilon=0.1, steps=steps)
    mean, std = torch.tensor((config.mean, config.std))[:, :, None, None]
    given = {**PHOTOS, "pixel_values": (PHOTOS["pixel_values"].round(decimals=1) - mean) / std}
    shown: list[Tensor] = []
    handle = network.layer.register_forward_pre_hook(lambda _, args: shown.append(args[0].detach()))
    attacked(moving_pixels(network, config), network, **given)
    handle.remove()
    colours = shown[-1] * std + mean
    moved = (colours - PHOTOS["pixel_values"].round(decimals=1)).abs()
    assert colours.min() > -1e-6
    assert colours.max() < 1 + 1e-6
    assert 0.09 < moved.max() < 0.1 + 1e-6
    assert len(shown) == steps + 1


def test_one_step_on_pixels_follows_the_signs() -> None:
    network = Photos()
    pixels = PHOTOS["pixel_values"].clone().requires_grad_()
    network(pixels, LABELS)["loss"].backward()
    assert pixels.grad is not None
    expected = (pixels.detach() + 0.05 * pixels.grad.sign()).clamp(0, 1)
    shown: list[Tensor] = []
    network.layer.register_forward_pre_hook(lambda _, args: shown.append(args[0].detach()))
    attacked(moving_pixels(network, PixelsConfig(epsilon=0.05, steps=1, **PLAIN)), network, **PHOTOS)
    torch.testing.assert_close(shown[-1], expected)


def test_a_frozen_table_is_moved_all_the_same() -> None:
    network = Classifier()
    expected, _ = by_hand(network, 5.0, 1)
    network.backbone.table.weight.requires_grad_(False)
    network.zero_grad()
    found = attacked(moving_words(network, WordsConfig()), network, **BATCH)
    assert "backbone.table.weight" not in found
    torch.testing.assert_close(found["head.weight"], expected["head.weight"])
    assert not network.backbone.table.weight.requires_grad


def test_two_texts_in_one_pass_have_a_move_each() -> None:
    network = Classifier()

    class Pair(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = network

        def forward(self, a: Tensor, b: Tensor) -> dict[str, Tensor]:
            left, right = (self.encoder(words, LABELS)["outputs"] for words in (a, b))
            return {"loss": (left - right).square().sum()}

    pair = Pair()
    once = learn(pair, a=WORDS, b=WORDS.flip(0))
    with moving_words(pair, WordsConfig()) as attack:
        once()
        seen: list[Tensor] = []
        attack.again(pair, lambda: seen.extend(call.offset for call in attack._offsets.calls()))
    assert len(seen) == 2
    assert not torch.equal(seen[0], seen[1])


def test_low_precision_gives_nearly_the_same_gradients() -> None:
    network = Classifier()
    exact = attacked(moving_words(network, WordsConfig(steps=3)), network, **BATCH)
    network.zero_grad()

    def once() -> None:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = network(**BATCH)["loss"]
        loss.backward()

    with moving_words(network, WordsConfig(steps=3)) as attack:
        once()
        attack.again(network, once)
    for name, gradient in gradients(network).items():
        torch.testing.assert_close(gradient, exact[name], rtol=0.1, atol=0.02, msg=name)


def test_a_network_wrapped_for_several_processes_learns_the_same(tmp_path: Path) -> None:
    network = Classifier()
    alone = attacked(moving_words(network, WordsConfig(steps=3)), network, **BATCH)
    network.zero_grad()
    torch.distributed.init_process_group("gloo", f"file://{tmp_path / 'meet'}", rank=0, world_size=1)
    try:
        wrapped = nn.parallel.DistributedDataParallel(network)
        once = learn(wrapped, **BATCH)
        with moving_words(network, WordsConfig(steps=3)) as attack:
            for _ in range(2):  # a second batch after the first
                wrapped.zero_grad()
                once()
                attack.again(wrapped, once)
        together = gradients(wrapped)
        # The wrapper goes first: where it is the last that holds the group, its end waits, with Python's
        # lock in its hand, for a thread of the group that asks for the same lock.
        del wrapped, once
    finally:
        torch.distributed.destroy_process_group()
    for name, gradient in together.items():
        torch.testing.assert_close(gradient, alone[name])


def test_a_pass_that_failed_leaves_nothing_behind() -> None:
    network = Classifier()
    expected = attacked(moving_words(network, WordsConfig()), network, **BATCH)
    network.zero_grad()
    once = learn(network, **BATCH)
    with moving_words(network, WordsConfig()) as attack:
        once()
        with pytest.raises(MemoryError):
            attack.again(network, _used_up)
        network.zero_grad()
        once()
        attack.again(network, once)
    for name, gradient in gradients(network).items():
        torch.testing.assert_close(gradient, expected[name])


def _used_up() -> None:
    raise MemoryError


def test_evaluation_sees_the_network_as_it_is() -> None:
    network = Classifier()
    with torch.no_grad():
        expected = network(**BATCH)["outputs"]
        with moving_words(network, WordsConfig()) as attack:
            torch.testing.assert_close(network(**BATCH)["outputs"], expected)
            assert attack._offsets.calls() == []


def test_row_that_the_loss_does_not_ask_for_stays_where_it_is() -> None:
    network = Classifier()
    with offsets_of_words(network) as offsets:
        logits = network(**BATCH)["outputs"]
        logits[0].sum().backward()
        from huaxiang.encoders.hardening.balls import RowBall

        (call,) = offsets.calls()
        assert call.offset.grad is not None
        moved = RowBall(1.0).stepped(call.offset, call.offset.grad, call.value, 1.0)
    assert moved[0].norm() > 0
    assert moved[1:].norm() == 0


def test_an_attack_without_a_pass_says_so() -> None:
    network = Classifier()
    with (
        moving_words(network, WordsConfig()) as attack,
        pytest.raises(TrainingError, match="saw no pass"),
    ):
        attack.again(network, learn(network, **BATCH))


def test_a_network_without_words_is_refused() -> None:
    with pytest.raises(EncoderError, match="no word vectors"):
        input_embeddings(Photos())


def test_whole_numbers_as_pixels_are_refused() -> None:
    network = Photos()
    given = {**PHOTOS, "pixel_values": torch.zeros(3, 3, 6, 6, dtype=torch.uint8)}
    with pytest.raises(EncoderError, match="whole numbers"):
        attacked(moving_pixels(network, PixelsConfig()), network, **given)


def test_pixels_under_another_name_are_asked_for() -> None:
    network = Photos()
    with pytest.raises(EncoderError, match="name the argument"):
        attacked(moving_pixels(network, PixelsConfig(), name="photo"), network, **PHOTOS)


def test_pixels_of_a_part_are_moved_where_the_network_is_given_something_else() -> None:
    network = Photos()
    found = attacked(moving_pixels(network, PixelsConfig()), network, **PHOTOS)
    of_part = attacked(moving_pixels(network, PixelsConfig(), module=network.layer), network, **PHOTOS)
    torch.testing.assert_close(of_part["head.weight"], found["head.weight"])


@pytest.mark.parametrize("wrong", [{"epsilon": 0.0}, {"steps": 0}, {"step_size": -1.0}])
def test_settings_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    for config in (WordsConfig, PixelsConfig):
        with pytest.raises(SettingsError):
            config(**wrong)
