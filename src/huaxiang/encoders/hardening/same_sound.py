"""Chinese characters that are typed alike: the slips of those who write by sound."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cache

from huaxiang.training import require

_FIRST, _LAST = 0xB0, 0xD7
"""Rows of GB 2312's first level: the 3,755 characters in common use, which an input method offers first."""


def same_sound(character: str) -> tuple[str, ...]:
    """Return the common characters that are spelt like this one, tones left out, without itself.

    Raises
    ------
    MissingExtraError
        When pypinyin is not installed.

    Examples
    --------
    >>> "型" in same_sound("形"), same_sound("a")
    (True, ())
    """
    by_sound, sound_of = _sounds()
    return tuple(other for other in by_sound.get(sound_of.get(character, ""), ()) if other != character)


@cache
def _sounds() -> tuple[Mapping[str, tuple[str, ...]], Mapping[str, str]]:
    require("pypinyin")
    from pypinyin import lazy_pinyin

    sound_of = {character: lazy_pinyin(character)[0] for character in _common_characters()}
    by_sound: defaultdict[str, list[str]] = defaultdict(list)
    for character, sound in sound_of.items():
        by_sound[sound].append(character)
    return {sound: tuple(alike) for sound, alike in by_sound.items()}, sound_of


def _common_characters() -> list[str]:
    rows, cells = range(_FIRST, _LAST + 1), range(0xA1, 0xFF)
    written = (bytes([row, cell]).decode("gb2312", errors="ignore") for row in rows for cell in cells)
    return [character for character in written if character]
