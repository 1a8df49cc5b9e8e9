"""A lesson that takes no time: four numbers, and a sum of them that is to be found."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

N_ROWS = 60


class Sums:
    """Rows of four numbers and their weighted sum, a little noise on each batch."""

    def __init__(self, n_rows: int = N_ROWS) -> None:
        self.x = np.random.default_rng(0).normal(size=(n_rows, 4)).astype("f")
        self.y = self.x @ np.array([1, 2, 3, 4], "f")
        self.lengths_N = np.arange(n_rows) % 7 + 1
        self.asked: list[list[int]] = []

    def batch(self, rows_B: NDArray[np.int64], rng: np.random.Generator) -> dict[str, Tensor]:
        self.asked.append(rows_B.tolist())
        noise = rng.normal(0, 0.01, (len(rows_B), 4)).astype("f")
        return {"x": torch.from_numpy(self.x[rows_B] + noise), "y": torch.from_numpy(self.y[rows_B])}


class Net(nn.Module):
    """Two layers with dropout between; the largest batch it takes can be bounded."""

    def __init__(self, *, dropout: float = 0.1, most_rows: int | None = None) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.body, self.dropout, self.head = nn.Linear(4, 8), nn.Dropout(dropout), nn.Linear(8, 1)
        self.most_rows = most_rows
        self.seen: list[int] = []

    def forward(self, x: Tensor, y: Tensor) -> dict[str, Tensor]:
        self.seen.append(len(x))
        if self.most_rows is not None and len(x) > self.most_rows:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes")
        return {"loss": ((self.head(self.dropout(self.body(x)))[:, 0] - y) ** 2).mean()}
