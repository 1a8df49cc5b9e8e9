"""Whether a text written anew still says what it said: by a text encoder's cosine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from huaxiang.encoders.base import TextEncoder
from huaxiang.encoders.hardening.base import CHANGED, NOTHING_TO_CHANGE
from huaxiang.encoders.learning.base import in_range
from huaxiang.records import Vector
from huaxiang.shop.clean import has_words

TOO_FAR = "says something else"
EMPTY = "nothing came back"


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """What a new text has to keep of the old one.

    Parameters
    ----------
    encoder
        Turns sentences into vectors; its languages have to be those of the texts.
    least
        Lowest cosine between old and new; -1 to 1. An encoder of sentences gives paraphrases .8 and more.
    """

    encoder: TextEncoder
    least: float = 0.8

    def __post_init__(self) -> None:
        in_range("likeness.least", self.least, -1 <= self.least <= 1, "-1 to 1")

    def cosines(self, before: Sequence[str], after: Sequence[str]) -> Vector:
        """Return how alike each pair is; texts without words are like nothing."""
        old = self.encoder.encode(list(before))
        new = self.encoder.encode(list(after))
        alike = np.einsum("id,id->i", old.vectors_ID, new.vectors_ID)
        return np.where(old.present_I & new.present_I, alike, -1.0).astype(np.float32)

    def chosen(self, before: Sequence[str], after: Sequence[str | None], counted: Counter[str]) -> list[str]:
        """Return each new text that says what the old one did, else the old one; None was counted before."""
        kept = list(before)
        asked = [at for at, text in enumerate(after) if self._is_new(before[at], text, counted)]
        if not asked:
            return kept
        new = [str(after[at]) for at in asked]
        for at, text, alike in zip(asked, new, self.cosines([before[at] for at in asked], new), strict=True):
            if alike >= self.least:
                kept[at] = text
            counted[CHANGED if alike >= self.least else TOO_FAR] += 1
        return kept

    @staticmethod
    def _is_new(before: str, after: str | None, counted: Counter[str]) -> bool:
        if after is None:
            return False
        if after.strip() == before.strip():
            counted[NOTHING_TO_CHANGE] += 1
            return False
        if not has_words(after):
            counted[EMPTY] += 1
            return False
        return True
