"""Learn a fusion from what goes together, with modalities hidden at random.

Two items of a pair should be near (InfoNCE among the pairs of a batch), whichever modalities are left of
each; and the same item seen through two of its modalities should be near itself. A tenth of the pairs is
held out; the weights kept are those that surprise it least, the closed-form start among them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huaxiang.errors import MissingExtraError
from huaxiang.fusion.trained import TrainingSettings

try:
    import torch
    from torch import Tensor
except ImportError as error:  # pragma: no cover - the base install
    raise MissingExtraError.of("torch", extra="train") from error

Forward = Callable[[Any, Mapping[str, Any], Any, Any], tuple[Any, Any]]
SHARPEST = 50.0
CHECK_EVERY = 50
FEWEST_PAIRS = 16


def train(
    forward: Forward,
    start: Mapping[str, NDArray[np.float32]],
    codes_MID: NDArray[np.float32],
    present_MI: NDArray[np.float32],
    pairs_P2: NDArray[np.int32],
    settings: TrainingSettings,
    *,
    seed: int,
) -> dict[str, NDArray[np.float32]]:
    """Return the arrays of `forward` after training; those of `start` where nothing better is found."""
    pairs_P2 = np.asarray(pairs_P2, np.int32).reshape(-1, 2)
    pairs = torch.from_numpy(pairs_P2[pairs_P2[:, 0] != pairs_P2[:, 1]].astype(np.int64))
    if len(codes_MID) < 2 and len(pairs) < FEWEST_PAIRS:
        return dict(start)
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the products are too small to share, and waiting threads cost more
    try:
        return _best(_Run(forward, start, codes_MID, present_MI, pairs, settings, seed))
    finally:
        torch.set_num_threads(n_threads)


def _best(run: _Run) -> dict[str, NDArray[np.float32]]:
    best, least = run.snapshot(), run.surprise()
    for step in range(1, run.settings.steps + 1):
        run.step(step)
        if step % CHECK_EVERY == 0 or step == run.settings.steps:
            now = run.surprise()
            if now < least:
                best, least = run.snapshot(), now
    return best


class _Run:
    """One training: weights, optimiser, and the pairs learnt from and held out."""

    def __init__(
        self,
        forward: Forward,
        start: Mapping[str, NDArray[np.float32]],
        codes_MID: NDArray[np.float32],
        present_MI: NDArray[np.float32],
        pairs: Tensor,
        settings: TrainingSettings,
        seed: int,
    ) -> None:
        self.forward, self.settings = forward, settings
        self.codes, self.present = torch.from_numpy(codes_MID), torch.from_numpy(present_MI)
        self.chance = torch.Generator().manual_seed(seed)
        self.weights = {name: torch.from_numpy(a.copy()).requires_grad_() for name, a in start.items()}
        self.log_sharpness = torch.tensor(float(np.log(10.0)), requires_grad=True)
        self.optimiser = torch.optim.AdamW(
            [
                {"params": list(self.weights.values()), "weight_decay": settings.weight_decay},
                {"params": [self.log_sharpness], "weight_decay": 0.0},
            ],
            lr=settings.learning_rate,
        )
        shuffled = pairs[torch.randperm(len(pairs), generator=self.chance)]
        n_held = min(1024, len(shuffled) // 10)
        self.held, self.pairs = shuffled[:n_held], shuffled[n_held:]
        self.several = torch.nonzero(self.present.sum(0) >= 2).flatten()

    def step(self, step: int) -> None:
        """Take one step; the learning rate falls to zero along a cosine."""
        rate = 0.5 * (1 + np.cos(np.pi * step / self.settings.steps))
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings.learning_rate * rate
        loss = torch.zeros(())
        if len(self.pairs) >= FEWEST_PAIRS:
            first, second = self._some(self.pairs).T
            loss = loss + self._surprise(first, self._hidden(first), second, self._hidden(second))
        if len(self.several) >= 2 and self.settings.alignment:
            rows = self._some(self.several)
            one, other = self._split(rows)
            loss = loss + self.settings.alignment * self._surprise(rows, one, rows, other)
        if loss.requires_grad:
            self.optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimiser.step()

    def snapshot(self) -> dict[str, NDArray[np.float32]]:
        """Return a copy of the weights."""
        return {name: weight.detach().numpy().copy() for name, weight in self.weights.items()}

    @torch.no_grad()
    def surprise(self) -> float:
        """Return the held-out surprise: of pairs seen whole, and of items seen through one modality each."""
        total = 0.0
        if len(self.held) >= 2:
            first, second = self.held.T
            total += float(self._surprise(first, self.present[:, first], second, self.present[:, second]))
        if len(self.several) >= 2 and self.settings.alignment:
            rows = self.several[:1024]
            one = self._split(rows, chance=torch.Generator().manual_seed(0))
            total += self.settings.alignment * float(self._surprise(rows, one[0], rows, one[1]))
        return total

    def _surprise(self, first: Tensor, shown: Tensor, second: Tensor, shown_second: Tensor) -> Tensor:
        one, _ = self.forward(torch, self.weights, self.codes[:, first] * shown[..., None], shown)
        other, _ = self.forward(
            torch, self.weights, self.codes[:, second] * shown_second[..., None], shown_second
        )
        logits = torch.clip(self.log_sharpness.exp(), max=SHARPEST) * one @ other.T
        same = (second[None, :] == second[:, None]) | (second[None, :] == first[:, None])
        same.fill_diagonal_(False)
        logits = logits.masked_fill(same, -torch.inf)
        target = torch.arange(len(first))
        return torch.nn.functional.cross_entropy(logits, target)

    def _some(self, rows: Tensor) -> Tensor:
        return rows[torch.randint(len(rows), (self.settings.batch,), generator=self.chance)]

    def _hidden(self, rows: Tensor) -> Tensor:
        """Return which modalities are shown: each is hidden by chance, but never all of an item's."""
        present = self.present[:, rows]
        luck = torch.rand(present.shape, generator=self.chance) * present
        kept = (luck >= self.settings.modality_dropout) | (luck == luck.amax(0))
        return present * kept

    def _split(self, rows: Tensor, *, chance: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Return two views of each item: one of its modalities, and another one."""
        present = self.present[:, rows]
        luck = (torch.rand(present.shape, generator=chance or self.chance) + 1e-6) * present
        order = luck.argsort(0, descending=True)
        views = torch.zeros(2, *present.shape)
        for view in range(2):
            views[view].scatter_(0, order[view : view + 1], 1.0)
        return views[0], views[1]
