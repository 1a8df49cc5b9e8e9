"""Adversarial training: a batch is learnt once more, moved a little in the direction that hurts most."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor, nn

from huaxiang.encoders.hardening.balls import Ball, PixelBall, RowBall
from huaxiang.encoders.hardening.offsets import Call, Offsets, offsets_of_pixels, offsets_of_words
from huaxiang.encoders.learning.base import in_range
from huaxiang.errors import TrainingError

Way = Literal["fgm", "pgd"]


@dataclass(frozen=True, kw_only=True)
class WordsConfig:
    """How far the vectors of a text's words are moved.

    Parameters
    ----------
    epsilon
        Length of the move of a whole text, all its words taken together, in units of the typical size of
        one number of their vectors; > 0.
    steps
        1 is FGM: one whole step along the gradient. More are PGD, which looks again after each.
    step_size
        Length of a step, in the unit of `epsilon`; > 0. None is `epsilon` for one step, and 2.5 epsilon
        / steps for several, so that they reach the edge and turn there.
    """

    epsilon: float = 5.0
    steps: int = 1
    step_size: float | None = None

    def __post_init__(self) -> None:
        _check(self.epsilon, self.steps, self.step_size)

    @classmethod
    def of(cls, way: Way) -> WordsConfig:
        """Return the usual settings of FGM or of PGD."""
        return cls() if way == "fgm" else cls(steps=3)

    def ball(self) -> RowBall:
        """Return the moves that are allowed."""
        return RowBall(self.epsilon)


@dataclass(frozen=True, kw_only=True)
class PixelsConfig:
    """How far the pixels of a photo are moved.

    Parameters
    ----------
    epsilon
        Most that one colour of one pixel changes, of the way from black (0) to white (1); > 0.
    steps
        1 is FGSM: one whole step along the gradient's signs. More are PGD.
    step_size
        Length of a step, in the unit of `epsilon`; > 0. None as for words.
    mean, std
        What the image processor subtracts from each colour, and divides it by.
    """

    epsilon: float = 4 / 255
    steps: int = 3
    step_size: float | None = None
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)

    def __post_init__(self) -> None:
        _check(self.epsilon, self.steps, self.step_size)
        in_range("adversarial.std", min(self.std), min(self.std) > 0, "numbers above 0")

    def ball(self) -> PixelBall:
        """Return the moves that are allowed."""
        return PixelBall(self.epsilon, self.mean, self.std)


Config = WordsConfig | PixelsConfig


class Adversary:
    """What `train_large` calls after each batch: the gradients of the moved batch are added to its own.

    Made by `moving_words` or `moving_pixels`, which have to be entered before the batch is learnt: the
    first step uses the gradient that the plain pass left.

    Source
    ------
    Miyato, Dai and Goodfellow, Adversarial training methods for semi-supervised text classification, ICLR
    2017, section 3: the plain loss and that of the moved text count alike. Madry et al., Towards deep
    learning models resistant to adversarial attacks, ICLR 2018, section 2.1; ours begins at the plain
    example and not at a random point near it, which saves a pass, and learns from the plain one too.
    """

    def __init__(self, offsets: Offsets, config: Config) -> None:
        self._offsets = offsets
        self._ball: Ball = config.ball()
        self._steps = config.steps
        self._share = step_share(config)

    def again(self, network: nn.Module, repeat: Callable[[], None]) -> None:
        """Move what the network was given, call `repeat`, and move it back.

        Raises
        ------
        TrainingError
            There was no pass to start from, or its loss does not ask for what is moved.
        """
        if all(call.offset.grad is None for call in self._offsets.calls()):
            raise TrainingError(
                "the attack saw no pass that used what it moves",
                remedy="enter `moving_words` or `moving_pixels` before the batch, and check its module",
            )
        with self._offsets.moving():
            climb(self._offsets, self._ball, self._share, is_last=self._steps == 1)
            for step in range(1, self._steps):
                with only_inputs_learn(network):
                    repeat()
                climb(self._offsets, self._ball, self._share, is_last=step == self._steps - 1)
            repeat()


def climb(offsets: Offsets, ball: Ball, share: float, *, is_last: bool) -> None:
    """Move each offset a step up the loss; one that the loss did not ask for stays."""

    def moved(call: Call) -> Tensor:
        if call.offset.grad is None:
            return call.offset
        return ball.stepped(call.offset, call.offset.grad, call.value, share)

    offsets.move(moved, is_last=is_last)


@contextmanager
def moving_words(
    network: nn.Module, config: WordsConfig, *, module: nn.Module | None = None
) -> Iterator[Adversary]:
    """Yield the attack on what a network's words are looked up as, to be given to `train_large`.

    Parameters
    ----------
    network
        As given to `train_large`; it may be wrapped for several devices afterwards.
    module
        What looks the words up; None finds it by `get_input_embeddings`.
    """
    with offsets_of_words(network, module) as offsets:
        yield Adversary(offsets, config)


@contextmanager
def moving_pixels(
    network: nn.Module,
    config: PixelsConfig,
    *,
    name: str = "pixel_values",
    module: nn.Module | None = None,
) -> Iterator[Adversary]:
    """Yield the attack on a network's photos, to be given to `train_large`.

    Parameters
    ----------
    name
        Argument of the network's `forward` that holds the scaled pixels, (rows, colours, height, width).
    module
        The part that takes them, where the network itself is given something else.
    """
    with offsets_of_pixels(network, name, module) as offsets:
        yield Adversary(offsets, config)


@contextmanager
def only_inputs_learn(network: nn.Module) -> Iterator[None]:
    """Let a backward pass leave every weight's gradient as it is; other processes are not told of it."""
    learning = [weight for weight in network.parameters() if weight.requires_grad]
    alone: Any = getattr(network, "no_sync", nullcontext)
    for weight in learning:
        weight.requires_grad_(False)
    try:
        with alone():
            yield
    finally:
        for weight in learning:
            weight.requires_grad_(True)


def step_share(config: Config) -> float:
    """Return the length of a step as a share of the radius.

    Examples
    --------
    >>> step_share(WordsConfig(steps=1)), step_share(WordsConfig(steps=5)), step_share(
    ...     WordsConfig(epsilon=2.0, steps=5, step_size=1.0)
    ... )
    (1.0, 0.5, 0.5)
    """
    if config.step_size is not None:
        return config.step_size / config.epsilon
    return 1.0 if config.steps == 1 else 2.5 / config.steps


def _check(epsilon: float, steps: int, step_size: float | None) -> None:
    in_range("adversarial.epsilon", epsilon, epsilon > 0, "a number above 0")
    in_range("adversarial.steps", steps, steps >= 1, "1 or more")
    if step_size is not None:
        in_range("adversarial.step_size", step_size, step_size > 0, "a number above 0")
