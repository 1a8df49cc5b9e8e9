"""Where the sentences of a review, and the clauses of a sentence, begin and end."""

from __future__ import annotations

import re
from collections.abc import Sequence

_END = re.compile(r"[.!?]+(?=\s|$)|[。！？；;…~～\n]+|[!?]+")
_BREAK = re.compile(r"[,，、:：()（）]|\s[-–—]\s")
_SHORTEST = 1


def sentences_of(text: str) -> list[tuple[int, int]]:
    """Return where each sentence stands, marks included and spaces around it left out.

    Examples
    --------
    >>> [("Nice. Runs small!")[a:b] for a, b in sentences_of("Nice. Runs small!")]
    ['Nice.', 'Runs small!']
    >>> sentences_of("好看。就是偏小")
    [(0, 3), (3, 7)]
    """
    ends = [found.end() for found in _END.finditer(text)]
    found = []
    for start, end in zip([0, *ends], [*ends, len(text)], strict=True):
        inside = text[start:end]
        first = start + len(inside) - len(inside.lstrip())
        last = end - (len(inside) - len(inside.rstrip()))
        if last - first >= _SHORTEST:
            found.append((first, last))
    return found


def clauses_of(text: str, start: int, end: int, buts: Sequence[int]) -> list[tuple[int, int, bool]]:
    """Return where the clauses of `text[start:end]` stand, and whether a "but" came before.

    Parameters
    ----------
    buts
        Where such words begin.

    Examples
    --------
    >>> clauses_of("nice, but thin", 0, 14, [6])
    [(0, 5, False), (6, 14, True)]
    """
    breaks = sorted({found.end() for found in _BREAK.finditer(text, start, end)} | set(buts))
    edges = [start, *(at for at in breaks if start < at < end), end]
    return [
        (first, last, any(but < last for but in buts))
        for first, last in zip(edges[:-1], edges[1:], strict=True)
        if last - first > _SHORTEST or last == end
    ]
