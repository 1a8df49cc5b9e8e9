"""Baskets among sequences: events of one shopper at one moment, whose order says nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from huaxiang.recommend.base import Histories


def has_baskets(histories: Histories) -> bool:
    """Return whether any two events share a moment.

    Examples
    --------
    >>> from huaxiang.recommend.histories import histories_of
    >>> has_baskets(histories_of([[7, 8]], occurred_ms=[[5, 5]])), has_baskets(histories_of([[7, 8]]))
    (True, False)
    """
    moments_E = histories.moments
    return bool(len(moments_E)) and int(moments_E[-1]) + 1 < len(moments_E)


def shuffled(histories: Histories, rng: np.random.Generator) -> Histories:
    """Return the histories with the events of each moment in random order.

    A network that is shown a basket's lines always in the order in which they were written down learns that
    order, which the next basket doesn't keep.
    """
    order = np.lexsort((rng.random(len(histories.item_rows)), histories.moments))
    return replace(
        histories,
        item_rows=histories.item_rows[order],
        types=histories.types[order],
        event_keys=histories.event_keys[order],
        content_rows=histories.content_rows[order],
    )
