"""What is wrong with an encoder that is to put products near the queries they answer.

Each query is held against all products of the batch: its own judged ones share the target by their relevance,
those judged irrelevant, other queries' products and mined ones are to be far. Beside it, of two products
judged for one query the more relevant one should be the nearer.

Source
------
van den Oord et al., Contrastive Predictive Coding, 2018 (InfoNCE); Cao et al., Learning to Rank: From
Pairwise Approach to Listwise Approach, ICML 2007 (shared targets); Burges et al., Learning to Rank using
Gradient Descent, ICML 2005 (pairs); Moreira et al., NV-Retriever, 2024 (negatives stay below the match).
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from huaxiang.encoders.finetuning.bi_encoder import BiEncoder, cosines

_NONE = -1
_BELOW_MATCH = 0.95
_AT_ONCE = 512


class MatchNetwork(nn.Module):
    """A bi-encoder over products, rows 0 to P, and queries, after them.

    Parameters
    ----------
    known
        Sorted keys `query · P + product` of every judged pair: a product that was judged for a query is never
        its negative by chance.
    mined_QM
        Negatives of each query, -1 where there is none.
    sharpness
        What cosines are multiplied by.
    graded
        Weight of the order within a query.
    """

    mined_QM: Tensor
    known: Tensor

    def __init__(
        self,
        encoder: BiEncoder,
        *,
        n_products: int,
        known: NDArray[np.int64],
        mined_QM: NDArray[np.int64],
        sharpness: float,
        graded: float,
    ) -> None:
        super().__init__()
        self.texts = encoder
        self.n_products = n_products
        self.sharpness = sharpness
        self.graded = graded
        self.register_buffer("known", torch.from_numpy(known), persistent=False)
        # Part of a checkpoint: a fit that goes on must see the negatives that were mined before it stopped.
        self.register_buffer("mined_QM", torch.from_numpy(mined_QM))

    def forward(self, query_rows: Tensor, product_rows: Tensor, gains: Tensor) -> dict[str, Tensor]:
        """Return the mean loss.

        Parameters
        ----------
        query_rows
            Numbers of queries, (B,).
        product_rows
            Products judged for each, (B, L); -1 fills.
        gains
            Their relevance, 0 to 1, (B, L); 0 is irrelevant.
        """
        mined = self.mined_QM[query_rows]
        shown = torch.cat([product_rows, mined], 1)
        is_shown = shown != _NONE
        candidates_CD, which = self.texts.distinct(shown[is_shown])
        queries_BD = self.texts.vectors(query_rows + self.n_products)
        scores_BC = self.sharpness * cosines(queries_BD, candidates_CD)
        place = torch.full_like(shown, 0).masked_scatter(is_shown, which)[:, : product_rows.shape[1]]
        is_own = product_rows != _NONE
        different = torch.unique(shown[is_shown])
        wanted_BC = torch.zeros_like(scores_BC).scatter_add(1, place, gains * is_own)
        judged_BC = torch.zeros_like(scores_BC).scatter_add(1, place, is_own.to(scores_BC.dtype)) > 0
        keys_BC = query_rows[:, None] * self.n_products + different[None]
        hidden_BC = _is_in(keys_BC, self.known) & ~judged_BC
        loss = _listwise(scores_BC.masked_fill(hidden_BC, -torch.inf), wanted_BC, gains)
        own_BL = scores_BC.gather(1, place)
        if self.graded:
            loss = loss + self.graded * _pairwise(own_BL, gains, is_own)
        return {"loss": loss}

    def mine(
        self, queries: NDArray[np.int64], pool: NDArray[np.int64], best_of: list[NDArray[np.int64]]
    ) -> None:
        """Give some queries the products of the pool that are nearest now and were not judged for them.

        Those as near as the query's own best product are passed over: they are likely matches, too.

        Parameters
        ----------
        best_of
            The most relevant products of each of the queries.
        """
        n_mined = self.mined_QM.shape[1]
        if not n_mined or not len(queries) or not len(pool):
            return
        pool_CD = self.texts.encode(pool)
        for start in range(0, len(queries), _AT_ONCE):
            some = queries[start : start + _AT_ONCE]
            queries_BD = self.texts.encode(some + self.n_products)
            scores_BC = queries_BD @ pool_CD.T
            known_BC = np.isin(some[:, None] * self.n_products + pool[None], self.known.cpu().numpy())
            match_B = self._nearest_match(queries_BD, best_of[start : start + _AT_ONCE])
            scores_BC[known_BC | (scores_BC > _BELOW_MATCH * match_B[:, None])] = -np.inf
            nearest = np.argsort(-scores_BC, axis=1, kind="stable")[:, :n_mined]
            found = np.where(np.take_along_axis(scores_BC, nearest, 1) > -np.inf, pool[nearest], _NONE)
            self.mined_QM[torch.from_numpy(some), : found.shape[1]] = torch.from_numpy(found).to(
                self.mined_QM.device
            )

    def _nearest_match(
        self, queries_BD: NDArray[np.float32], best_of: list[NDArray[np.int64]]
    ) -> NDArray[np.float32]:
        flat = np.concatenate(best_of)
        owner = np.repeat(np.arange(len(best_of)), [len(rows) for rows in best_of])
        scores = (self.texts.encode(flat) * queries_BD[owner]).sum(1)
        nearest = np.full(len(best_of), -1.0, np.float32)
        np.maximum.at(nearest, owner, scores)
        return nearest


def _listwise(scores_BC: Tensor, wanted_BC: Tensor, gains: Tensor) -> Tensor:
    """Return the surprise at the relevant products, queries weighted by their best one."""
    shares_BC = wanted_BC / wanted_BC.sum(1, keepdim=True).clamp(min=1e-6)
    surprise_B = -(shares_BC * functional.log_softmax(scores_BC, 1).masked_fill(shares_BC == 0, 0)).sum(1)
    weight_B = gains.max(1).values
    return (surprise_B * weight_B).sum() / weight_B.sum().clamp(min=1e-6)


def _pairwise(own_BL: Tensor, gains: Tensor, is_own: Tensor) -> Tensor:
    """Return the surprise at which of two judged products is nearer, pairs weighted by their difference."""
    gap_BLL = gains[:, :, None] - gains[:, None, :]
    is_asked = is_own[:, :, None] & is_own[:, None, :] & (gap_BLL > 0)
    nearer_BLL = own_BL[:, :, None] - own_BL[:, None, :]
    weight_BLL = gap_BLL * is_asked
    return (functional.softplus(-nearer_BLL) * weight_BLL).sum() / weight_BLL.sum().clamp(min=1e-6)


def _is_in(keys: Tensor, known: Tensor) -> Tensor:
    if not len(known):
        return torch.zeros_like(keys, dtype=torch.bool)
    at = torch.searchsorted(known, keys).clamp(max=len(known) - 1)
    return known[at] == keys
