"""What every way of writing a text again promises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

import numpy as np


class TextAugmenter(Protocol):
    """Texts in, the same texts written another way out; what they say stays, so their labels do too.

    A text is never emptied: one that a way can't change, or changes too much, comes back as it was.
    """

    @property
    def counted(self) -> Counter[str]:
        """What became of the texts so far: `changed`, or why one was kept as it was."""
        ...

    def augment(self, texts: Sequence[str], rng: np.random.Generator) -> list[str]:
        """Return one text for each."""
        ...


CHANGED = "changed"
NOTHING_TO_CHANGE = "nothing to change"
