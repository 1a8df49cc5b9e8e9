"""More texts from those there are, by the ways that are named; what each says, and so its label, stays.

The ways, from the simplest to the richest: `delete`, `swap` and `typos` need nothing, `synonyms` a
thesaurus, `masked` a masked language model, `back_translation` two translators.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from huaxiang.encoders.base import Progress
from huaxiang.encoders.drafts import Drafts
from huaxiang.encoders.hardening import edits, typos
from huaxiang.encoders.hardening.back_translation import BackTranslation, Translator
from huaxiang.encoders.hardening.base import TextAugmenter
from huaxiang.encoders.hardening.likeness import Likeness
from huaxiang.encoders.hardening.thesaurus import Thesaurus
from huaxiang.encoders.learning.base import in_range, one_of
from huaxiang.errors import SettingsError
from huaxiang.shop.clean import has_words

_TEXTS_AT_ONCE = 256
Part = TypeVar("Part")


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What the ways draw on.

    Parameters
    ----------
    rate
        Share of a text's words that each way but translation changes; above 0, below 1.
    thesaurus
        File with `word` and `synonyms`.
    masked
        Folder of a masked language model.
    there, back
        Translators into another language and back.
    likeness
        Which new texts say the same; asked of the two ways that write by a model.
    """

    rate: float = 0.1
    thesaurus: Path | None = None
    masked: Path | None = None
    there: Translator | None = None
    back: Translator | None = None
    likeness: Likeness | None = None

    def __post_init__(self) -> None:
        in_range("augment.rate", self.rate, 0 < self.rate < 1, "a share between 0 and 1")


@dataclass(frozen=True, kw_only=True)
class Copies:
    """New texts, none the same as what it was made from.

    Parameters
    ----------
    texts
        C of them.
    source_rows_C
        The row of which each is a copy: its label is that row's, and it stays on that row's side of a split.
    ways
        How each was made.
    counted
        Way → what became of the texts: `changed`, or why one was kept as it was.
    """

    texts: list[str]
    source_rows_C: NDArray[np.int64]
    ways: list[str]
    counted: Mapping[str, Mapping[str, int]]


def text_augmenters(ways: Sequence[str], sources: Sources) -> dict[str, TextAugmenter]:
    """Return the augmenters that names stand for, in their order.

    Raises
    ------
    SettingsError
        A name is unknown, or what it draws on is not given.
    """
    for way in ways:
        one_of("ways", way, WAYS)
    return {way: _MADE[way](sources) for way in ways}


def copies(
    texts: Sequence[str | None],
    augmenters: Mapping[str, TextAugmenter],
    *,
    n_copies: int = 1,
    seed: int = 0,
    drafts: Drafts | None = None,
    progress: Progress | None = None,
) -> Copies:
    """Return up to `n_copies` new texts of each text and way; texts without words have none.

    Copies that are like their source, or like another of it, are left out. Augment what is learnt from,
    after it was split from what is held out.

    Parameters
    ----------
    drafts
        What was written before the same call was stopped.

    Examples
    --------
    >>> made = copies(["a red dress", None], text_augmenters(["delete"], Sources()))
    >>> made.texts, made.source_rows_C
    (['a red'], array([0]))
    """
    in_range("copies", n_copies, n_copies >= 1, "1 or more")
    rows = [row for row, text in enumerate(texts) if text and has_words(text)]
    known = {row: {str(texts[row]).strip()} for row in rows}
    made: list[tuple[int, str, str]] = []
    drafts = drafts or Drafts(None, of="")
    counted: dict[str, Counter[str]] = {way: Counter() for way in augmenters}
    starts = range(0, len(rows), _TEXTS_AT_ONCE)
    total = len(rows) * n_copies * len(augmenters)
    for number, (way, turn, start) in enumerate(product(augmenters, range(n_copies), starts)):
        part = rows[start : start + _TEXTS_AT_ONCE]
        given = [str(texts[row]) for row in part]
        draft = drafts.part(
            number,
            write=partial(augmenters[way].augment, given, np.random.default_rng((seed, number))),
            counted=partial(getattr, augmenters[way], "counted"),
        )
        counted[way].update(draft.counted)
        made += [(row, way, str(text)) for row, text in zip(part, draft.texts, strict=True)]
        if progress is not None:
            progress(len(made), total, f"{way}, copy {turn + 1}")
    new = [one for one in made if _is_new(known[one[0]], one[2])]
    return Copies(
        texts=[text for _, _, text in new],
        source_rows_C=np.array([row for row, _, _ in new], np.int64),
        ways=[way for _, way, _ in new],
        counted=counted,
    )


def _is_new(known: set[str], text: str) -> bool:
    """Return whether a copy is not known yet, and remember it."""
    is_new = text.strip() not in known
    known.add(text.strip())
    return is_new


def _synonyms(sources: Sources) -> TextAugmenter:
    path = _given(sources.thesaurus, "synonyms", "a thesaurus (--thesaurus FILE)")
    return Thesaurus.read(path, edits.Config(rate=sources.rate))


def _masked(sources: Sources) -> TextAugmenter:
    from huaxiang.encoders.hardening.masked import Config, MaskedWords

    folder = _given(sources.masked, "masked", "a masked language model (--masked FOLDER)")
    likeness = _given(sources.likeness, "masked", "a text encoder (--encoder)")
    return MaskedWords(folder, likeness, Config(rate=sources.rate))


def _back_translation(sources: Sources) -> TextAugmenter:
    both = (
        "two translation models (--there FOLDER --back FOLDER) or an endpoint (--endpoint URL --model NAME)"
    )
    there = _given(sources.there, "back_translation", both)
    back = _given(sources.back, "back_translation", both)
    likeness = _given(sources.likeness, "back_translation", "a text encoder (--encoder)")
    return BackTranslation(there, back, likeness)


def _given(part: Part | None, way: str, what: str) -> Part:
    if part is None:
        raise SettingsError("way needs more", column="ways", value=way, remedy=f"give {what}")
    return part


_MADE: Mapping[str, Callable[[Sources], TextAugmenter]] = {
    "delete": lambda sources: edits.Deletion(edits.Config(rate=sources.rate)),
    "swap": lambda sources: edits.Swap(edits.Config(rate=sources.rate)),
    "typos": lambda sources: typos.Typos(typos.Config(rate=sources.rate)),
    "synonyms": _synonyms,
    "masked": _masked,
    "back_translation": _back_translation,
}
WAYS = tuple(_MADE)
