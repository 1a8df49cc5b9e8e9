"""Fitting the sequence network: each next item is foretold, among all items seen, from the events before."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import embedding

from huaxiang import metrics
from huaxiang.recommend.base import NO_ITEM, Histories, Targets, TrainingData
from huaxiang.recommend.full_softmax import full_softmax_loss
from huaxiang.recommend.histories import take_shoppers
from huaxiang.recommend.sampled_softmax import Proposal as Negatives
from huaxiang.recommend.sampled_softmax import sampled_softmax_loss
from huaxiang.recommend.sequence_baskets import has_baskets, shuffled
from huaxiang.recommend.sequence_content import Spaces
from huaxiang.recommend.sequence_network import SequenceNetwork, onnx_of
from huaxiang.recommend.sequence_outlook import Outlooks
from huaxiang.recommend.sequence_start import Start, weights_of
from huaxiang.recommend.sequence_tokens import (
    Tokens,
    Windows,
    all_windows,
    gap_buckets,
    targets_from,
    targets_of,
    tokens_of,
)
from huaxiang.recommend.top import top_items
from huaxiang.records import Matrix
from huaxiang.training import Trained, train

if TYPE_CHECKING:
    from huaxiang.recommend.sequence import Config

VALIDATED = 4000
"""Shoppers, drawn at random, on whom the epochs are compared."""


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What is kept of a fit; `export` writes the encoder as ONNX, which takes seconds."""

    outlooks: Outlooks
    export: Callable[[], bytes]
    weights: Callable[[], dict[str, NDArray[Any]]]
    trained: Trained


def fit_network(
    training: TrainingData,
    config: Config,
    *,
    device: str = "cpu",
    start: Start | None = None,
    stop_after: int | None = None,
) -> Fitted:
    """Return the network fitted on `training`, and how its fit went; `start` is what it goes on from."""
    spaces = start.spaces if start else Spaces.among(training.vectors, config.spaces)
    content_IC = spaces.of_items(training.vectors, training.catalogue.n_items)
    seen = np.unique(training.histories.item_rows[training.histories.item_rows != NO_ITEM])
    with torch.random.fork_rng():
        torch.manual_seed(training.seed)
        network = SequenceNetwork(content_IC[seen], spaces.first_width, config).to(device)
    if start:
        start.put_into(network, seen)
    histories = _readable(_renumbered(training.histories, seen, len(content_IC)), spaces)
    lesson = Lesson(network, histories, config, device)

    def outlooks() -> Outlooks:
        return outlooks_of(network, content_IC, seen, spaces, config)

    trained = train(
        network,
        lesson.loss,
        lesson.windows.lengths + 1,
        config=start.shortened(config.training) if start else config.training,
        seed=training.seed,
        validate=_validation(training.validation, outlooks, seed=training.seed),
        stop_after=stop_after,
        progress=training.progress,
        checkpoint=training.checkpoint,
        of=_fingerprint(training.histories, content_IC, config) + (start.fingerprint() if start else ""),
    )
    network.cpu()
    return Fitted(
        outlooks=outlooks(),
        export=cache(partial(onnx_of, network.encoder, dimensions=config.dimensions)),
        weights=partial(weights_of, network, seen, len(content_IC)),
        trained=trained,
    )


class Lesson:
    """Training sequences in pieces, and the loss of some of them.

    Parameters
    ----------
    histories
        With the item rows of the network, and content as the network reads it.
    """

    def __init__(self, network: SequenceNetwork, histories: Histories, config: Config, device: str) -> None:
        self.network, self.histories, self.config, self.device = network, histories, config, device
        self.gaps_E = gap_buckets(histories)
        self.has_baskets = has_baskets(histories)
        self.n_left = 0
        self.items_E, self.weights_E = targets_from(histories)
        n_items = network.ids.num_embeddings
        self.n_negatives = config.negatives_of(n_items)
        taken = self.items_E[self.items_E != NO_ITEM]
        self.proposal = Negatives.of(np.bincount(taken, minlength=n_items)) if self.n_negatives else None
        windows = all_windows(histories, config.max_events)
        teaches = self.items_E[windows.starts] != NO_ITEM
        self.windows = Windows(starts=windows.starts[teaches], ends=windows.ends[teaches])

    def loss(self, rows: NDArray[np.int64]) -> Tensor:
        """Return the mean log-loss of the items that follow in these pieces."""
        if self.has_baskets:
            self._count_down(len(rows))
        windows = Windows(starts=self.windows.starts[rows], ends=self.windows.ends[rows])
        if self.proposal is not None:
            return self._sampled_loss(windows, self.proposal)
        items_ID = self.network.items()
        outlooks_UTD = self._outlooks(tokens_of(self.histories, windows, self.gaps_E), items_ID)
        targets_UT, weights_UT = targets_of(windows, self.histories.offsets, self.items_E, self.weights_E)
        taught = torch.from_numpy(np.flatnonzero(targets_UT.ravel() != NO_ITEM)).to(self.device)
        return full_softmax_loss(
            outlooks_UTD.flatten(0, 1)[taught] / self.config.temperature,
            items_ID,
            torch.from_numpy(targets_UT.ravel()).to(self.device)[taught],
            torch.from_numpy(weights_UT.ravel()).to(self.device)[taught],
            smoothing=self.config.smoothing,
        )

    def _sampled_loss(self, windows: Windows, proposal: Negatives) -> Tensor:
        """Return the loss among items drawn anew: only those and the batch's own are worked out."""
        rng = np.random.default_rng(int(torch.randint(2**31, ())))
        drawn, log_weights = proposal.draw(self.n_negatives, rng)
        tokens = tokens_of(self.histories, windows, self.gaps_E)
        targets_UT, weights_UT = targets_of(windows, self.histories.offsets, self.items_E, self.weights_E)
        taught = np.flatnonzero(targets_UT.ravel() != NO_ITEM)
        targets_N = targets_UT.ravel()[taught]
        read = tokens.item_rows[tokens.item_rows != NO_ITEM]
        needed = np.unique(np.concatenate([drawn, targets_N, read]))
        items_XD = self.network.items(self._there(needed))
        place = np.searchsorted(needed, tokens.item_rows)
        here = replace(tokens, item_rows=np.where(tokens.item_rows == NO_ITEM, NO_ITEM, place))
        outlooks_ND = self._outlooks(here, items_XD).flatten(0, 1)[self._there(taught)]
        return sampled_softmax_loss(
            outlooks_ND / self.config.temperature,
            items_XD[self._there(np.searchsorted(needed, targets_N))],
            items_XD[self._there(np.searchsorted(needed, drawn))],
            self._there(log_weights),
            self._there(targets_N[:, None] == drawn),
            self._there(weights_UT.ravel()[taught]),
        )

    def _there(self, values: NDArray[Any]) -> Tensor:
        return torch.from_numpy(values).to(self.device)

    def _count_down(self, n_read: int) -> None:
        """Shuffle the baskets anew before each epoch: their lines have no order to be learnt."""
        if self.n_left <= 0:
            rng = np.random.default_rng(int(torch.randint(2**31, ())))
            self.histories = shuffled(self.histories, rng)
            self.items_E, self.weights_E = targets_from(self.histories)
            self.n_left = len(self.windows.starts)
        self.n_left -= n_read

    def _outlooks(self, tokens: Tokens, items_ID: Tensor) -> Tensor:
        """Return the outlooks after some events, whose item rows are those of `items_ID`."""
        rows_UT = torch.from_numpy(tokens.item_rows).to(self.device)
        vectors_UTD = embedding(rows_UT.clamp(min=0), items_ID) * (rows_UT >= 0).unsqueeze(-1)
        is_said = (tokens.item_rows == NO_ITEM) & (tokens.content_rows >= 0)
        if is_said.any():
            said_CC = torch.from_numpy(self.histories.content_vectors[tokens.content_rows[is_said]])
            places = (torch.from_numpy(is_said).to(self.device),)
            vectors_UTD = vectors_UTD.index_put(places, self.network.contents(said_CC.to(self.device)))
        types, gaps = torch.from_numpy(tokens.types), torch.from_numpy(tokens.gaps)
        found: Tensor = self.network.encoder(vectors_UTD, types.to(self.device), gaps.to(self.device))
        return found


@torch.inference_mode()
def outlooks_of(
    network: SequenceNetwork, content_IC: Matrix, seen: NDArray[np.integer], spaces: Spaces, config: Config
) -> Outlooks:
    """Return the network as it is now; items never seen in training are known by their content alone."""
    encoder, device = network.encoder, network.ids.weight.device
    items_ID = network.contents(torch.from_numpy(content_IC).to(device))
    items_ID[torch.from_numpy(seen).long().to(device)] = network.items()

    def encode(
        vectors: NDArray[np.float32], types: NDArray[np.int64], gaps: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        with torch.inference_mode():
            outlooks: Tensor = encoder(
                *(torch.from_numpy(part).to(device) for part in (vectors, types, gaps))
            )
        return np.asarray(outlooks.cpu().numpy(), dtype=np.float32)

    return Outlooks(
        items_ID=items_ID.cpu().numpy(),
        weight_DC=network.project.weight.cpu().numpy(),
        spaces=spaces,
        encode=encode,
        max_events=config.max_events,
    )


def _validation(
    targets: Targets | None, outlooks: Callable[[], Outlooks], *, seed: int
) -> Callable[[], float] | None:
    """Return a function that says NDCG@10 of what came next, over random shoppers.

    Where no shopper turned to what they had before, what they had is left out of the ranking.
    """
    if targets is None or not targets.histories.n_shoppers:
        return None
    asked = _some(targets, seed=seed)
    exclude_had = not _has_repeats(asked)

    def ndcg() -> float:
        now = outlooks()
        top = top_items(
            lambda some: now.of(some) @ now.items_ID.T, asked.histories, k=10, exclude_had=exclude_had
        )
        hits_UK = metrics.hits(top.item_rows, asked.offsets, asked.item_rows)
        return float(metrics.ndcg(hits_UK, np.diff(asked.offsets)).mean())

    return ndcg


def _some(targets: Targets, *, seed: int) -> Targets:
    """Return what came next for some shoppers, drawn at random among those for whom something did."""
    n_shoppers, n_next_U = targets.histories.n_shoppers, np.diff(targets.offsets)
    rng = np.random.default_rng([seed, n_shoppers])
    drawn = np.sort(rng.permutation(np.flatnonzero(n_next_U > 0))[:VALIDATED])
    is_drawn_U = np.isin(np.arange(n_shoppers), drawn)
    return Targets(
        histories=take_shoppers(targets.histories, drawn),
        offsets=np.concatenate([[0], np.cumsum(n_next_U[drawn])]).astype(np.int64),
        item_rows=targets.item_rows[np.repeat(is_drawn_U, n_next_U)],
    )


def _has_repeats(targets: Targets) -> bool:
    n_items = int(max(targets.item_rows.max(initial=0), targets.histories.item_rows.max(initial=0))) + 2
    next_T = np.repeat(np.arange(targets.histories.n_shoppers), np.diff(targets.offsets)) * n_items
    had_E = targets.histories.shopper_of_event * n_items
    about_item_E = targets.histories.item_rows != NO_ITEM
    had = (had_E + targets.histories.item_rows)[about_item_E]
    return bool(np.isin(next_T + targets.item_rows, had).any())


def _renumbered(histories: Histories, seen: NDArray[np.integer], n_items: int) -> Histories:
    row_of = np.full(n_items + 1, NO_ITEM, dtype=np.int32)  # the last place is that of NO_ITEM
    row_of[seen] = np.arange(len(seen), dtype=np.int32)
    return replace(histories, item_rows=row_of[histories.item_rows])


def _readable(histories: Histories, spaces: Spaces) -> Histories:
    """Return the histories with the vectors of words and photos as the network reads them."""
    if not (histories.content_rows >= 0).any():
        return histories
    return replace(histories, content_vectors=spaces.of_words(histories.content_vectors))


def _fingerprint(histories: Histories, content_IC: Matrix, config: Config) -> str:
    digest = hashlib.blake2b(repr(asdict(config)).encode(), digest_size=16)
    for part in (histories.offsets, histories.item_rows, histories.types, histories.occurred_ms, content_IC):
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()
