"""Where each shopper looks next: item vectors and an encoder of events, whatever runs the encoder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from huaxiang.recommend.base import NO_ITEM, Histories
from huaxiang.recommend.sequence_content import Spaces
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
    weight_DC
        From content to item vectors.
    spaces
        What content is.
    encode
        The network, in PyTorch while it learns and in ONNX Runtime afterwards.
    max_events
        Newest events that are read.
    """

    items_ID: Matrix
    weight_DC: Matrix
    spaces: Spaces
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

    def with_new_items(self, vectors: Mapping[str, Matrix]) -> Outlooks:
        """Return the same over a longer catalogue, whose new items are known by their content alone."""
        n_known = len(self.items_ID)
        new = {space: vectors_IX[n_known:] for space, vectors_IX in vectors.items()}
        n_new = len(next(iter(new.values()), ()))
        new_ID = _unit(self.spaces.of_items(new, n_new) @ self.weight_DC.T)
        return replace(self, items_ID=np.concatenate([self.items_ID, new_ID]))

    def _vectors(self, tokens: Tokens, contents_CC: Matrix) -> NDArray[np.float32]:
        vectors_UTD = np.zeros((*tokens.types.shape, self.items_ID.shape[1]), dtype=np.float32)
        is_item = tokens.item_rows != NO_ITEM
        vectors_UTD[is_item] = self.items_ID[tokens.item_rows[is_item]]
        is_said = ~is_item & (tokens.content_rows >= 0)
        if is_said.any():
            words = self.spaces.of_words(contents_CC[tokens.content_rows[is_said]])
            vectors_UTD[is_said] = _unit(words @ self.weight_DC[:, : words.shape[1]].T)
        return vectors_UTD


def _unit(rows_XD: Matrix) -> Matrix:
    """Return the rows scaled to unit length; those of no length stay zero."""
    lengths_X1 = np.linalg.norm(rows_XD, axis=1, keepdims=True)
    return np.asarray(rows_XD / np.maximum(lengths_X1, 1e-6), dtype=np.float32)


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
