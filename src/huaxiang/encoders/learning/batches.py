"""Rows in batches of like length, the same for a fit and for the one that goes on from it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from huaxiang.encoders.learning.base import STEP, Lesson, TrainerConfig, even_width

Key = tuple[int, int]
"""Epoch and row: what a batch draws at random differs between epochs, and not between a fit and its rerun."""


class Rows(Dataset[Key]):
    """The lesson's rows in batches of like length; the same number of batches in each epoch."""

    def __init__(self, lesson: Lesson, config: TrainerConfig, *, seed: int) -> None:
        self.lesson = lesson
        self.seed = seed
        self.sizes = batch_sizes(np.sort(lesson.lengths_N), config)

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


def batch_sizes(sorted_N: NDArray[np.int64], config: TrainerConfig) -> list[int]:
    """Return how many rows each batch has, shortest rows first.

    Sizes and widths come in steps, since each new shape is compiled anew, which takes longer than it saves.
    One row left over joins the batch before it: layers that normalise over a batch can't learn from one.

    Examples
    --------
    >>> batch_sizes(np.array([5] * 20 + [30] * 6), TrainerConfig(batch_tokens=128))
    [16, 4, 4, 2]
    >>> batch_sizes(np.ones(9, int), TrainerConfig(batch_tokens=8))
    [9]
    """
    sizes, first = [], 0
    while first < len(sorted_N):
        size = 1
        while first + size < len(sorted_N) and size < config.batch_rows:
            longest = int(sorted_N[first + size])
            if _width(longest) * (size + 1) > config.batch_tokens:
                break
            size += 1
        is_last = first + size == len(sorted_N)
        sizes.append(size if size < STEP or is_last else size - size % STEP)
        first += sizes[-1]
    if len(sizes) > 1 and sizes[-1] == 1:
        sizes[-2:] = [sizes[-2] + 1]
    return sizes


def _width(longest: int) -> int:
    """Return what a row costs: photos count as one."""
    return even_width(longest) if longest > 1 else 1
