"""What is learnt with each event, off the path on which events are acknowledged.

Every process reads the log in its order, its own events and those of others alike, and lets popularity,
neighbours and the population's shares learn from them. So all processes end up knowing the same.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from huaxiang.model import Known
from huaxiang.profile.contents import Contents
from huaxiang.profile.update import milliseconds
from huaxiang.serve.live import LiveShop
from huaxiang.serve.states import IN_A_STATE
from huaxiang.store import LoggedEvent, heads_of, read_after

LOG = logging.getLogger(__name__)
MOST_AT_ONCE = 500


@dataclass
class Tail:
    """How far one process has learnt from one shop's log.

    Parameters
    ----------
    learnt
        Partition → position up to which events were learnt.
    """

    shop: LiveShop
    learnt: dict[int, int]

    def learn(self) -> int:
        """Learn from the next events of the log; return how many there were."""
        shop = self.shop
        with shop.store.read() as tx:
            events = read_after(tx, shop.shop_id, self.learnt, limit=MOST_AT_ONCE)
            if not events:
                return 0
            self._teach(tx, [one for one in events if one.event.type in IN_A_STATE])
        for one in events:
            position = one.position
            partition = position % shop.store.n_partitions
            self.learnt[partition] = max(self.learnt.get(partition, -1), position)
        occurred = [milliseconds(one.event.occurred_at) for one in events if one.event.occurred_at]
        shop.newest_ms = max([shop.newest_ms, *occurred])
        return len(events)

    def _teach(self, tx: object, events: Sequence[LoggedEvent]) -> None:
        """Let the model learn, shopper by shopper: what they did before is the context of what is new."""
        shop, model = self.shop, self.shop.serving.model
        by_shopper: dict[str, list[LoggedEvent]] = {}
        for one in events:
            by_shopper.setdefault(one.event.shopper_id, []).append(one)
        heads = heads_of(tx, shop.shop_id, list(by_shopper))  # type: ignore[arg-type]
        states = shop.states.states(tx, heads)  # type: ignore[arg-type]
        nothing = Contents()
        for head, state in zip(heads, states, strict=True):
            keys = np.array([one.event_key for one in by_shopper[head.shopper_id]], dtype=np.int64)
            model.teach(Known(state=shop.serving.in_rows(state), contents=nothing), keys)
