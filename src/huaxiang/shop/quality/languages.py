"""Which language a text is in, by its script and its commonest words; nothing is downloaded."""

from __future__ import annotations

import re

LANGUAGES = ("zh", "en", "mixed", "other")
_LOOKED_AT = 4000
"""Characters that are looked at."""
_HAN_PER_WORD = 1.6
"""Chinese characters that say as much as one word of a language with spaces."""
_CHINESE_FROM, _MIXED_FROM = 0.7, 0.15

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003134f]")
_KANA_OR_HANGUL = re.compile("[\u3041-\u30ff\uac00-\ud7af]")
_LATIN_WORD = re.compile("[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f]+(?:['’][A-Za-z]+)?")
_OTHER_LETTER = re.compile("[\u0370-\u1cff\u2c00-\u2dff\ua4d0-\uabff\ufb1d-\ufdff\ufe70-\ufefc]")

_ENGLISH = frozenset(
    "the and is are was were it its it's of to for with this that these those i you he she they we my your "
    "his her our their not but very from have has had be been would will can could if because what which "
    "there here than then when so just all more good great love".split()
)
_OTHERS = frozenset(
    "le la les des une est et avec sur dans pas que qui je nous vous très mais cette ce au aux du "
    "der die das und ist nicht ein eine mit für auf ich sie wir sehr aber den dem von zu im auch "
    "el los las una es con para por muy pero del que más está lo se su "
    "il di che è non per sono molto ma della gli anche questo questa "
    "os um uma não com muito é da do em mais het een niet van voor zijn maar "
    "met och att det som inte".split()
)


def language_of(text: str) -> str:
    """Return zh, en, mixed (both in one text) or other; a text without letters is other.

    A Latin text is English unless two of the commonest words of other European languages stand in it, and
    more than of its own: one alone is often a name.

    Examples
    --------
    >>> [language_of(text) for text in ("红色连衣裙", "Red dress", "这款 iPhone 手机壳很好用", "12")]
    ['zh', 'en', 'zh', 'other']
    >>> [language_of(text) for text in ("Love 连衣裙 so much 很好看", "赤いドレス", "Das Kleid ist rot")]
    ['mixed', 'other', 'other']
    """
    text = text[:_LOOKED_AT]
    n_han = len(_HAN.findall(text))
    words = _LATIN_WORD.findall(text)
    n_other = len(_OTHER_LETTER.findall(text))
    n_latin = sum(map(len, words))
    if len(_KANA_OR_HANGUL.findall(text)) > 0.1 * n_han + 0.5 * n_latin or n_other > n_han + n_latin:
        return "other"
    said = n_han + _HAN_PER_WORD * len(words)
    if not said:
        return "other"
    if n_han / said >= _CHINESE_FROM:
        return "zh"
    if n_han / said >= _MIXED_FROM:
        return "mixed"
    return "en" if _is_english(words) else "other"


def _is_english(words: list[str]) -> bool:
    said = {word.lower() for word in words}
    n_others = len(said & _OTHERS)
    return n_others < 2 or len(said & _ENGLISH) >= n_others


def usual_language(counts: dict[str, int]) -> str | None:
    """Return the language of nine in ten texts or more; None where there is none.

    Examples
    --------
    >>> usual_language({"zh": 98, "en": 2}), usual_language({"zh": 50, "en": 50})
    ('zh', None)
    """
    whole = sum(counts.values())
    return next((name for name, n in counts.items() if n >= 0.9 * whole and name != "other"), None)
