"""The words and photos of changed items are read into vectors before the catalogue takes the items in.

Reading is most of what a feed costs, and nobody has to wait for it: it comes in short batches that hold no
lock, with a look for changes of stock and price after each.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from huaxiang.fusion.renewed import read_ahead
from huaxiang.model import Model
from huaxiang.shop.changed import outlook_of
from huaxiang.store import StoredItem

if TYPE_CHECKING:
    from huaxiang.serve.live import LiveShop

LOG = logging.getLogger(__name__)
Key = tuple[int, int]
"""An item's number, and the change that it got with."""


LEAST_READ, MOST_READ = 4, 32
"""Items that are read before changes of stock and price have their turn."""
READ_S = (0.1, 0.2)
"""So long should that take: between these, the number stays as it is."""
LEAST_READING_S, MOST_TAKEN = 0.4, 64
"""What was read is taken in after so long, or when it is so many items."""
SHARE_OF_TAKING = 1 / 3
"""Of the time that a feed takes, at most: taking in costs nearly the same for few items as for many."""


def next_number(n_read: int, *, took_s: float) -> int:
    """Return how many items to read next, after some took so long.

    Examples
    --------
    >>> next_number(16, took_s=0.3), next_number(16, took_s=0.15), next_number(32, took_s=0.01)
    (8, 16, 32)
    """
    if took_s > READ_S[1]:
        return max(LEAST_READ, n_read // 2)
    return min(MOST_READ, n_read * 2) if took_s < READ_S[0] else n_read


@dataclass
class ReadingAhead:
    """What is known of the changes that wait for the catalogue of one shop.

    Parameters
    ----------
    n_read
        How many items are read next.
    taking_s
        How long it took to take in what was read last.
    """

    n_read: int = 8
    taking_s: float = 0.0
    _reading_s: float = 0.0
    _described: set[Key] = field(default_factory=set)
    _read: set[Key] = field(default_factory=set)

    def parted(
        self, model: Model, waiting: Sequence[StoredItem]
    ) -> tuple[list[StoredItem], list[StoredItem]]:
        """Return the changes that need no reading, or none to speak of, and the others in their order.

        A single change is taken in as it is: to look at it first takes longer than to read it. An item of
        which words were found to have changed is not looked at again until it is taken in.
        """
        if len(waiting) == 1 and not self._read:
            return list(waiting), []
        self._described &= {key_of(one) for one in waiting}
        self._read &= self._described
        row_of = model.catalogue.row_of
        unseen = [one for one in waiting if key_of(one) not in self._described]
        self._described |= {key_of(one) for one in unseen if one.item.item_id not in row_of}
        known = [one for one in unseen if one.item.item_id in row_of]
        if known:
            found = outlook_of(model.shop, [one.item for one in known], row_of)
            self._described |= {key_of(known[place]) for place in found.described}
        described = [one for one in waiting if key_of(one) in self._described]
        plain = [one for one in waiting if key_of(one) not in self._described]
        return plain, sorted(described, key=lambda one: (one.change, one.item_no))

    def read(self, shop: LiveShop, model: Model, described: Sequence[StoredItem]) -> list[StoredItem]:
        """Read some more; return those to take in now, none where it is better to read on.

        The oldest come first: so new items stand in one order in the catalogues of all processes.
        """
        unread = [one for one in described if key_of(one) not in self._read]
        some = unread[: self.n_read]
        if some:
            started = time.perf_counter()
            _read(shop, model, some)
            took_s = time.perf_counter() - started
            self.n_read, self._reading_s = next_number(self.n_read, took_s=took_s), self._reading_s + took_s
            self._read |= {key_of(one) for one in some}
        if len(some) < len(unread) and not self._is_enough():
            return []
        return [one for one in described if key_of(one) in self._read]

    def _is_enough(self) -> bool:
        least_s = max(LEAST_READING_S, self.taking_s * (1 / SHARE_OF_TAKING - 1))
        return self._reading_s >= least_s or len(self._read) >= MOST_TAKEN

    def took_in(self, seconds: float) -> None:
        """Note how long it took to take in what was read."""
        self.taking_s, self._reading_s = seconds, 0.0


def _read(shop: LiveShop, model: Model, some: Sequence[StoredItem]) -> None:
    found = outlook_of(model.shop, [one.item for one in some], model.catalogue.row_of)
    try:
        read_ahead(found, shop.item_readers.of(model), shop.photos, place=model.shop.images)
    except Exception as error:  # whatever it is: the item is told apart when they are taken in
        LOG.warning("items can't be read ahead", exc_info=error)


def key_of(one: StoredItem) -> Key:
    """Return what tells this change of the item from its others."""
    return one.item_no, one.change
