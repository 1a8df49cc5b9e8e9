"""Several objectives over one model, learnt from the same batch."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn


class JointNetwork(nn.Module):
    """The sum of the losses of several networks that share one model."""

    def __init__(self, parts: Sequence[Any]) -> None:
        super().__init__()
        self.model = parts[0].model
        self.parts = nn.ModuleList(parts)

    def forward(self, **fields: Tensor) -> dict[str, Tensor]:
        """Return the summed loss, and what each network says beside it."""
        found: dict[str, Tensor] = {}
        for part in self.parts:
            wanted = inspect.signature(part.forward).parameters
            said = part(**{name: value for name, value in fields.items() if name in wanted})
            loss = said.pop("loss")
            found = {**found, **said, "loss": found["loss"] + loss if "loss" in found else loss}
        return found
