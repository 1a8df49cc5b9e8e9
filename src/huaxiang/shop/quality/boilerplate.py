"""Sentences that stand in many texts and say nothing of any: shipping notes, signatures, templates."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

_SENTENCE = re.compile(r"[^\n。！？!?；;.]+(?:\.(?=\S)[^\n。！？!?；;.]*+)*+[。！？!?；;.]*")
"""Up to a line's end or a mark at a sentence's end; a full stop inside a word or number is none."""
_LONGEST = 400
_NOT_A_WORD = re.compile(r"\W+")


def sentences_of(text: str) -> list[str]:
    r"""Return the sentences and lines of a text, with the marks at their end.

    Examples
    --------
    >>> sentences_of("Red, 5.5 cm. Free shipping!\n七天无理由退货。谢谢")
    ['Red, 5.5 cm.', ' Free shipping!', '七天无理由退货。', '谢谢']
    """
    return [found[0] for found in _SENTENCE.finditer(text) if found[0].strip()]


def plain_sentence(sentence: str) -> str:
    """Return what two spellings of one sentence share: words in lower case without marks."""
    return _NOT_A_WORD.sub(" ", sentence.casefold()).strip()


def weight_of(text: str) -> int:
    """Return how much is said: letters and digits, a Chinese character for two.

    Examples
    --------
    >>> weight_of("Free ship!"), weight_of("包邮")
    (8, 4)
    """
    return sum(2 if "\u3400" <= character <= "\u9fff" else 1 for character in text if character.isalnum())


def repeated_sentences(
    texts: Sequence[str | None], *, min_rows: int, min_weight: int = 24
) -> dict[str, list[int]]:
    """Return each sentence that stands in at least `min_rows` different texts, and the rows it stands in.

    A text that is one sentence alone is no boilerplate but a duplicate, and is not counted; neither is a text
    that has been counted before.

    Parameters
    ----------
    min_weight
        Least `weight_of` a sentence: "Love it." repeats because people talk so.

    Returns
    -------
    rows
        Sentence (as `plain_sentence`) → row numbers, the most repeated first.

    Examples
    --------
    >>> note = "Free shipping over 50 dollars."
    >>> repeated_sentences([f"Red. {note}", f"Blue! {note}", note, "Green. Soft."], min_rows=2)
    {'free shipping over 50 dollars': [0, 1]}
    """
    places: dict[str, list[int]] = {}
    different: Counter[str] = Counter()
    seen: set[str] = set()
    for row, text in enumerate(texts):
        if not text:
            continue
        is_new = text not in seen
        seen.add(text)
        for plain in _distinct(sentences_of(text), min_weight):
            places.setdefault(plain, []).append(row)
            different[plain] += is_new
    often = sorted(
        (plain for plain in places if different[plain] >= min_rows), key=lambda one: -different[one]
    )
    return {plain: places[plain] for plain in often}


def _distinct(sentences: Sequence[str], min_weight: int) -> set[str]:
    if len(sentences) < 2:
        return set()
    plain = {plain_sentence(sentence) for sentence in sentences if len(sentence) <= _LONGEST}
    return {sentence for sentence in plain if weight_of(sentence) >= min_weight}


def without_sentences(text: str, plain: Iterable[str]) -> str:
    r"""Return the text without these sentences (as `plain_sentence`); its lines stay lines.

    Examples
    --------
    >>> without_sentences("Red. Free shipping!\nSoft", {"free shipping"})
    'Red.\nSoft'
    """
    gone = frozenset(plain)
    lines = ("".join(_kept(line, gone)).strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def _kept(line: str, gone: frozenset[str]) -> list[str]:
    return [sentence for sentence in sentences_of(line) if plain_sentence(sentence) not in gone]
