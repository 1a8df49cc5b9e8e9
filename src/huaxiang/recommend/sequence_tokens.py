"""Histories as padded arrays: what a network over sequences of events reads, and what it is to foretell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huaxiang.recommend.base import NO_ITEM, Histories
from huaxiang.recommend.weights import type_weights

N_GAPS = 26
"""Buckets of the time since the shopper's event before: unknown, the same moment, then doubling minutes."""

MS_PER_MINUTE = 60_000.0


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """A batch of event sequences, oldest first, padded at the end, where no attention that looks back goes.

    Parameters
    ----------
    item_rows
        int64 (U, T); `NO_ITEM` for words and photos, and in the padding.
    content_rows
        int64 (U, T), row of a text's or photo's vector; -1 where there is none.
    types, gaps
        int64 (U, T), `EventType.code` and bucket of the time since the event before.
    lengths
        int64 (U,), events before the padding.
    """

    item_rows: NDArray[np.int64]
    content_rows: NDArray[np.int64]
    types: NDArray[np.int64]
    gaps: NDArray[np.int64]
    lengths: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Pieces of histories short enough to be read at once: piece `n` is the events `starts[n]:ends[n]`."""

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Events in each piece, (N,)."""
        return self.ends - self.starts


def newest_windows(histories: Histories, max_events: int) -> Windows:
    """Return the newest `max_events` events of each shopper, in the shoppers' order."""
    ends_U = histories.offsets[1:]
    return Windows(starts=np.maximum(histories.offsets[:-1], ends_U - max_events), ends=ends_U)


def all_windows(histories: Histories, max_events: int) -> Windows:
    """Return every history cut into pieces of `max_events`, counted from its newest event.

    Examples
    --------
    >>> from huaxiang.recommend.histories import histories_of
    >>> all_windows(histories_of([[1, 2, 3, 4, 5], [6]]), 2).lengths
    array([1, 2, 2, 1])
    """
    pieces_U = -(-histories.lengths() // max_events)
    firsts_U = np.cumsum(pieces_U) - pieces_U
    later_N = np.repeat(pieces_U + firsts_U, pieces_U) - 1 - np.arange(int(pieces_U.sum()))
    ends_N = np.repeat(histories.offsets[1:], pieces_U) - later_N * max_events
    starts_N = np.maximum(np.repeat(histories.offsets[:-1], pieces_U), ends_N - max_events)
    return Windows(starts=starts_N, ends=ends_N)


def tokens_of(histories: Histories, windows: Windows, gaps_E: NDArray[np.int64]) -> Tokens:
    """Return the events of some windows as one padded batch."""
    longest = max(1, int(windows.lengths.max(initial=0)))
    places_UT = windows.starts[:, None] + np.arange(longest)
    is_event_UT = places_UT < windows.ends[:, None]
    places_UT = np.where(is_event_UT, places_UT, 0)

    def of(values_E: NDArray[np.generic], padding: int) -> NDArray[np.int64]:
        found_UT = values_E[places_UT] if len(values_E) else np.zeros(places_UT.shape)
        return np.where(is_event_UT, found_UT, padding).astype(np.int64)

    return Tokens(
        item_rows=of(histories.item_rows, NO_ITEM),
        content_rows=of(histories.content_rows, -1),
        types=of(histories.types, 0),
        gaps=of(gaps_E, 0),
        lengths=windows.lengths,
    )


def gap_buckets(histories: Histories) -> NDArray[np.int64]:
    """Return the bucket of the time since each shopper's event before, (E,), 0 to `N_GAPS` - 1.

    0 is unknown (a first event, or a shop that knows only an order), 1 the same moment, 2 less than a minute,
    3 less than three, and so on, doubling.

    Examples
    --------
    >>> from huaxiang.recommend.histories import histories_of
    >>> gap_buckets(histories_of([[1, 2, 3, 4]], occurred_ms=[[0, 0, 30_000, 120_000]]))
    array([0, 1, 2, 3])
    """
    if histories.order_only or not len(histories.occurred_ms):
        return np.zeros(len(histories.occurred_ms), dtype=np.int64)
    gaps_E = np.diff(histories.occurred_ms, prepend=histories.occurred_ms[:1])
    minutes_E = np.maximum(gaps_E, 0) / MS_PER_MINUTE
    buckets_E = np.where(gaps_E <= 0, 1, 2 + np.log2(1 + minutes_E).astype(np.int64))
    firsts = histories.offsets[:-1][histories.lengths() > 0]
    buckets_E[firsts] = 0
    return np.minimum(buckets_E, N_GAPS - 1)


def targets_from(histories: Histories) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return, for each event, the item that is to be foretold just before it, and how much that counts.

    It is the item of the event itself or else of the first one after it, since words and events that say
    nothing good of an item (a dislike, a refund) are no targets: what comes after them is.

    Returns
    -------
    items_E, weights_E
        `NO_ITEM` and 0 where the shopper turned to nothing more.

    Examples
    --------
    >>> from huaxiang.recommend.histories import histories_of
    >>> from huaxiang.records import EventType
    >>> dislike, purchase = EventType.DISLIKE.code, EventType.PURCHASE.code
    >>> targets_from(histories_of([[4, 5, 6]], types=[[purchase, dislike, purchase]]))[0]
    array([4, 6, 6])
    """
    n_events = len(histories.item_rows)
    if not n_events:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
    liking_E = np.maximum(type_weights(histories), 0) * (histories.item_rows != NO_ITEM)
    places_E = np.where(liking_E > 0, np.arange(n_events), n_events)
    nearest_E = np.minimum.accumulate(places_E[::-1])[::-1]
    is_found_E = nearest_E < np.repeat(histories.offsets[1:], histories.lengths())
    nearest_E = np.where(is_found_E, nearest_E, 0)
    items_E = np.where(is_found_E, histories.item_rows[nearest_E], NO_ITEM).astype(np.int64)
    return items_E, np.where(is_found_E, liking_E[nearest_E], 0).astype(np.float32)


def targets_of(
    windows: Windows, offsets: NDArray[np.int64], items_E: NDArray[np.int64], weights_E: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return what is to be foretold before the first event of each window and after each, (N, T + 1) each."""
    longest = max(1, int(windows.lengths.max(initial=0)))
    places_NT = windows.starts[:, None] + np.arange(longest + 1)
    shoppers_end_N = offsets[np.searchsorted(offsets, windows.starts, side="right")]
    last_N = np.minimum(windows.ends, shoppers_end_N - 1)
    is_inside_NT = places_NT <= last_N[:, None]
    places_NT = np.where(is_inside_NT, places_NT, 0)
    return np.where(is_inside_NT, items_E[places_NT], NO_ITEM), np.where(
        is_inside_NT, weights_E[places_NT], 0
    )
