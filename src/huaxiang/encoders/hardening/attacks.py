"""What is left of a classifier's accuracy when its inputs are attacked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from huaxiang.encoders.hardening.base import TextAugmenter
from huaxiang.encoders.learning.base import in_range

if TYPE_CHECKING:
    from torch import Tensor, nn

    from huaxiang.encoders.hardening.adversarial import Config
    from huaxiang.encoders.hardening.offsets import Offsets

Probabilities = Callable[[Sequence[str]], NDArray[np.floating[Any]]]
"""N texts → (N, classes); the highest is the answer."""

Right = NDArray[np.bool_]

CLEAN = "clean"


@dataclass(frozen=True, kw_only=True)
class Held:
    """How a classifier held up.

    Parameters
    ----------
    attack
        `clean`, or its name.
    right_TN
        Whether the answer was right, for each try T and row N.
    changed
        Share of the rows, over all tries, that the attack changed.
    """

    attack: str
    right_TN: Right
    changed: float

    @property
    def accuracy(self) -> float:
        """Share of right answers, over all tries: bad luck."""
        return float(self.right_TN.mean())

    @property
    def worst(self) -> float:
        """Share of rows that were right in every try: an opponent who tries as often and looks."""
        return float(self.right_TN.all(axis=0).mean())

    def as_json(self) -> dict[str, Any]:
        """Return the row of a table."""
        tries, n = self.right_TN.shape
        return {
            "attack": self.attack,
            "accuracy": round(self.accuracy, 5),
            "worst": round(self.worst, 5),
            "changed": round(self.changed, 5),
            "tries": tries,
            "n": n,
        }


def under_rewriting(
    probabilities: Probabilities,
    texts: Sequence[str],
    labels_N: NDArray[np.int64],
    attacks: Mapping[str, TextAugmenter],
    *,
    tries: int = 3,
    seed: int = 0,
) -> tuple[Held, ...]:
    """Return how a classifier holds up, clean first, then under each way of writing its texts anew.

    Parameters
    ----------
    attacks
        Name → `Typos`, `Thesaurus`, `MaskedWords` or any other.
    tries
        Texts written per text and attack; ≥ 1.

    Examples
    --------
    >>> from huaxiang.encoders.hardening.edits import Deletion
    >>> says_red = lambda texts: np.array([[0, 1] if "red" in text else [1, 0] for text in texts])
    >>> held = under_rewriting(says_red, ["red hat", "a hat"], np.array([1, 0]), {"delete": Deletion()})
    >>> [(row.attack, row.accuracy, row.worst) for row in held]
    [('clean', 1.0, 1.0), ('delete', 0.8333333333333334, 0.5)]
    """
    return under_texts(probabilities, texts, labels_N, rewritten(texts, attacks, tries=tries, seed=seed))


def rewritten(
    texts: Sequence[str], attacks: Mapping[str, TextAugmenter], *, tries: int = 3, seed: int = 0
) -> dict[str, list[list[str]]]:
    """Return the texts that each attack writes, (tries, N): written once, to be asked of any classifier."""
    in_range("tries", tries, tries >= 1, "1 or more")
    found = {}
    for name, attack in attacks.items():
        rng = np.random.default_rng(seed)
        found[name] = [attack.augment(texts, rng) for _ in range(tries)]
    return found


def under_texts(
    probabilities: Probabilities,
    texts: Sequence[str],
    labels_N: NDArray[np.int64],
    written: Mapping[str, Sequence[Sequence[str]]],
) -> tuple[Held, ...]:
    """Return how a classifier holds up, clean first, then on what `rewritten` wrote."""
    held = [Held(attack=CLEAN, right_TN=_right(probabilities, texts, labels_N)[None], changed=0.0)]
    for name, tries in written.items():
        right_TN = np.stack([_right(probabilities, one, labels_N) for one in tries])
        changed = [after != before for one in tries for before, after in zip(texts, one, strict=True)]
        held.append(Held(attack=name, right_TN=right_TN, changed=float(np.mean(changed))))
    return tuple(held)


def under_moved_inputs(  # noqa: PLR0913 - what is attacked and how comes first, the rest has defaults
    network: nn.Module,
    batches: Iterable[Mapping[str, Tensor]],
    config: Config,
    *,
    tries: int = 1,
    seed: int = 0,
    name: str = "pixel_values",
    module: nn.Module | None = None,
    outputs: str = "outputs",
    targets: str = "targets",
) -> Held:
    """Return how a network holds up when what it is given is moved against it (PGD, random start).

    A row counts as right when it is right as it is and at every point that a try visits. The network's
    weights, gradients and mode are what they were afterwards.

    Parameters
    ----------
    network
        Its `forward` takes a batch by name and returns a dict with `loss` and the outputs, (B, classes).
    config
        `WordsConfig` moves the words' vectors, `PixelsConfig` the pixels. The steps are those that an
        opponent makes: give more than were trained against.
    tries
        Random starts; ≥ 1.
    name, module
        As for `moving_pixels`; `module` as for `moving_words`.
    outputs, targets
        Under which name the network returns its outputs, and a batch has its classes.

    Source
    ------
    Madry et al., 2018, section 3.
    """
    in_range("tries", tries, tries >= 1, "1 or more")
    found = []
    with _asked_only(network), _offsets(network, config, name, module) as offsets:
        for at, batch in enumerate(batches):
            asked = _Asked(network, batch, outputs, targets)
            clean = asked.right()
            parts = [clean & _stood(asked, config, offsets, seed=(seed, at, turn)) for turn in range(tries)]
            found.append(np.stack(parts))
    return Held(attack="moved inputs", right_TN=np.concatenate(found, axis=1), changed=1.0)


def _right(probabilities: Probabilities, texts: Sequence[str], labels_N: NDArray[np.int64]) -> Right:
    return np.asarray(np.argmax(probabilities(texts), axis=1) == labels_N)


@dataclass(frozen=True)
class _Asked:
    """A network, and the batch that it is asked about."""

    network: nn.Module
    batch: Mapping[str, Tensor]
    outputs: str
    targets: str

    def right(self) -> Right:
        """Return which rows are right."""
        import torch

        with torch.no_grad():
            return self._compared(self.network(**self.batch))

    def climbed(self) -> Right:
        """Return which rows are right, and leave the gradients of what is moved."""
        said = self.network(**self.batch)
        said["loss"].mean().backward()
        return self._compared(said)

    def _compared(self, said: Mapping[str, Tensor]) -> Right:
        chosen = said[self.outputs].argmax(1)
        return np.asarray((chosen == self.batch[self.targets].to(chosen.device)).cpu().numpy())


def _stood(asked: _Asked, config: Config, offsets: Offsets, *, seed: tuple[int, int, int]) -> Right:
    """Return which rows of a batch are right at every point of one climb."""
    import torch

    from huaxiang.encoders.hardening.adversarial import climb, step_share

    ball, share = config.ball(), step_share(config)
    drawn = torch.Generator().manual_seed(int(np.random.default_rng(seed).integers(2**62)))
    offsets.start = lambda value: ball.random(value, drawn)
    right = asked.climbed()
    with offsets.moving():
        for step in range(config.steps):
            is_last = step == config.steps - 1
            climb(offsets, ball, share, is_last=is_last)
            right &= asked.right() if is_last else asked.climbed()
    return right


def _offsets(network: nn.Module, config: Config, name: str, module: nn.Module | None) -> Any:
    from huaxiang.encoders.hardening.adversarial import WordsConfig
    from huaxiang.encoders.hardening.offsets import offsets_of_pixels, offsets_of_words

    if isinstance(config, WordsConfig):
        return offsets_of_words(network, module)
    return offsets_of_pixels(network, name, module)


@contextmanager
def _asked_only(network: nn.Module) -> Iterator[None]:
    """Ask a network without teaching it: no dropout, no running means, no gradients of weights."""
    import torch

    from huaxiang.encoders.hardening.adversarial import only_inputs_learn

    modes = {part: part.training for part in network.modules()}
    network.eval()
    try:
        with only_inputs_learn(network), torch.enable_grad():
            yield
    finally:
        for part, was_training in modes.items():
            part.training = was_training
