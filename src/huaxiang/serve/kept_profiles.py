"""Profiles as they were answered, kept within the moment that they are rounded to.

Deriving a profile takes milliseconds, and until the shopper's next event it comes out the same. What is kept
is found by what it was made from: the shopper's heads, read from the log by every request, and the background
that all profiles of a moment share. So a kept answer is never older than one that is derived now.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from huaxiang.serve.serving import Serving
from huaxiang.store import Head

MOST_KEPT = 5_000


@dataclass(frozen=True, slots=True)
class Answer:
    """A profile as it is sent."""

    etag: str
    body: bytes


@dataclass(frozen=True, eq=False)
class Background:
    """What all profiles of one moment are made from, besides their shoppers' events."""

    serving: Serving
    moment: datetime | None

    def is_still(self, serving: Serving, moment: datetime | None) -> bool:
        """Return whether the model, the catalogue and the moment are these."""
        return self.serving is serving and self.moment == moment


class KeptProfiles:
    """The answers of one shop in one process, those asked for lately."""

    def __init__(self, *, most: int = MOST_KEPT) -> None:
        self._most = most
        self._background: Background | None = None
        self._kept: OrderedDict[tuple[object, ...], tuple[Sequence[Head], Answer]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def background(self, serving: Serving, moment: datetime | None) -> Background:
        """Return the background of now; where it is another than before, nothing is kept any more."""
        known = self._background
        if known is None or not known.is_still(serving, moment):
            self._kept = OrderedDict()
            known = self._background = Background(serving, moment)
        return known

    def find(self, question: tuple[object, ...], heads: Sequence[Head]) -> Answer | None:
        """Return the answer to a question, None where the log has other heads now."""
        heads_then, answer = self._kept.get(question, (None, None))
        if answer is None or heads_then != heads:
            return None
        self._kept.move_to_end(question)
        return answer

    def keep(
        self, question: tuple[object, ...], heads: Sequence[Head], answer: Answer, *, made: Background
    ) -> None:
        """Keep an answer, unless something was forgotten or replaced since its background was taken."""
        if made is not self._background:
            return
        self._kept[question] = (heads, answer)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def forget(self) -> None:
        """Drop everything, and what is being made from what was read before."""
        self._background = None
        self._kept = OrderedDict()
