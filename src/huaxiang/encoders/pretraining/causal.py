"""The next token: what a model that writes learns from."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from huaxiang.encoders.learning.base import even_width
from huaxiang.encoders.pretraining.encoded import Encoded, Ids


class CausalLesson:
    """Whole documents between a start and an end mark; longer ones from a random place on.

    Source
    ------
    Radford et al., Improving Language Understanding by Generative Pre-Training, 2018.
    """

    def __init__(self, corpus: Encoded, *, max_tokens: int) -> None:
        self.corpus = corpus
        self.max_tokens = max_tokens
        self.lengths_N = np.minimum(corpus.lengths + 2, max_tokens)

    def batch(self, rows_B: Ids, rng: np.random.Generator) -> dict[str, Tensor]:
        """Return ids and their mask."""
        made = [self._row(int(row), rng) for row in rows_B]
        width = even_width(max(len(ids) for ids in made))
        ids_BT = np.full((len(made), width), self.corpus.marks.pad, np.int64)
        mask_BT = np.zeros_like(ids_BT)
        for at, ids in enumerate(made):
            ids_BT[at, : len(ids)], mask_BT[at, : len(ids)] = ids, 1
        return {"input_ids": torch.from_numpy(ids_BT), "attention_mask": torch.from_numpy(mask_BT)}

    def _row(self, row: int, rng: np.random.Generator) -> Ids:
        marks = self.corpus.marks
        ids, _ = self.corpus.tokens(row, 0, self.corpus.n_sentences(row))
        whole = np.concatenate([[marks.cls], ids, [marks.sep]])
        start = int(rng.integers(max(len(whole) - self.max_tokens, 0) + 1))
        return whole[start : start + self.max_tokens]
