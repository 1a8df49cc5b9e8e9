"""A text → its words, and what stands between them: joined again they are the text."""

from __future__ import annotations

import re

import numpy as np

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_PIECE = re.compile(rf"(?P<han>[{_HAN}]+)|(?:(?![{_HAN}])\w)+(?:['’](?:(?![{_HAN}])\w)+)*|\s+|.", re.DOTALL)

NEGATIONS = frozenset("no not never none nothing nobody without hardly barely cannot nor 非 并非 别".split())
"""Words that turn what a text says round: no way but a given thesaurus touches them."""

_TURNS = re.compile("[不没]|^[无未勿]")
"""Characters that make a Chinese word one of them: 不准, 没有, 无法. (But 非常 only says "very".)"""


def pieces(text: str) -> list[str]:
    """Return words, marks and spaces in order; Chinese is divided by jieba.

    Examples
    --------
    >>> pieces("It's red, 真的 好!")
    ["It's", ' ', 'red', ',', ' ', '真的', ' ', '好', '!']
    """
    found: list[str] = []
    for match in _PIECE.finditer(text):
        found += _chinese_words(match[0]) if match["han"] else [match[0]]
    return found


def is_word(piece: str) -> bool:
    """Return whether a piece is a word and no mark or space."""
    return piece[:1].isalnum()


def is_chinese(piece: str) -> bool:
    """Return whether a piece is written in Chinese characters.

    Examples
    --------
    >>> is_chinese("鞋"), is_chinese("shoe")
    (True, False)
    """
    return re.match(rf"[{_HAN}]", piece) is not None


def is_negation(word: str) -> bool:
    """Return whether a word turns a sentence round.

    Examples
    --------
    >>> is_negation("Don't"), is_negation("没有"), is_negation("note"), is_negation("非常")
    (True, True, False, False)
    """
    lower = word.lower().replace("’", "'")
    return lower in NEGATIONS or lower.endswith("n't") or _TURNS.search(word) is not None


def free_words(found: list[str]) -> list[int]:
    """Return where words stand that may be changed."""
    return [at for at, piece in enumerate(found) if is_word(piece) and not is_negation(piece)]


def drawn_places(places: list[int], *, rate: float, rng: np.random.Generator) -> list[int]:
    """Return a share of the places, at least one where there is any, in order.

    Examples
    --------
    >>> len(drawn_places([1, 2, 3, 4], rate=0.5, rng=np.random.default_rng(0)))
    2
    """
    if not places:
        return []
    n = min(len(places), max(1, round(rate * len(places))))
    return sorted(rng.choice(places, n, replace=False).tolist())


def tidied(found: list[str]) -> str:
    """Return pieces as one text, without the spaces that a word left behind.

    Examples
    --------
    >>> tidied(["a", " ", "", " ", "dress", " ", "", "."])
    'a dress.'
    """
    joined = re.sub(r"([^\S\n])[^\S\n]+", r"\1", "".join(found))
    return re.sub(r"[^\S\n]+([.,;:!?。，；：！？])", r"\1", joined).strip()


def in_the_case_of(word: str, pattern: str) -> str:
    """Return a word with capitals where another has them.

    Examples
    --------
    >>> in_the_case_of("gown", "Dress"), in_the_case_of("gown", "DRESS"), in_the_case_of("gown", "dress")
    ('Gown', 'GOWN', 'gown')
    """
    if pattern.isupper() and len(pattern) > 1:
        return word.upper()
    return word[:1].upper() + word[1:] if pattern[:1].isupper() else word


def _chinese_words(run: str) -> list[str]:
    import jieba

    jieba.setLogLevel("ERROR")
    words: list[str] = jieba.lcut(run)
    return words
