"""Words left out, and words that change places: more texts, with no model and no list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from huaxiang.encoders.hardening.base import CHANGED, NOTHING_TO_CHANGE
from huaxiang.encoders.hardening.words import drawn_places, free_words, is_word, pieces, tidied
from huaxiang.encoders.learning.base import in_range


@dataclass(frozen=True, kw_only=True)
class Config:
    """How much of a text is changed.

    Parameters
    ----------
    rate
        Share of its words; above 0, below 1. At least one word.
    """

    rate: float = 0.1

    def __post_init__(self) -> None:
        in_range("augment.rate", self.rate, 0 < self.rate < 1, "a share between 0 and 1")


class Deletion:
    """Texts without some of their words; negations stay, and at least one word.

    Source
    ------
    Wei and Zou, EDA: Easy data augmentation techniques, EMNLP 2019, section 2; ours keeps what turns a
    sentence round ("not", "不"), so that labels stay true.
    """

    def __init__(self, config: Config | None = None) -> None:
        self.config = config or Config()
        self.counted: Counter[str] = Counter()

    def augment(self, texts: Sequence[str], rng: np.random.Generator) -> list[str]:
        """Return one text for each.

        Examples
        --------
        >>> Deletion(Config(rate=0.4)).augment(["not a red dress!", "好"], np.random.default_rng(1))
        ['not a dress!', '好']
        """
        return [self._one(text, rng) for text in texts]

    def _one(self, text: str, rng: np.random.Generator) -> str:
        found = pieces(text)
        n_words = sum(map(is_word, found))
        left_out = drawn_places(free_words(found), rate=self.config.rate, rng=rng)[: max(0, n_words - 1)]
        kept = tidied(["" if at in left_out else piece for at, piece in enumerate(found)])
        return _counted(self.counted, text, kept if left_out else text)


class Swap:
    """Texts in which some words have changed places with others.

    Source
    ------
    As for `Deletion`.
    """

    def __init__(self, config: Config | None = None) -> None:
        self.config = config or Config()
        self.counted: Counter[str] = Counter()

    def augment(self, texts: Sequence[str], rng: np.random.Generator) -> list[str]:
        """Return one text for each.

        Examples
        --------
        >>> Swap().augment(["red dress, blue hat"], np.random.default_rng(0))
        ['red hat, blue dress']
        """
        return [self._one(text, rng) for text in texts]

    def _one(self, text: str, rng: np.random.Generator) -> str:
        found = pieces(text)
        places = free_words(found)
        for place in drawn_places(places, rate=self.config.rate, rng=rng):
            others = [at for at in places if found[at].lower() != found[place].lower()]
            if others:
                other = int(rng.choice(others))
                found[place], found[other] = found[other], found[place]
        return _counted(self.counted, text, "".join(found))


def _counted(counter: Counter[str], before: str, after: str) -> str:
    counter[CHANGED if after != before else NOTHING_TO_CHANGE] += 1
    return after
