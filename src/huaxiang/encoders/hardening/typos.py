"""Texts as people type them in a hurry: letters swapped, dropped, doubled, or hit beside the right key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from huaxiang.encoders.hardening.base import CHANGED, NOTHING_TO_CHANGE
from huaxiang.encoders.hardening.same_sound import same_sound
from huaxiang.encoders.hardening.words import drawn_places, is_chinese, is_word, pieces
from huaxiang.encoders.learning.base import in_range, one_of

_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_FEWEST_LETTERS = 4

Slip = Callable[[str, np.random.Generator], str]


@dataclass(frozen=True, kw_only=True)
class Config:
    """Which slips, and how many.

    Parameters
    ----------
    kinds
        Of `swap`, `drop`, `double`, `neighbour` (the key beside the right one; for Chinese, a character
        that sounds the same).
    rate
        Share of the words with a slip, one each; above 0, at most 1. At least one word.
    """

    kinds: tuple[str, ...] = ("swap", "drop", "double", "neighbour")
    rate: float = 0.1

    def __post_init__(self) -> None:
        in_range("typos.rate", self.rate, 0 < self.rate <= 1, "a share above 0, up to 1")
        for kind in self.kinds:
            one_of("typos.kinds", kind, tuple(SLIPS))
        in_range("typos.kinds", len(self.kinds), len(self.kinds) > 0, "one or more kinds")


class Typos:
    """Texts with slips of the keyboard; each draw is another.

    English: inside words of four letters or more, their first and last letter left alone, as people
    read over such slips. Chinese: two characters of a word swapped, one dropped or doubled, or one that
    is spelt alike. Characters that only look alike are not among them: that needs a table of shapes.

    Source
    ------
    Pruthi, Dhingra and Lipton, Combating adversarial misspellings with robust word recognition, ACL 2019,
    section 4; "double" stands for their added letter, and the slips are drawn, not searched.
    """

    def __init__(self, config: Config | None = None) -> None:
        self.config = config or Config()
        self.counted: Counter[str] = Counter()

    def augment(self, texts: Sequence[str], rng: np.random.Generator) -> list[str]:
        """Return one text for each.

        Examples
        --------
        >>> Typos(Config(kinds=("drop",))).augment(["lovely red dress"], np.random.default_rng(0))
        ['lovely red drss']
        """
        return [self._one(text, rng) for text in texts]

    def _one(self, text: str, rng: np.random.Generator) -> str:
        found = pieces(text)
        places = [at for at, piece in enumerate(found) if _can_slip(piece)]
        for place in drawn_places(places, rate=self.config.rate, rng=rng):
            found[place] = _slipped(found[place], self.config.kinds, rng)
        after = "".join(found)
        self.counted[CHANGED if after != text else NOTHING_TO_CHANGE] += 1
        return after


def neighbours(key: str) -> str:
    """Return the letters beside one on the keyboard.

    Examples
    --------
    >>> neighbours("s"), neighbours("Q"), neighbours("é")
    ('adwezx', 'WA', '')
    """
    row = next((at for at, keys in enumerate(_KEYS) if key.lower() in keys), None)
    if row is None or len(key) != 1:
        return ""
    column = _KEYS[row].index(key.lower())
    around = [(row, column - 1), (row, column + 1), (row - 1, column), (row - 1, column + 1)]
    around += [(row + 1, column - 1), (row + 1, column)]
    found = "".join(_KEYS[r][c] for r, c in around if 0 <= r < len(_KEYS) and 0 <= c < len(_KEYS[r]))
    return found.upper() if key.isupper() else found


def _can_slip(piece: str) -> bool:
    if is_chinese(piece):
        return True
    return is_word(piece) and len(piece) >= _FEWEST_LETTERS and piece.isalpha()


def _slipped(word: str, kinds: Sequence[str], rng: np.random.Generator) -> str:
    """Return a word after the first kind of slip, in a drawn order, that changes it."""
    for kind in rng.permutation(np.array(kinds)).tolist():
        after = SLIPS[kind](word, rng)
        if after != word:
            return after
    return word


def _swap(word: str, rng: np.random.Generator) -> str:
    first, last = _inside(word)
    places = [at for at in range(first, last - 1) if word[at] != word[at + 1]]
    if not places:
        return word
    at = int(rng.choice(places))
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _drop(word: str, rng: np.random.Generator) -> str:
    if len(word) == 1:  # a Chinese word may be one character: nothing of it would be left
        return word
    at = int(rng.integers(*_inside(word)))
    return word[:at] + word[at + 1 :]


def _double(word: str, rng: np.random.Generator) -> str:
    at = int(rng.integers(*_inside(word)))
    return word[: at + 1] + word[at:]


def _neighbour(word: str, rng: np.random.Generator) -> str:
    alike = same_sound if is_chinese(word) else neighbours
    choices = {at: alike(word[at]) for at in range(*_inside(word))}
    places = [at for at, found in choices.items() if found]
    if not places:
        return word
    at = int(rng.choice(places))
    return word[:at] + str(rng.choice(list(choices[at]))) + word[at + 1 :]


def _inside(word: str) -> tuple[int, int]:
    """Return from where to where letters may slip."""
    return (0, len(word)) if is_chinese(word) else (1, len(word) - 1)


SLIPS: Mapping[str, Slip] = {"swap": _swap, "drop": _drop, "double": _double, "neighbour": _neighbour}
