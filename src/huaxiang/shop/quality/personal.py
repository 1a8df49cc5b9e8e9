"""Personal data in texts, masked: what names, reaches or finds a person."""

from __future__ import annotations

import re
from collections.abc import Mapping

from huaxiang.shop.quality.addresses import without_addresses
from huaxiang.shop.quality.phones import without_phones

MASKS: Mapping[str, str] = {"email": "[email]", "phone": "[phone]", "id": "[id]", "address": "[address]"}

_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+\-])[A-Za-z0-9][A-Za-z0-9._%+\-]{0,63}+[@＠]"
    r"[A-Za-z0-9](?:[A-Za-z0-9\-]{0,62}+\.){1,5}[A-Za-z]{2,12}(?![A-Za-z0-9\-])"
)
_RESIDENT = re.compile(
    r"(?<![0-9A-Za-z])[1-8]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![0-9A-Za-z])"
)
_SOCIAL = re.compile(r"(?<![0-9A-Za-z\-.#])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![0-9A-Za-z\-])")
_CARD = re.compile(r"(?<![0-9A-Za-z\-.])[3-6]\d{3}(?:([ \-])\d{4}\1\d{4}\1|\d{8})\d{4}(?![0-9A-Za-z\-])")
_PASSPORT = re.compile(
    r"((?i:passport)|护照)((?i: number| no\.?)|号码?)?([\s:：是]{0,3})[A-Z]{1,2}\d{7,8}(?!\d)"
)
_MASK = re.compile("|".join(map(re.escape, MASKS.values())))
_DIGIT = re.compile(r"\d")

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"


def masked(text: str) -> tuple[str, dict[str, int]]:
    """Return the text with masks in place of personal data, and how many there were of each kind.

    Patterns are precise rather than complete: a name, or a number that only its owner knows to be one, stays.
    The time is in proportion to the length, whatever the text.

    Examples
    --------
    >>> masked("Mail ann.lee@example.com or call 555-234-5678")
    ('Mail [email] or call [phone]', {'email': 1, 'phone': 1})
    >>> masked("身份证11010519491231002X, 手机 138 0013 8000")
    ('身份证[id], 手机 [phone]', {'phone': 1, 'id': 1})
    """
    counts = dict.fromkeys(MASKS, 0)
    if "@" in text or "＠" in text:
        text, counts["email"] = _EMAIL.subn(MASKS["email"], text)
    if _DIGIT.search(text):
        text, counts["id"] = _without_ids(text)
        text, counts["phone"] = without_phones(text, MASKS["phone"])
        text, counts["address"] = without_addresses(text, MASKS["address"])
    return text, {kind: n for kind, n in counts.items() if n}


def without_masks(text: str) -> str:
    """Return the text without masks: they are no words of its language.

    Examples
    --------
    >>> without_masks("请联系[phone]")
    '请联系 '
    """
    return _MASK.sub(" ", text)


def _without_ids(text: str) -> tuple[str, int]:
    n_found = 0

    def checked(found: re.Match[str]) -> str:
        nonlocal n_found
        is_id = is_resident_id(found[0]) if found.re is _RESIDENT else is_card_number(found[0])
        n_found += is_id
        return MASKS["id"] if is_id else found[0]

    text = _CARD.sub(checked, _RESIDENT.sub(checked, text))
    text, n_social = _SOCIAL.subn(MASKS["id"], text)
    text, n_passports = _PASSPORT.subn(rf"\g<1>\g<2>\g<3>{MASKS['id']}", text)
    return text, n_found + n_social + n_passports


def is_resident_id(number: str) -> bool:
    """Return whether the check digit of a Chinese resident's number (18 characters) is right.

    Examples
    --------
    >>> is_resident_id("11010519491231002X"), is_resident_id("110105194912310021")
    (True, False)

    Source
    ------
    GB 11643-1999, Citizen identification number; check digit by ISO 7064 MOD 11-2.
    """
    whole = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number[:17], strict=True))
    return _CHECKS[whole % 11] == number[17].upper()


def is_card_number(number: str) -> bool:
    """Return whether the digits pass the check of bank cards (Luhn).

    Examples
    --------
    >>> is_card_number("4111 1111 1111 1111"), is_card_number("4111 1111 1111 1112")
    (True, False)
    """
    digits = [int(character) for character in number if character.isdigit()][::-1]
    doubled = [2 * digit - 9 * (digit > 4) for digit in digits[1::2]]
    return (sum(digits[0::2]) + sum(doubled)) % 10 == 0
