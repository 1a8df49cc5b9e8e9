"""Rows in batches of like length, the same for a fit and for the one that goes on from it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from huaxiang.encoders.learning.base import Lesson, TrainerConfig
from huaxiang.training import length_batches

Key = tuple[int, int]
"""Epoch and row: what a batch draws at random differs between epochs, and not between a fit and its rerun."""


class Rows(Dataset[Key]):
    """The lesson's rows in batches of like length; the same number of batches in each epoch."""

    def __init__(self, lesson: Lesson, config: TrainerConfig, *, seed: int) -> None:
        self.lesson = lesson
        self.seed = seed
        rng = np.random.default_rng(seed)
        in_order = np.sort(lesson.lengths_N)
        found = length_batches(in_order, batch_events=config.batch_tokens, rng=rng)
        parts = [part for rows in found for part in _cut(rows, config.batch_rows)]
        self.sizes = [len(part) for part in sorted(parts, key=lambda part: int(part[0]))]

    def __len__(self) -> int:
        return len(self.lesson.lengths_N)

    def __getitem__(self, key: Key) -> Key:
        return key

    def batches(self, epoch: int) -> list[list[Key]]:
        """Return the rows of each batch of an epoch."""
        rng = np.random.default_rng([self.seed, epoch])
        lengths_N = self.lesson.lengths_N
        order = np.argsort(lengths_N * rng.uniform(1.0, 1.3, len(lengths_N)), kind="stable")
        ends = np.cumsum(self.sizes)
        parts = np.split(order, ends[:-1])
        return [[(epoch, int(row)) for row in parts[at]] for at in rng.permutation(len(parts))]

    def collate(self, keys: list[Key]) -> dict[str, Tensor]:
        """Return a batch; what is random in it depends on seed, epoch and rows alone."""
        rows_B = np.array([row for _, row in keys], np.int64)
        rng = np.random.default_rng([self.seed, keys[0][0], len(rows_B), *rows_B[:4].tolist()])
        return self.lesson.batch(rows_B, rng)


class Batches(Sampler[list[Key]]):
    """What a loader asks for the batches of the epoch."""

    def __init__(self, rows: Rows, world: int) -> None:
        self.rows = rows
        self.epoch = 0
        self.world = world

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch's batches are asked for next."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[list[Key]]:
        batches = self.rows.batches(self.epoch)
        yield from batches
        yield from batches[: len(self) - len(batches)]  # every process makes the same number of steps

    def __len__(self) -> int:
        return -(-len(self.rows.sizes) // self.world) * self.world


def _cut(rows: NDArray[np.int64], most: int) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(rows), most):
        yield rows[start : start + most]
