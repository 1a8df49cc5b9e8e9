"""A load of events, and what of it was acknowledged."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException

from serve.processes import Served
from serve.talking import event

N_SENDERS = 3


@dataclass
class Senders:
    """Threads that send batches of events as fast as they are acknowledged.

    Parameters
    ----------
    is_patient
        Whether they send a batch again until it is acknowledged; else they end when the service is gone.
    """

    served: Served
    seed: int
    is_patient: bool = False
    codes: Counter[int] = field(default_factory=Counter)
    is_over: threading.Event = field(default_factory=threading.Event)
    acknowledged: dict[str, list[str]] = field(default_factory=dict)
    n_acknowledged: int = 0

    def start(self) -> list[threading.Thread]:
        """Start them."""
        threads = [threading.Thread(target=self._send, args=(number,)) for number in range(N_SENDERS)]
        for thread in threads:
            thread.start()
        return threads

    def end(self, threads: list[threading.Thread]) -> None:
        """Let them finish what they are sending."""
        self.is_over.set()
        for thread in threads:
            thread.join()

    def _send(self, number: int) -> None:
        rng = random.Random(f"{self.seed}-{number}")
        shopper_id = f"sender-{number}"
        while not self.is_over.is_set():
            sent = [event(shopper_id, "search", query=f"red {n}") for n in range(rng.randint(1, 12))]
            while not self._is_taken(shopper_id, sent):
                if not self.is_patient or self.is_over.is_set():
                    return
                time.sleep(0.02)

    def _is_taken(self, shopper_id: str, sent: Sequence[Mapping[str, object]]) -> bool:
        try:
            status, _ = self.served.ask("POST", "/v1/events", {"events": sent})
        except (OSError, HTTPException):
            status = 0
        self.codes[status] += 1
        if status == 200:
            self.acknowledged.setdefault(shopper_id, []).extend(str(one["event_id"]) for one in sent)
            self.n_acknowledged += 1
        return status == 200


def check_all_there(served: Served, acknowledged: Mapping[str, Sequence[str]]) -> None:
    """See that the log has every acknowledged event once, and the states as many."""
    assert acknowledged
    for shopper_id, event_ids in acknowledged.items():
        told = served.ask("GET", f"/v1/shoppers/{shopper_id}/export")[1]
        there = [one["event_id"] for one in told["events"]]
        assert set(event_ids) <= set(there)
        assert len(there) == len(set(there)) == told["profile"]["n_events"]
