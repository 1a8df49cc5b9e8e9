"""What a profile vector is compared with: five other ways to put a shopper into at most 512 numbers.

From the simplest to the richest: hand-made RFM features, counts of categories, the mean of item vectors, SVD
of the interaction matrix, and a GRU that learns to write a shopper's events down again from one vector. Each
reads the purchases of known shoppers before a moment, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from huaxiang.evaluate.representation import WIDEST
from huaxiang.evaluate.representation_tasks import BOUGHT, Moment, main_values
from huaxiang.records import Matrix
from huaxiang.shop.catalogue import Dimension
from huaxiang.training import Config as TrainingConfig
from huaxiang.training import train

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from torch import Tensor
    from torch.nn import Module

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DAY_MS = 86_400_000
WINDOWS_DAYS = (14, 28, 56, 112)
N_FACTORS = 64
GRU_WIDTH = 96
GRU_EVENTS = 24
GRU_TRAINING = TrainingConfig(
    steps=1, min_epochs=4, max_epochs=4, batch_events=2048, learning_rate=3e-3, weight_decay=0.01
)


@dataclass(frozen=True, kw_only=True)
class Purchases:
    """What known shoppers (U) bought before a moment, one row per purchase (E), oldest first per shopper.

    Parameters
    ----------
    shopper_E, item_E
        Rows of shopper and item.
    age_E
        Days before the moment.
    quantity_E, spend_E
        Units, and what was paid for them in the shop's currency.
    is_order_E
        Whether it is the first line of its order.
    """

    n_shoppers: int
    n_items: int
    shopper_E: Ints
    item_E: Ints
    age_E: Floats
    quantity_E: Floats
    spend_E: Floats
    is_order_E: Floats

    def total(self, amounts_E: Floats) -> Floats:
        """Return the sum of each shopper, (U,)."""
        return np.asarray(np.bincount(self.shopper_E, amounts_E, minlength=self.n_shoppers), np.float64)

    @cached_property
    def interactions(self) -> csr_matrix:
        """log(1 + times bought), sparse, (U, I)."""
        return _counts(self.shopper_E, self.item_E, (self.n_shoppers, self.n_items))


def purchases_of(moment: Moment, *, n_items: int) -> Purchases:
    """Return the purchases before a moment."""
    bought = moment.before.filter(
        (pl.col("type") == BOUGHT)
        & (pl.col("item_row") >= 0)
        & pl.col("shopper_id").is_in(list(moment.shopper_ids))
    ).sort("shopper_id", "occurred_at", "event_id")
    row_of = {shopper_id: row for row, shopper_id in enumerate(moment.shopper_ids)}
    quantity_E = bought["quantity"].fill_null(1).to_numpy().astype(np.float64)
    occurred_ms_E = bought["occurred_at"].dt.epoch("ms").to_numpy()
    return Purchases(
        n_shoppers=len(row_of),
        n_items=n_items,
        shopper_E=np.array([row_of[shopper_id] for shopper_id in bought["shopper_id"]], np.int64),
        item_E=bought["item_row"].to_numpy().astype(np.int64),
        age_E=(moment.at.timestamp() * 1000 - occurred_ms_E) / DAY_MS,
        quantity_E=quantity_E,
        spend_E=quantity_E * bought["price_minor"].fill_null(0).to_numpy() / 100,
        is_order_E=bought["new_order"].fill_null(False).to_numpy().astype(np.float64),
    )


def rfm(bought: Purchases) -> Matrix:
    """Return hand-made features of recency, frequency and money, standardised logs, (U, 17).

    Days since the newest and the oldest purchase; orders, units, spend, lines; spend and units an order; days
    between orders; orders and spend of the last 14, 28, 56 and 112 days.

    Source
    ------
    Hughes, Strategic database marketing, 1994: recency, frequency, monetary value.
    """
    newest_U, oldest_U = np.full(bought.n_shoppers, np.inf), np.zeros(bought.n_shoppers)
    np.minimum.at(newest_U, bought.shopper_E, bought.age_E)
    np.maximum.at(oldest_U, bought.shopper_E, bought.age_E)
    orders_U, units_U, spend_U = map(bought.total, (bought.is_order_E, bought.quantity_E, bought.spend_E))
    lines_U, one_U = bought.total(np.ones(len(bought.item_E))), np.maximum(orders_U, 1)
    gap_U = (oldest_U - newest_U) / np.maximum(orders_U - 1, 1)
    columns = [
        newest_U,
        oldest_U,
        orders_U,
        units_U,
        spend_U,
        lines_U,
        spend_U / one_U,
        units_U / one_U,
        gap_U,
    ]
    for days in WINDOWS_DAYS:
        is_recent_E = bought.age_E <= days
        columns += [bought.total(bought.is_order_E * is_recent_E), bought.total(bought.spend_E * is_recent_E)]
    logs_UD = np.log1p(np.maximum(np.stack(columns, axis=1), 0))
    return _float32((logs_UD - logs_UD.mean(axis=0)) / np.maximum(logs_UD.std(axis=0), 1e-9))


def category_counts(bought: Purchases, categories: Dimension) -> Matrix:
    """Return log(1 + purchases) of the categories that most shoppers bought, (U, ≤ 512)."""
    main_I = main_values(categories)
    has = main_I[bought.item_E] >= 0
    shape = (bought.n_shoppers, len(categories.values))
    counts_UV = _counts(bought.shopper_E[has], main_I[bought.item_E[has]], shape)
    n_buyers_V = np.asarray((counts_UV > 0).sum(axis=0)).ravel()
    chosen = np.argsort(-n_buyers_V, kind="stable")[:WIDEST]
    return _float32(counts_UV[:, chosen].toarray())


def mean_item_vector(bought: Purchases, item_vectors_ID: Matrix) -> Matrix:
    """Return the mean vector of what each shopper bought, (U, D)."""
    from scipy.sparse import csr_matrix

    n_lines = len(bought.item_E)
    times_UI = csr_matrix(
        (np.ones(n_lines), (bought.shopper_E, bought.item_E)), shape=(bought.n_shoppers, bought.n_items)
    )
    n_bought_U1 = np.maximum(bought.total(np.ones(n_lines)), 1)[:, None]
    return _float32((times_UI @ item_vectors_ID) / n_bought_U1)


def svd(bought: Purchases, *, n_factors: int = N_FACTORS) -> Matrix:
    """Return each shopper's coordinates in the truncated SVD of log(1 + times bought), U Σ, (U, F).

    Source
    ------
    Deerwester et al., Indexing by latent semantic analysis, JASIS 1990; Cremonesi, Koren, Turrin, Performance
    of recommender algorithms on top-N recommendation tasks, RecSys 2010 (PureSVD).
    """
    from scipy.sparse.linalg import svds

    smallest = min(bought.interactions.shape)
    n_kept = max(1, min(n_factors, smallest - 1))
    start = np.random.default_rng(0).standard_normal(smallest)
    left_UF, strength_F, _ = svds(bought.interactions, k=n_kept, v0=start)
    return _float32((left_UF * strength_F)[:, np.argsort(-strength_F)])


def gru_autoencoder(
    bought: Purchases,
    item_vectors_ID: Matrix,
    *,
    width: int = GRU_WIDTH,
    training: TrainingConfig = GRU_TRAINING,
    seed: int = 0,
    progress: Callable[[int, int, str], None] | None = None,
) -> Matrix:
    """Return the last hidden state of a GRU from which a second one writes the events down again, (U, width).

    An event is its item's vector, what was paid, the days before the moment, and the days since the event
    before; the newest 24 of each shopper. The second GRU sees each event before it writes the next.

    Source
    ------
    Klenitskiy et al., Encode me if you can: learning universal user representations via event sequence
    autoencoding, RecSys Challenge 2025 (second place), arXiv 2508.07748. Theirs joins several vectors and
    reads views and queries too, which our logs of purchases lack.
    """
    import torch

    events_ED, offsets = _written(bought, item_vectors_ID)
    rows_of = [torch.from_numpy(events_ED[offsets[u] : offsets[u + 1]]) for u in range(bought.n_shoppers)]
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = _autoencoder(events_ED.shape[1], width)
    lengths_U = np.diff(offsets)
    has = np.flatnonzero(lengths_U)
    train(
        network,
        lambda rows: network(_packed([rows_of[u] for u in has[rows]])),
        lengths_U[has],
        config=training,
        seed=seed,
        progress=progress,
    )
    vectors_UD = np.zeros((bought.n_shoppers, width), np.float32)
    with torch.inference_mode():
        for first in range(0, len(has), 256):
            own = has[first : first + 256]
            vectors_UD[own] = network(_packed([rows_of[u] for u in own]), only_read=True).numpy()
    return vectors_UD


def _written(bought: Purchases, item_vectors_ID: Matrix) -> tuple[Matrix, Ints]:
    """Return the newest events of each shopper as numbers of like size, (E, D + 3), and where each begins."""
    n_U = np.bincount(bought.shopper_E, minlength=bought.n_shoppers)
    rank_E = np.arange(len(bought.item_E)) - np.repeat(np.cumsum(n_U) - n_U, n_U)
    kept = np.flatnonzero(n_U[bought.shopper_E] - rank_E <= GRU_EVENTS)
    since_E = np.append(0.0, -np.diff(bought.age_E))
    since_E[rank_E == 0] = 0.0
    numbers = [np.log1p(np.maximum(amount, 0)) for amount in (bought.spend_E, bought.age_E, since_E)]
    numbers_E3 = np.stack(numbers, axis=1)[kept]
    numbers_E3 = (numbers_E3 - numbers_E3.mean(axis=0)) / np.maximum(numbers_E3.std(axis=0), 1e-9)
    vectors_ED = item_vectors_ID[bought.item_E[kept]] * np.sqrt(item_vectors_ID.shape[1]) / 4
    kept_U = np.bincount(bought.shopper_E[kept], minlength=bought.n_shoppers)
    return _float32(np.hstack([vectors_ED, numbers_E3])), np.concatenate([[0], np.cumsum(kept_U)])


def _packed(sequences: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Return sequences padded to one length, (N, T, D), and their lengths."""
    import torch

    padded = torch.nn.utils.rnn.pad_sequence(list(sequences), batch_first=True)
    return padded, torch.tensor([len(one) for one in sequences])


def _autoencoder(n_numbers: int, width: int) -> Module:
    import torch
    from torch import nn

    class Autoencoder(nn.Module):
        """Reads events into one vector, and writes them down again from it."""

        def __init__(self) -> None:
            super().__init__()
            self.reader = nn.GRU(n_numbers, width, batch_first=True)
            self.writer = nn.GRU(n_numbers, width, batch_first=True)
            self.last = nn.Linear(width, n_numbers)

        def read(self, sequences: tuple[Tensor, Tensor]) -> Tensor:
            padded, lengths = sequences
            packed = nn.utils.rnn.pack_padded_sequence(
                padded, lengths, batch_first=True, enforce_sorted=False
            )
            last_1UD: Tensor = self.reader(packed)[1]
            return last_1UD[0]

        def forward(self, sequences: tuple[Tensor, Tensor], *, only_read: bool = False) -> Tensor:
            if only_read:
                return self.read(sequences)
            padded, lengths = sequences
            before = torch.cat([torch.zeros_like(padded[:, :1]), padded[:, :-1]], dim=1)
            written, _ = self.writer(before, self.read(sequences)[None])
            is_there = torch.arange(padded.shape[1])[None, :] < lengths[:, None]
            missed: Tensor = (self.last(written) - padded)[is_there]
            return (missed**2).mean()

    return Autoencoder()


def _counts(row_E: Ints, column_E: Ints, shape: tuple[int, int]) -> csr_matrix:
    from scipy.sparse import csr_matrix

    counts = csr_matrix((np.ones(len(row_E)), (row_E, column_E)), shape=shape)
    counts.sum_duplicates()
    return counts.log1p()


def _float32(rows: NDArray[np.floating]) -> Matrix:
    return np.ascontiguousarray(rows, dtype=np.float32)
