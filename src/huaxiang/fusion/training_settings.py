"""The settings of every fusion that is trained."""

from __future__ import annotations

from dataclasses import dataclass

from huaxiang.errors import SettingsError


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """How a fusion is trained.

    Parameters
    ----------
    dimensions
        D, 1 to 512.
    steps
        At most so many; 0 leaves the closed-form start. 400 take about 5 s on two cores.
    batch
        Pairs per step, each the others' counterexample. ≥ 2.
    learning_rate, weight_decay
        AdamW's. > 0 and ≥ 0.
    modality_dropout
        Chance that a modality is hidden in training, so that an item with one of them lands near itself.
        0 to 1, 1 excluded.
    alignment
        Weight of "what one modality says of an item lies near what the other says", beside "what goes
        together lies near". ≥ 0.
    """

    dimensions: int = 128
    steps: int = 400
    batch: int = 256
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    modality_dropout: float = 0.3
    alignment: float = 0.5

    def __post_init__(self) -> None:
        allowed = {
            "dimensions": 1 <= self.dimensions <= 512,
            "steps": self.steps >= 0,
            "batch": self.batch >= 2,
            "learning_rate": self.learning_rate > 0,
            "weight_decay": self.weight_decay >= 0,
            "modality_dropout": 0 <= self.modality_dropout < 1,
            "alignment": self.alignment >= 0,
        }
        for name, is_allowed in allowed.items():
            if not is_allowed:
                remedy = "see the ranges in huaxiang.fusion.training_settings"
                raise SettingsError(f"fusion.{name}", value=str(getattr(self, name)), remedy=remedy)
