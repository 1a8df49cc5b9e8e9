"""How far an input may be moved against a network, and the step that does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class Ball(Protocol):
    """The moves that are allowed around each row of a batch."""

    def stepped(self, offset: Tensor, gradient: Tensor, value: Tensor, share: float) -> Tensor:
        """Return the offset after a step up the loss, as long as `share` of the radius, and back inside."""
        ...

    def random(self, value: Tensor, generator: torch.Generator) -> Tensor:
        """Return an offset drawn inside the ball."""
        ...


@dataclass(frozen=True)
class RowBall:
    """Moves of a whole row of vectors, no longer than `epsilon` times the typical size of one number in it.

    Miyato et al. give the embeddings unit variance, so that a network can't make itself safe by letting
    them grow. Here the weights stay as they are and the radius grows with them: `epsilon` times the root
    of the mean square of the batch's numbers.
    """

    epsilon: float

    def stepped(self, offset: Tensor, gradient: Tensor, value: Tensor, share: float) -> Tensor:
        """Return the offset after a step along each row's gradient."""
        radius = self._radius(value)
        moved = offset.float() + share * radius * _unit(gradient.float())
        return self._inside(moved, radius).to(offset.dtype)

    def random(self, value: Tensor, generator: torch.Generator) -> Tensor:
        """Return moves in all directions alike, as long as the radius allows or shorter."""
        drawn = torch.randn(value.shape, generator=generator).to(value.device)
        share = torch.rand((len(value), *[1] * (value.ndim - 1)), generator=generator).to(value.device)
        return (self._radius(value) * share * _unit(drawn)).to(value.dtype)

    def _radius(self, value: Tensor) -> Tensor:
        return self.epsilon * value.float().square().mean().sqrt()

    @staticmethod
    def _inside(moved: Tensor, radius: Tensor) -> Tensor:
        return moved * (radius / _lengths(moved).clamp_min(1e-12)).clamp_max(1.0)


@dataclass(frozen=True)
class PixelBall:
    """Moves of each pixel by at most `epsilon`, which leave it between black and white.

    Parameters
    ----------
    epsilon
        Of the way from black (0) to white (1).
    mean, std
        What was subtracted from each colour and what it was divided by; rows are (colours, height, width).
    """

    epsilon: float
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def stepped(self, offset: Tensor, gradient: Tensor, value: Tensor, share: float) -> Tensor:
        """Return the offset after a step along the gradient's signs."""
        _, std = self._colours(value)
        moved = offset.float() + share * self.epsilon / std * gradient.float().sign()
        return self._inside(moved, value)

    def random(self, value: Tensor, generator: torch.Generator) -> Tensor:
        """Return moves of each pixel, all lengths alike."""
        drawn = torch.rand(value.shape, generator=generator).to(value.device) * 2 - 1
        return self._inside(drawn * self.epsilon / self._colours(value)[1], value)

    def _inside(self, moved: Tensor, value: Tensor) -> Tensor:
        mean, std = self._colours(value)
        near = moved.clamp(-self.epsilon / std, self.epsilon / std)
        shown = value.float()
        return near.clamp((0 - mean) / std - shown, (1 - mean) / std - shown).to(value.dtype)

    def _colours(self, value: Tensor) -> tuple[Tensor, Tensor]:
        mean, std = torch.tensor((self.mean, self.std), device=value.device)
        return mean[:, None, None], std[:, None, None]


def _lengths(rows: Tensor) -> Tensor:
    """Return the length of each row, all its numbers taken together, shaped to divide it."""
    lengths: Tensor = torch.linalg.vector_norm(rows.flatten(1), dim=1)
    return lengths.reshape(-1, *[1] * (rows.ndim - 1))


def _unit(rows: Tensor) -> Tensor:
    """Return rows of length 1; a row of zeros stays as it is."""
    return rows / _lengths(rows).clamp_min(1e-30)
