"""Whether a sentence that a language model wrote says only what is known.

The check is strict, since what it refuses costs a plain sentence and what it lets through is told to
somebody as true: every number and every word that claims something must stand in the facts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from huaxiang.encoders.base import TextEncoder
from huaxiang.encoders.hardening.words import is_chinese, is_negation, is_word, pieces
from huaxiang.encoders.learning.base import in_range
from huaxiang.records import Matrix
from huaxiang.writing.framing import AGAINST, FRAMING

_NUMBER = re.compile(r"(?:(?<!\w)[-−])?\d+(?:[.,]\d+)*")
_END = re.compile(r"[.!?。！？][\"'”’）)]*$")
_ENDINGS = ("s", "es", "d", "ed", "ing", "'s", "’s")
_PLAIN = re.compile(r"[a-z][a-z'’-]*")
_REPEATED = 3


class Refusal(StrEnum):
    """Why a sentence is not used."""

    UNFINISHED = "no whole sentence"
    NOTHING = "says nothing of what is known"
    NUMBER = "a number that no fact holds"
    WORD = "a word that no fact holds"
    TURNED = "says the opposite of a fact"
    REPEATS = "says the same words again"
    FAR = "is about something else"


class Verdict(NamedTuple):
    """What the check found.

    Parameters
    ----------
    refusal
        None where the sentence passes.
    fact
        Row of the fact that it says, or comes closest to saying; -1 where it comes close to none.
    """

    refusal: Refusal | None
    fact: int


@dataclass(frozen=True, kw_only=True)
class CheckConfig:
    """How strict the check is.

    Parameters
    ----------
    longest
        Most characters of a sentence; ≥ 10.
    least
        Lowest cosine between a sentence and its fact, where there is an encoder; -1 to 1.
    """

    longest: int = 400
    least: float = 0.5

    def __post_init__(self) -> None:
        in_range("longest", self.longest, self.longest >= 10, "10 or more")
        in_range("least", self.least, -1 <= self.least <= 1, "-1 to 1")


class EvidenceCheck:
    """Sentences against the facts that they were written from.

    Parameters
    ----------
    encoder
        Compares meanings; None leaves it at numbers and words.

    Examples
    --------
    >>> check = EvidenceCheck()
    >>> facts = ["Prefers the colour red: 14 of 40 actions."]
    >>> check.verdict("In 14 of 40 actions the preference was for red.", facts).refusal is None
    True
    >>> check.verdict("In 15 of 40 actions the preference was for red.", facts).refusal
    <Refusal.NUMBER: 'a number that no fact holds'>
    >>> check.verdict("Prefers the colour red, as most women do.", facts).refusal
    <Refusal.WORD: 'a word that no fact holds'>
    """

    def __init__(self, *, encoder: TextEncoder | None = None, config: CheckConfig | None = None) -> None:
        self.encoder = encoder
        self.config = config or CheckConfig()

    def verdict(self, sentence: str, facts: Sequence[str], *, alone: bool = False) -> Verdict:
        """Return whether a sentence says only what the facts hold."""
        return self.verdicts([sentence], [facts], alone=[alone])[0]

    def verdicts(
        self,
        sentences: Sequence[str],
        facts: Sequence[Sequence[str]],
        *,
        alone: Sequence[bool] | None = None,
    ) -> list[Verdict]:
        """Return a verdict on each sentence against its own facts.

        Parameters
        ----------
        alone
            Whether one fact must hold all of the sentence: "prefers red" and "buys hats" don't make "prefers
            hats". Facts about one thing (a red dress, of silk) may be woven together. None: all may.
        """
        alone = alone if alone is not None else [False] * len(sentences)
        found = [self._by_words(*one) for one in zip(sentences, facts, alone, strict=True)]
        asked = [row for row, verdict in enumerate(found) if verdict.refusal is None]
        if self.encoder is None or not asked:
            return found
        said_ID = self._vectors([sentences[row] for row in asked])
        known_ID = self._vectors([facts[row][found[row].fact] for row in asked])
        for row, cosine in zip(asked, np.einsum("id,id->i", said_ID, known_ID).tolist(), strict=True):
            if cosine < self.config.least:
                found[row] = Verdict(Refusal.FAR, found[row].fact)
        return found

    def _vectors(self, texts: Sequence[str]) -> Matrix:
        assert self.encoder is not None
        return self.encoder.encode(list(texts)).vectors_ID

    def _by_words(self, sentence: str, facts: Sequence[str], alone: bool) -> Verdict:
        said = _read(sentence)
        known = [_read(fact) for fact in facts]
        fact = _closest(said, known)
        if alone and fact >= 0:
            return Verdict(self._refusal(sentence, said, [known[fact]], 0), fact)
        return Verdict(self._refusal(sentence, said, known, fact), fact)

    def _refusal(self, sentence: str, said: _Said, known: Sequence[_Said], fact: int) -> Refusal | None:
        if not _END.search(sentence.strip()) or len(sentence) > self.config.longest:
            return Refusal.UNFINISHED
        if fact < 0:
            return Refusal.NOTHING
        if not _numbers_stand(said.numbers, known, fact):
            return Refusal.NUMBER
        if not all(any(one.holds(word) for one in known) for word in said.claims):
            return Refusal.WORD
        if said.is_turned != known[fact].is_turned:
            return Refusal.TURNED
        if _repeats(said.words) and not _repeats(known[fact].words):
            return Refusal.REPEATS
        return None


class _Said(NamedTuple):
    """What a text says: numbers in order, words, those that claim something, whether it says no."""

    text: str
    numbers: tuple[str, ...]
    words: tuple[str, ...]
    claims: tuple[str, ...]
    forms: frozenset[str]
    is_turned: bool

    def holds(self, word: str) -> bool:
        """Return whether this text says a word, in any of its forms."""
        if is_chinese(word) or _is_symbol(word):
            return word in self.text
        return word in self.forms or not self.forms.isdisjoint(_forms(word))


@lru_cache(maxsize=4096)
def _read(text: str) -> _Said:
    plain = unicodedata.normalize("NFKC", text).lower()
    numbers = tuple(_value(match[0]) for match in _NUMBER.finditer(plain))
    words = tuple(piece for piece in pieces(plain) if is_word(piece) and not piece.isdigit())
    against = [word for word in words if is_negation(word) or word in AGAINST]
    claims = tuple(word for word in words if word not in FRAMING and word not in against)
    claims += tuple(filter(_is_symbol, plain))
    forms = frozenset(form for word in words if not is_chinese(word) for form in _forms(word))
    return _Said(plain, numbers, words, claims, forms, len(against) % 2 == 1)


def _is_symbol(character: str) -> bool:
    """Return whether a mark says something: €5 is not $5, and 14 % is not 14.

    Examples
    --------
    >>> [_is_symbol(character) for character in "€%+❤.,“"]
    [True, True, True, True, False, False, False]
    """
    return character in "%‰" or (len(character) == 1 and unicodedata.category(character)[0] == "S")


def _value(number: str) -> str:
    """Return a number as one thing, however it is written.

    Examples
    --------
    >>> _value("1,299.50"), _value("1299.5"), _value("014")
    ('1299.5', '1299.5', '14')
    """
    plain = re.sub(r",(?=\d{3}\b)", "", number).replace(",", ".").replace("−", "-")
    whole, dot, rest = plain.partition(".")
    rest = rest.rstrip("0") if "." not in rest else rest
    return (whole.lstrip("0") or "0") + (dot + rest if rest else "")


def _forms(word: str) -> frozenset[str]:
    """Return a word with the endings that change no meaning."""
    found = {word, *(word + ending for ending in _ENDINGS)} if _PLAIN.fullmatch(word) else {word}
    if len(word) > 3 and word.endswith("e"):
        found.add(word[:-1] + "ing")
    if len(word) > 3 and word.endswith("y"):
        found.add(word[:-1] + "ies")
    return frozenset(found)


def _closest(said: _Said, known: Sequence[_Said]) -> int:
    """Return the row of the fact that holds most of what is claimed; the first of several."""
    shares = [
        sum(one.holds(word) for word in said.claims) + sum(number in one.numbers for number in said.numbers)
        for one in known
    ]
    best = int(np.argmax(shares)) if shares else -1
    return best if best >= 0 and shares[best] > 0 else -1


def _numbers_stand(numbers: tuple[str, ...], known: Sequence[_Said], fact: int) -> bool:
    """Return whether each number is known, and in its fact's order: 14 of 40 is not 40 of 14."""
    if all(number in known[fact].numbers for number in numbers):
        rest = iter(known[fact].numbers)
        return all(number in rest for number in numbers)
    return all(any(number in one.numbers for one in known) for number in numbers)


def _repeats(words: tuple[str, ...]) -> bool:
    runs = [words[at : at + _REPEATED] for at in range(len(words) - _REPEATED + 1)]
    return len(set(runs)) < len(runs)
