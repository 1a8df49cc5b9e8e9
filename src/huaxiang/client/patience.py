"""When a request is tried again, and after how long.

Events keep their ids, so sending them twice changes nothing; what could change something is repeated only if
the service said that it did not take it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from huaxiang.errors import InputError

_AGAIN = frozenset((429, 503))
_AGAIN_IF_REPEATABLE = frozenset((502, 504))


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to go on.

    Parameters
    ----------
    tries
        Most requests for one call, at least 1.
    first_s, longest_s
        Pause before the second try, doubled each time up to the longest; each is drawn between half of that
        and all of it, so that clients that failed together don't come back together. A `Retry-After` that is
        longer is kept to, up to the longest.
    """

    tries: int = 8
    first_s: float = 0.2
    longest_s: float = 30.0

    def __post_init__(self) -> None:
        if self.tries < 1 or self.first_s < 0 or self.longest_s < self.first_s:
            remedy = "give at least one try, and 0 <= first_s <= longest_s"
            raise InputError("no such patience", value=repr(self), remedy=remedy)

    def pause_s(
        self, outcome: httpx.Response | httpx.TransportError, *, n_tried: int, repeatable: bool, luck: float
    ) -> float | None:
        """Return how long to wait before the next try; None if there is none.

        Parameters
        ----------
        luck
            A number from 0 to 1, drawn anew for each pause.

        Examples
        --------
        >>> busy = httpx.Response(503, headers={"Retry-After": "3"})
        >>> patience = Patience(first_s=0.2)
        >>> patience.pause_s(busy, n_tried=1, repeatable=True, luck=0.5)
        3.0
        >>> patience.pause_s(httpx.Response(404), n_tried=1, repeatable=True, luck=0.5) is None
        True
        """
        if n_tried >= self.tries or not _is_worth_it(outcome, repeatable):
            return None
        doubled = min(self.first_s * 2.0 ** min(n_tried - 1, 30), self.longest_s)
        asked = _retry_after_s(outcome) if isinstance(outcome, httpx.Response) else 0.0
        return min(max(doubled * (1 + luck) / 2, asked), self.longest_s)


def _is_worth_it(outcome: httpx.Response | httpx.TransportError, repeatable: bool) -> bool:
    if isinstance(outcome, httpx.Response):
        return outcome.status_code in _AGAIN or (repeatable and outcome.status_code in _AGAIN_IF_REPEATABLE)
    return repeatable or isinstance(outcome, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)


def _retry_after_s(answer: httpx.Response) -> float:
    stated = answer.headers.get("retry-after", "")
    try:
        return max(float(stated), 0.0)
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(stated)
        answered = parsedate_to_datetime(answer.headers.get("date", ""))
    except (TypeError, ValueError):
        return 0.0
    return max((_aware(moment) - _aware(answered)).total_seconds(), 0.0)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def drawn() -> float:
    """Return a number from 0 to 1, another each time: the pauses of clients must differ."""
    return random.random()
