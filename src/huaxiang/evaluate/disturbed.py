"""The same shoppers in a disturbed order, to see what is left of a figure then."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from huaxiang.recommend.base import Histories


def swap_neighbours(histories: Histories, share: float, *, seed: int) -> Histories:
    """Return the histories with neighbouring items swapped at random, the newest ones too.

    Where the order within a day is that of product codes, as in the published sequences of Amazon, a model
    that reads order learns from it what no shop could use. Swapped, it has nothing there to learn.

    Parameters
    ----------
    share
        How likely each second place is to change with the one after it, 0 to 1; the first place that may is
        drawn for each shopper.

    Examples
    --------
    >>> from huaxiang.recommend.histories import histories_of
    >>> swapped = swap_neighbours(histories_of([[1, 2, 3, 4]]), 1.0, seed=1)
    >>> swapped.item_rows.tolist() in ([2, 1, 4, 3], [1, 3, 2, 4])
    True
    """
    rng = np.random.default_rng(seed)
    shopper_E = histories.shopper_of_event
    place_E = np.arange(len(shopper_E)) - histories.offsets[shopper_E]
    starts_pair_E = (place_E - rng.integers(2, size=histories.n_shoppers)[shopper_E]) % 2 == 0
    has_next_E = np.append(shopper_E[1:] == shopper_E[:-1], False) if len(shopper_E) else starts_pair_E
    first = np.flatnonzero(starts_pair_E & has_next_E & (rng.random(len(shopper_E)) < share))
    order = np.arange(len(shopper_E))
    order[first], order[first + 1] = first + 1, first
    return replace(histories, item_rows=histories.item_rows[order])
