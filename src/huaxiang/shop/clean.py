"""A shop's text as people wrote it → the words in it."""

from __future__ import annotations

import re
import unicodedata
from html import unescape

LONGEST = 100_000
"""Characters looked at; no encoder reads further than a few thousand."""

_MARKUP = re.compile(r"<[a-zA-Z!/]|&[a-zA-Z#]")
_TAG = re.compile(r"<(/?[a-zA-Z][a-zA-Z0-9]*+|!)[^<>]*+>")
_SPACE = re.compile(r"\s+")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_KEPT_UNSEEN = frozenset("\t\n\r\f\v\u200d")
"""White space, which becomes a space, and the joiner inside emoji."""


def clean_text(text: str | None) -> str:
    r"""Return the words of a text: no markup, no control characters, single spaces, one Unicode form.

    Full-width letters and digits become plain ones (NFKC). Only the first `LONGEST` characters are
    looked at.

    Examples
    --------
    >>> clean_text("<p>Red&nbsp;<b>dress</b></p>\x00\n  ＸＬ")
    'Red dress XL'
    >>> clean_text(None)
    ''
    """
    shown = unicodedata.normalize("NFKC", without_markup((text or "")[:LONGEST]))
    return _SPACE.sub(" ", without_unseen(shown)).strip()


def has_words(text: str) -> bool:
    """Return whether there is a letter or a digit in any script.

    Examples
    --------
    >>> has_words("🎉 !!"), has_words("鞋"), has_words("42")
    (False, True, True)
    """
    return any(character.isalnum() for character in text)


def without_markup(text: str) -> str:
    """Return what a reader of the page would see, whatever its length.

    The standard HTML parser takes quadratic time on unclosed tags, so tags are found by one linear pass.

    Examples
    --------
    >>> without_markup("<b>Caf&eacute;</b> 3 < 5")
    ' Café  3 < 5'
    """
    if not _MARKUP.search(text):
        return text
    seen: list[str] = []
    end, hidden_by = 0, ""
    for tag in _TAG.finditer(text):
        if not hidden_by:
            seen += [text[end : tag.start()], " "]
        name = tag[1].lower()
        if name in ("script", "style") and not hidden_by:
            hidden_by = "/" + name
        elif name == hidden_by:
            hidden_by = ""
        end = tag.end()
    if not hidden_by:
        seen.append(text[end:])
    return unescape("".join(seen))


def without_unseen(text: str) -> str:
    r"""Return the text without control characters and others that are not drawn; white space stays.

    Examples
    --------
    >>> without_unseen("a\x00b\u200bc d")
    'abc d'
    """
    return text if text.isprintable() else "".join(map(_seen, text))


def _seen(character: str) -> str:
    is_unseen = unicodedata.category(character) in _UNSEEN and character not in _KEPT_UNSEEN
    return "" if is_unseen else character
