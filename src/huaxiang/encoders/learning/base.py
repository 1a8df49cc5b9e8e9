"""What a language or image model is taught, and how long: the contract between a lesson and the trainer."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from huaxiang.errors import SettingsError

if TYPE_CHECKING:
    from torch import Tensor

Precision = Literal["auto", "fp32", "bf16"]
Schedule = Literal["cosine", "linear", "constant"]
Validate = Callable[[], Mapping[str, float]]
"""Figures of the network as it is now; called in evaluation mode, without gradients."""


STEP = 8
"""Widths and sizes of batches are multiples of it: there are fewer shapes to compile."""


class Lesson(Protocol):
    """Rows to learn from, and how some of them become a batch."""

    lengths_N: NDArray[np.int64]
    """Tokens in each row, 1 for a photo: rows of like length share a batch."""

    def batch(self, rows_B: NDArray[np.int64], rng: np.random.Generator) -> dict[str, Tensor]:
        """Return what the network's `forward` takes; the first axis of each tensor is the rows.

        Everything random comes from `rng`, so that a fit which goes on after a kill sees the same batches.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class TrainerConfig:
    """How long and how fast a large model learns.

    Parameters
    ----------
    epochs
        Times that each row is seen; > 0.
    steps
        Optimiser steps instead of `epochs`; ≥ 1, None for all epochs.
    batch_tokens
        Tokens in a batch, padding included; ≥ 1. Photos count as one.
    batch_rows
        Most rows in a batch; ≥ 1.
    learning_rate
        Highest step size of AdamW; > 0.
    head_factor
        How many times faster the parameters named `head.…` learn; > 0.
    weight_decay
        Pull of each matrix towards 0, times the step size; ≥ 0.
    warmup_share
        Share of the fit in which the step size rises; 0 to 1. Then it falls as `schedule` says.
    clip_norm
        Longest gradient; longer ones are shortened; > 0.
    validations
        How often the held-out rows are asked, and the fit saved; ≥ 1.
    patience
        Validations without a better one after which the fit stops; ≥ 1, None never stops.
    precision
        bf16, fp32, or auto: bf16 where the machine multiplies it quicker.
    """

    epochs: float = 3.0
    steps: int | None = None
    batch_tokens: int = 4096
    batch_rows: int = 128
    learning_rate: float = 2e-4
    head_factor: float = 1.0
    weight_decay: float = 0.01
    warmup_share: float = 0.1
    schedule: Schedule = "cosine"
    clip_norm: float = 1.0
    validations: int = 4
    patience: int | None = None
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        for name in ("epochs", "learning_rate", "head_factor", "clip_norm"):
            in_range(name, getattr(self, name), getattr(self, name) > 0, "a number above 0")
        for name in ("batch_tokens", "batch_rows", "validations"):
            in_range(name, getattr(self, name), getattr(self, name) >= 1, "1 or more")
        for name in ("steps", "patience"):
            in_range(name, getattr(self, name) or 1, (getattr(self, name) or 1) >= 1, "1 or more")
        in_range("weight_decay", self.weight_decay, self.weight_decay >= 0, "0 or more")
        in_range("warmup_share", self.warmup_share, 0 <= self.warmup_share <= 1, "0 to 1")
        one_of("precision", self.precision, get_args(Precision))
        one_of("schedule", self.schedule, get_args(Schedule))


@dataclass(frozen=True, kw_only=True)
class Learnt:
    """How a fit went; the network holds the best weights, or the last ones where nothing was validated.

    Parameters
    ----------
    curve
        One mapping per point: `step`, and `loss` with `learning_rate`, or the figures of a validation.
    best
        Figures of the weights that were kept; empty where nothing was validated.
    steps
        Optimiser steps made in all.
    resumed_from
        Step from which an interrupted fit went on; 0 where it began anew.
    n_parts
        In how many parts a batch had to be learnt because the memory did not hold it whole.
    seconds
        Of this call; those of an interrupted one are not counted.
    """

    curve: tuple[Mapping[str, float], ...]
    best: Mapping[str, float]
    steps: int
    resumed_from: int
    n_parts: int
    precision: str
    device: str
    seconds: float

    @classmethod
    def at_once(cls, best: Mapping[str, float], *, seconds: float) -> Learnt:
        """Return how a fit without steps went, such as a linear model's."""
        return cls(
            curve=(),
            best=best,
            steps=0,
            resumed_from=0,
            n_parts=1,
            precision="fp32",
            device="cpu",
            seconds=seconds,
        )

    def as_json(self) -> dict[str, Any]:
        """Return everything but the curve."""
        return {
            "best": dict(self.best),
            "steps": self.steps,
            "resumed_from": self.resumed_from,
            "n_parts": self.n_parts,
            "precision": self.precision,
            "device": self.device,
            "seconds": round(self.seconds, 1),
        }


def is_lower_better(figure: str) -> bool:
    """Return whether less of a figure is better, by its name."""
    return figure.endswith(("loss", "error", "perplexity", "mae"))


def even_width(longest: int) -> int:
    """Return the width of a batch whose longest row has so many tokens.

    Examples
    --------
    >>> even_width(1), even_width(8), even_width(9)
    (8, 8, 16)
    """
    return -(-longest // STEP) * STEP


def in_range(name: str, value: float, is_allowed: bool, allowed: str) -> None:
    """Raise `SettingsError` unless a setting is allowed and finite."""
    if not is_allowed or not math.isfinite(value):
        raise SettingsError(
            "setting is out of range", column=name, value=str(value), remedy=f"give {allowed}"
        )


def one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    """Raise `SettingsError` unless a setting is one of a few words."""
    if value not in allowed:
        raise SettingsError(
            "setting is not known", column=name, value=str(value), remedy=f"choose {', '.join(allowed)}"
        )
