"""Reads reviews by words and a few rules of grammar: nothing is downloaded, nothing is learnt.

A sentence falls into clauses at commas and at words such as "but". Inside a clause a judgement belongs to the
nearest side that is named; a clause that names none speaks of the side that the clause before left unjudged;
else the judgement's own meaning says the side ("runs small", 色差), and "great" alone judges the whole.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

from huaxiang.reviews.base import MOST_CHARACTERS, NOTHING_READ, Mention, Reading
from huaxiang.reviews.lexicon import ASPECT, BLAME, PRAISE, TURN, review_words
from huaxiang.reviews.sentences import clauses_of, sentences_of
from huaxiang.shop.clean import has_words
from huaxiang.shop.lexicon import Lexicon
from huaxiang.shop.lexicon import Mention as Said
from huaxiang.shop.quality.languages import language_of

REACH_WORDS, REACH_CHARACTERS = 3, 4
"""How far a "not" reaches: English words, Chinese characters."""
AFTER_BUT = 1.5
"""What comes after a "but" counts more for the whole."""
_LOOSE_CHINESE = 2
"""Characters of a Chinese judgement that may speak of whatever is named beside it."""
_HAN = re.compile("[\u3400-\u9fff]")
_WORD = re.compile(r"\w+(?:'\w+)?")


@dataclass
class _Judgement:
    """One judging word: which way it points, and what it speaks of when nothing is named beside it."""

    said: Said
    polarity: int
    aspect: str | None
    is_loose: bool


@dataclass
class _Clause:
    start: int
    end: int
    is_after_but: bool = False
    named: list[Said] = field(default_factory=list)
    judgements: list[_Judgement] = field(default_factory=list)


class RuleReader:
    """The reader that needs nothing.

    Examples
    --------
    >>> [reading] = RuleReader().read(["The colour is lovely but it runs small."])
    >>> reading.judged()
    {'colour': 1, 'fit': -1}
    >>> RuleReader().read(["物流很快，就是面料不好"])[0].judged()
    {'delivery': 1, 'fabric': -1}
    """

    name = "rules/1"

    def __init__(self, words: Lexicon | None = None) -> None:
        self._words = words or review_words()

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Return a reading of each text; see `Reader`."""
        return [self._read(text[:MOST_CHARACTERS]) for text in texts]

    def _read(self, text: str) -> Reading:
        if not has_words(text):
            return NOTHING_READ
        mentions: list[Mention] = []
        weights = [0.0, 0.0]
        found = self._words.find(text.replace("’", "'"))
        at = 0
        for start, end in sentences_of(text):
            inside = []
            while at < len(found) and found[at].start < end:
                inside.append(found[at])
                at += 1
            clauses = _clauses(text, start, end, inside)
            mentions += [said._replace(sentence_start=start, sentence_end=end) for said in _mentions(clauses)]
            for clause in clauses:
                for one in clause.judgements:
                    weights[one.polarity < 0] += AFTER_BUT if clause.is_after_but else 1.0
        praise, blame = weights
        score = (praise - blame) / (praise + blame + 0.5) if praise + blame else 0.0
        return Reading(language_of(text), score, tuple(mentions))


def _clauses(text: str, start: int, end: int, found: Sequence[Said]) -> list[_Clause]:
    """Return the clauses of a sentence with what is named and judged in each."""
    buts = [one for one in found if one.dimension == TURN and one.value == "but"]
    clauses = [
        _Clause(first, last, is_after_but)
        for first, last, is_after_but in clauses_of(text, start, end, [one.start for one in buts])
    ]
    at = 0
    is_wished = False
    nots: list[Said] = []
    for one in found:
        while one.start >= clauses[at].end:
            at += 1
            nots = []
        clause = clauses[at]
        if one.dimension == ASPECT:
            clause.named.append(one)
        elif one.dimension == TURN:
            is_wished |= one.value == "wish"
            nots += [one] if one.value == "not" else []
        elif (judgement := _judgement(text, one, nots, is_wished)) is not None:
            clause.judgements.append(judgement)
            nots = []
    return clauses


def _judgement(text: str, one: Said, nots: Sequence[Said], is_wished: bool) -> _Judgement | None:
    """Return what a judging word says after a "not" or a wish; a wish for something good is a lack of it."""
    polarity = 1 if one.dimension == PRAISE or one.value == "good" else -1
    is_turned = any(_reaches(text, turn.end, one.start) for turn in nots[-1:])
    if is_turned:
        polarity = -polarity
    elif is_wished and polarity > 0:
        return None
    own = one.value if one.dimension in (PRAISE, BLAME) else None
    words = text[one.start : one.end]
    is_loose = len(words) <= _LOOSE_CHINESE if _HAN.search(words) else " " not in words
    return _Judgement(one, polarity, own, own is None or is_loose)


def _reaches(text: str, end: int, start: int) -> bool:
    between = text[end:start]
    if _HAN.search(between) or _HAN.match(text[start : start + 1]):
        return len(between) <= REACH_CHARACTERS
    return len(_WORD.findall(between)) <= REACH_WORDS


def _mentions(clauses: Sequence[_Clause]) -> list[Mention]:
    """Return which side each judgement speaks of, and the sides that are only named."""
    found: list[Mention] = []
    waiting: list[Said] = []  # named in the clause before, and not judged there
    for clause in clauses:
        judged: dict[int, int] = {}
        named = clause.named or waiting
        for one in clause.judgements:
            near = _spoken_of(one, named)
            if near is not None:
                judged[near] = judged.get(near, 0) + one.polarity
            elif one.aspect is not None:
                found.append(_mention(one.said, one.aspect, one.polarity))
        found += [_mention(named[n], named[n].value, (sum_ > 0) - (sum_ < 0)) for n, sum_ in judged.items()]
        left = [said for n, said in enumerate(named) if n not in judged]
        if clause.named:
            found += [_mention(said, said.value, 0) for said in waiting]
            waiting = left
        elif clause.judgements:
            found += [_mention(said, said.value, 0) for said in left]
            waiting = []
    found += [_mention(said, said.value, 0) for said in waiting]
    return sorted(found, key=lambda mention: mention.start)


def _spoken_of(one: _Judgement, named: Sequence[Said]) -> int | None:
    """Return which of the named sides a judgement speaks of, if any."""
    if not named:
        return None
    if one.is_loose:
        return _nearest(one.said, named)
    return next((n for n, said in enumerate(named) if said.value == one.aspect), None)


def _nearest(judging: Said, named: Sequence[Said]) -> int:
    """Return which of the named sides is nearest; of equally near ones that before the judgement."""
    after = bisect_left(named, judging.start, key=lambda said: said.start)
    if after == 0 or after == len(named):
        return min(after, len(named) - 1)
    is_before = judging.start - named[after - 1].end <= named[after].start - judging.end
    return after - is_before


def _mention(said: Said, aspect: str, polarity: int) -> Mention:
    return Mention(aspect, polarity, said.start, said.end, said.start, said.end)
