"""Characters that people did not write: markup, byte order marks, wrong encodings, what is not seen."""

from __future__ import annotations

import re

from huaxiang.shop.clean import without_markup, without_unseen

MARK = "\ufeff"
_ROUNDS = 3
"""Times that markup or an encoding is undone: exports of exports carry it twice."""

_UNDRAWN = "\xa0\xad\ufeff"
"""What people write without its being drawn: spaces, hyphens and marks."""
_LOST = re.compile("\ufffd|锟斤拷")
"""The second is what two lost characters become when UTF-8 is read as GBK."""

_HIGH = "".join(
    bytes([byte]).decode("cp1252", errors="ignore") + (chr(byte) if byte < 0xA0 else "")
    for byte in range(0x80, 0xC0)
)
"""How bytes 0x80 to 0xBF read in Windows-1252 and Latin-1: what follows the first byte of a character."""

_REST = f"[{re.escape(_HIGH)}]"
_WRONG = re.compile(f"[ÂÃ]{_REST}|[àâ-ï]{_REST}{{2}}|ð{_REST}{{3}}")
"""UTF-8 read byte by byte. Two-byte letters only where Western Europe's are: `ß“` is no mojibake."""


def mended(text: str) -> tuple[str, tuple[str, ...]]:
    r"""Return the text as it was meant, and the kinds of what was mended or is lost.

    A text in which nothing is wrong is returned as it is, white space included. Line breaks stay.

    Examples
    --------
    >>> mended("\ufeffCafÃ© <b>cr&amp;egrave;me</b>")
    ('Café crème', ('byte_order_mark', 'mojibake', 'markup'))
    >>> mended("5 < 6 & 红色")
    ('5 < 6 & 红色', ())
    >>> mended("caf\ufffd")
    ('caf\ufffd', ('lost',))
    """
    kinds = []
    steps = (
        ("byte_order_mark", _without_marks),
        ("mojibake", in_right_encoding),
        ("markup", _without_any_markup),
        ("unseen", without_unseen),
    )
    for kind, step in steps:
        better = step(text)
        if better != text:
            kinds.append(kind)
            text = better
    if _LOST.search(text):
        kinds.append("lost")
    return text, tuple(kinds)


def in_right_encoding(text: str) -> str:
    r"""Return the text with UTF-8 that was read as Windows-1252 or Latin-1 read aright.

    Only the sequences that are valid UTF-8 change; what stands around them stays.

    Examples
    --------
    >>> in_right_encoding("itâ€™s 5â‚¬, naÃ¯ve, å¥½, 红色")
    'it’s 5€, naïve, 好, 红色'
    >>> in_right_encoding("voilà… Spaß“ Ã")
    'voilà… Spaß“ Ã'
    """
    for _ in range(_ROUNDS):
        better = _WRONG.sub(_read_again, text)
        if better == text:
            return text
        text = better
    return text


def _read_again(found: re.Match[str]) -> str:
    read = bytes(map(_byte_of, found[0])).decode("utf-8", errors="replace")
    is_meant = len(read) == 1 and read != "\ufffd" and (read.isprintable() or read in _UNDRAWN)
    return read if is_meant else found[0]


def _byte_of(character: str) -> int:
    return ord(character) if ord(character) < 0x100 else character.encode("cp1252")[0]


def _without_marks(text: str) -> str:
    return text.replace(MARK, "").replace("ï»¿", "")


def _without_any_markup(text: str) -> str:
    for _ in range(_ROUNDS):
        better = without_markup(text)
        if better == text:
            return text
        text = "\n".join(" ".join(line.split()) for line in better.split("\n")).strip()
    return text
