"""What is taken from a model to make it smaller, and how what is left learns from it."""

from __future__ import annotations

from dataclasses import dataclass, field

from huaxiang.encoders.learning.base import TrainerConfig, in_range


@dataclass(frozen=True, kw_only=True)
class TeachingConfig:
    """What counts how much in what a student learns from a teacher.

    Parameters
    ----------
    temperature
        Outputs of both are divided by it before they are compared: the higher, the more the unlikely classes
        tell; > 0.
    label_weight
        Share of the labels in the loss; the rest is the teacher's; 0 to 1.
    hidden_weight
        Weight of the distance between their states; ≥ 0.
    dropout
        Share of each vector left out while learning; 0 to 1.
    """

    temperature: float = 2.0
    label_weight: float = 0.3
    hidden_weight: float = 1.0
    dropout: float = 0.1

    def __post_init__(self) -> None:
        in_range("temperature", self.temperature, self.temperature > 0, "a number above 0")
        in_range("label_weight", self.label_weight, 0 <= self.label_weight <= 1, "0 to 1")
        in_range("hidden_weight", self.hidden_weight, self.hidden_weight >= 0, "0 or more")
        in_range("dropout", self.dropout, 0 <= self.dropout < 1, "0 to 1")


@dataclass(frozen=True, kw_only=True)
class CompressConfig:
    """What is taken from a model, in this order.

    Parameters
    ----------
    trim_vocabulary
        Whether tokens go that occur less than `fewest` times in the texts to learn from; ≥ 1.
    distil
        Student that learns what the model says: tiny, small, medium, base (from scratch), half, third (that
        share of its own layers), or a folder; empty for none.
    prune
        Share of the attention heads to remove; 0 to 1.
    prune_neurons
        Share of the neurons between to remove; 0 to 1.
    healing_epochs
        How long what is left learns from the model again after that; 0 or more.
    int8
        Whether weights are left eight bits each.
    timed_texts
        Test texts on which speed is measured, `repeats` times; ≥ 1.
    """

    trim_vocabulary: bool = False
    fewest: int = 1
    distil: str = ""
    prune: float = 0.0
    prune_neurons: float = 0.0
    healing_epochs: float = 2.0
    int8: bool = False
    timed_texts: int = 256
    repeats: int = 5
    teaching: TeachingConfig = field(default_factory=TeachingConfig)
    training: TrainerConfig = field(
        default_factory=lambda: TrainerConfig(epochs=6, learning_rate=1e-4, head_factor=5.0, validations=6)
    )

    def __post_init__(self) -> None:
        for name in ("prune", "prune_neurons"):
            in_range(name, getattr(self, name), 0 <= getattr(self, name) < 1, "0 to 1, without 1")
        for name in ("fewest", "timed_texts", "repeats"):
            in_range(name, getattr(self, name), getattr(self, name) >= 1, "1 or more")
        in_range("healing_epochs", self.healing_epochs, self.healing_epochs >= 0, "0 or more")

    @property
    def is_nothing(self) -> bool:
        """Whether no step is asked for."""
        return not (self.trim_vocabulary or self.distil or self.prune or self.prune_neurons or self.int8)
