"""Which passages belong together: what makes sentence vectors of a language model, or keeps them good.

A document is cut between two of its sentences, such as a title and its description; each half should lie
nearer to its other half than to those of the rest of the batch. A document of one sentence is its own other
half, seen through two dropouts.

Source
------
van den Oord et al., Contrastive Predictive Coding, 2018 (InfoNCE); Gao et al., SimCSE, EMNLP 2021.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from huaxiang.encoders.pooled import pooled
from huaxiang.encoders.pretraining.encoded import Encoded, Ids
from huaxiang.encoders.tokens import pad

SHARPNESS = 20.0


class PassageLesson:
    """Documents cut in two."""

    def __init__(self, corpus: Encoded, *, max_tokens: int) -> None:
        self.corpus = corpus
        self.max_tokens = max_tokens
        self.lengths_N = np.minimum(corpus.lengths + 4, 2 * max_tokens)

    def batch(self, rows_B: Ids, rng: np.random.Generator) -> dict[str, Tensor]:
        """Return ids and masks of both halves."""
        halves = [self._halves(int(row), rng) for row in rows_B]
        made = {}
        for at, name in enumerate(("first", "second")):
            arrays = pad([pair[at].tolist() for pair in halves], pad_id=self.corpus.marks.pad)
            made[f"{name}_ids"] = torch.from_numpy(arrays["input_ids"])
            made[f"{name}_mask"] = torch.from_numpy(arrays["attention_mask"])
        return made

    def _halves(self, row: int, rng: np.random.Generator) -> tuple[Ids, Ids]:
        n = self.corpus.n_sentences(row)
        at = int(rng.integers(1, n)) if n > 1 else n
        first = self._marked(self.corpus.tokens(row, 0, at)[0])
        second = self._marked(self.corpus.tokens(row, at, n)[0]) if n > 1 else first
        return first, second

    def _marked(self, ids: Ids) -> Ids:
        marks = self.corpus.marks
        return np.concatenate([[marks.cls], ids[: self.max_tokens - 2], [marks.sep]])


class PassageNetwork(nn.Module):
    """The mean of a model's tokens as a passage's vector.

    Parameters
    ----------
    anchor
        Pull towards the vectors of the model as it came, which keeps what they already knew; 0 for none.
    """

    def __init__(self, model: Any, *, anchor: float = 0.0) -> None:
        super().__init__()
        self.model = model
        self.anchor = anchor
        self._past = [copy.deepcopy(model).eval().requires_grad_(False)] if anchor else []

    def forward(
        self, first_ids: Tensor, first_mask: Tensor, second_ids: Tensor, second_mask: Tensor
    ) -> dict[str, Tensor]:
        """Return the mean loss of both ways, and how often the own half is the nearest."""
        first, second = self.vectors(first_ids, first_mask), self.vectors(second_ids, second_mask)
        with torch.autocast(first.device.type, enabled=False):  # in bf16 scores would come in steps of .1
            scores = SHARPNESS * first @ second.T
        own = torch.arange(len(first), device=first.device)
        loss = (functional.cross_entropy(scores, own) + functional.cross_entropy(scores.T, own)) / 2
        seen = {"pair_loss": loss.detach(), "pair_right": (scores.argmax(1) == own).float().mean()}
        if self.anchor:
            loss = loss + self.anchor * self._moved(first, first_ids, first_mask)
        return {"loss": loss, **seen}

    def vectors(self, ids: Tensor, mask: Tensor, *, model: Any = None) -> Tensor:
        """Return unit vectors, (B, D), float32."""
        asked = model or self.model
        base = getattr(asked, "base_model", asked)
        tokens = base(input_ids=ids, attention_mask=mask).last_hidden_state
        return functional.normalize(pooled(tokens, mask, "mean").float(), dim=-1)

    def _moved(self, vectors: Tensor, ids: Tensor, mask: Tensor) -> Tensor:
        """Return how far the vectors have moved, as one less the cosine."""
        past = self._past[0].to(vectors.device)
        with torch.no_grad():
            before = self.vectors(ids, mask, model=past)
        return (1 - (vectors * before).sum(1)).mean()
