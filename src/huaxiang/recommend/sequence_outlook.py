"""Where each shopper looks next: item vectors and an encoder of events, whatever runs the encoder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from huaxiang.errors import InputError
from huaxiang.recommend.base import NO_ITEM, Histories
from huaxiang.recommend.sequence_tokens import Tokens, Windows, gap_buckets, newest_windows, tokens_of
from huaxiang.records import Matrix

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

BATCH = 256
"""Shoppers encoded at once."""

Encode = Callable[[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]], NDArray[np.float32]]
"""Event vectors (U, T, D), types and gaps (U, T) in; the outlook at first and after each event out."""


@dataclass(frozen=True, kw_only=True)
class Outlooks:
    """What is needed to say where shoppers look next.

    Parameters
    ----------
    items_ID
        Item vectors of the model, unit rows, zero where an item has neither behaviour nor content.
    weight_DC, bias_D
        From content vectors to item vectors.
    encode
        The network, in PyTorch while it learns and in ONNX Runtime afterwards.
    max_events
        Newest events that are read.
    """

    items_ID: Matrix
    weight_DC: Matrix
    bias_D: NDArray[np.float32]
    encode: Encode
    max_events: int

    def of(self, histories: Histories) -> Matrix:
        """Return the outlook of each shopper, (U, D), unit rows."""
        windows = newest_windows(histories, self.max_events)
        gaps_E = gap_buckets(histories)
        found_UD = np.zeros((histories.n_shoppers, self.items_ID.shape[1]), dtype=np.float32)
        order = np.argsort(windows.lengths, kind="stable")
        for first in range(0, len(order), BATCH):
            batch = order[first : first + BATCH]
            some = Windows(starts=windows.starts[batch], ends=windows.ends[batch])
            tokens = tokens_of(histories, some, gaps_E)
            vectors_UTD = self._vectors(tokens, histories.content_vectors)
            outlooks_UTD = self.encode(vectors_UTD, tokens.types, tokens.gaps)
            found_UD[batch] = outlooks_UTD[np.arange(len(batch)), tokens.lengths]
        return found_UD

    def contents(self, vectors_CC: Matrix) -> Matrix:
        """Return words, photos or new items among the item vectors, (C, D), unit rows or zero."""
        if not len(vectors_CC):
            return np.zeros((0, len(self.bias_D)), dtype=np.float32)
        if vectors_CC.shape[1] != self.weight_DC.shape[1]:
            raise InputError(
                "vectors of another space",
                value=f"{vectors_CC.shape[1]} dimensions",
                remedy=f"the model was fitted on {self.weight_DC.shape[1]}",
            )
        projected = vectors_CC @ self.weight_DC.T + self.bias_D
        projected *= vectors_CC.any(axis=1, keepdims=True)
        lengths = np.linalg.norm(projected, axis=1, keepdims=True)
        return np.asarray(projected / np.maximum(lengths, 1e-6), dtype=np.float32)

    def with_new_items(self, vectors_IC: Matrix) -> Outlooks:
        """Return the same over a longer catalogue, whose new items are known by their content alone."""
        new_ID = self.contents(vectors_IC[len(self.items_ID) :])
        return replace(self, items_ID=np.concatenate([self.items_ID, new_ID]))

    def _vectors(self, tokens: Tokens, contents_CC: Matrix) -> NDArray[np.float32]:
        vectors_UTD = np.zeros((*tokens.types.shape, self.items_ID.shape[1]), dtype=np.float32)
        is_item = tokens.item_rows != NO_ITEM
        vectors_UTD[is_item] = self.items_ID[tokens.item_rows[is_item]]
        is_said = ~is_item & (tokens.content_rows >= 0)
        vectors_UTD[is_said] = self.contents(contents_CC[tokens.content_rows[is_said]])
        return vectors_UTD


def session_of(graph: bytes) -> InferenceSession:
    """Return the graph ready to run on the calling thread: batches are small, and servers have workers."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def encode_with(session: InferenceSession) -> Encode:
    """Return the session as a plain function of arrays."""

    def encode(
        vectors: NDArray[np.float32], types: NDArray[np.int64], gaps: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        found: NDArray[np.float32] = session.run(None, {"vectors": vectors, "types": types, "gaps": gaps})[0]
        return found

    return encode
