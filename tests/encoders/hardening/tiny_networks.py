"""Networks of a few numbers: words or pixels in, two classes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

WORDS = torch.tensor([[1, 2, 3, 0], [4, 4, 5, 6], [2, 6, 1, 3]])
LABELS = torch.tensor([0, 1, 1])


class Backbone(nn.Module):
    """A table of words and what is asked of every Hugging Face backbone."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(7, 4)

    def get_input_embeddings(self) -> nn.Module:
        return self.table


class Classifier(nn.Module):
    """The mean of the words' vectors, then a layer that is linear or is not."""

    def __init__(self, *, is_linear: bool = False, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.backbone = Backbone()
        self.middle = nn.Identity() if is_linear else nn.Sequential(nn.Linear(4, 8), nn.Tanh())
        self.head = nn.Linear(4 if is_linear else 8, 2)

    def forward(self, input_ids: Tensor, targets: Tensor) -> dict[str, Tensor]:
        return self.answer(self.backbone.table(input_ids), targets)

    def answer(self, vectors: Tensor, targets: Tensor) -> dict[str, Tensor]:
        logits = self.head(self.middle(vectors).mean(1))
        return {"loss": nn.functional.cross_entropy(logits, targets), "outputs": logits}


class Photos(nn.Module):
    """One layer on the pixels."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.layer = nn.Conv2d(3, 4, 3)
        self.head = nn.Linear(4, 2)

    def forward(self, pixel_values: Tensor, targets: Tensor) -> dict[str, Tensor]:
        logits = self.head(self.layer(pixel_values).relu().mean((2, 3)))
        return {"loss": nn.functional.cross_entropy(logits, targets), "outputs": logits}


def learn(network: nn.Module, **batch: Tensor) -> Callable[[], None]:
    """Return what one pass does: its gradients are added to those there."""

    def once() -> None:
        network(**batch)["loss"].backward()

    return once


def gradients(network: nn.Module) -> dict[str, Tensor]:
    return {
        name.removeprefix("module."): weight.grad.clone()
        for name, weight in network.named_parameters()
        if weight.grad is not None
    }


def attacked(entered: Any, network: nn.Module, **batch: Tensor) -> dict[str, Tensor]:
    """Return the gradients after a plain pass and an attack."""
    network.zero_grad()
    once = learn(network, **batch)
    with entered as attack:
        once()
        attack.again(network, once)
    return gradients(network)
