"""What a query means: its terms, the values it names, the price it allows, the words that were misspelt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from huaxiang.errors import InputError
from huaxiang.profile.acts import LIKED
from huaxiang.profile.values import Values
from huaxiang.profile.wishes import Wish, Wishes, read_wishes
from huaxiang.search.spelling import Correction, IsWord, Vocabulary, corrected
from huaxiang.search.tokens import terms
from huaxiang.shop.clean import clean_text, has_words

LONGEST = 500
"""Characters of a query; who pastes a page wants something else."""
LANGUAGES = ("en", "zh")


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """Values that one span of the query names; several where they share a name."""

    values: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """A query as it is searched.

    Parameters
    ----------
    text
        As it was asked, cleaned.
    searched
        After corrections: spans point into it.
    core
        What is left to look for without the price and what is refused.
    wordings
        Terms of the core as it is written, then with the values' names in other languages.
    min_minor, max_minor
        Prices, in minor units; None is without limit.
    did_you_mean
        The query with words of the catalogue for those that it lacks, where that is only a guess.
    """

    text: str
    searched: str
    core: str
    wordings: tuple[tuple[str, ...], ...]
    wanted: tuple[Meant, ...] = ()
    refused: tuple[Meant, ...] = ()
    min_minor: int | None = None
    max_minor: int | None = None
    currency: str | None = None
    corrections: tuple[Correction, ...] = ()
    did_you_mean: str | None = None


def understand(
    text: str,
    *,
    values: Values,
    vocabulary: Vocabulary,
    is_word: IsWord,
    verbatim: bool = False,
    currency: str | None = None,
) -> Understood:
    """Return what a query means.

    Parameters
    ----------
    is_word
        See `IsWord`: such a word is searched as it is, and only asked about.
    verbatim
        Whether it is searched exactly as it is written.
    currency
        The shop's: prices in another one are not understood.

    Raises
    ------
    InputError
        There is nothing to look for, or it is too long.
    """
    asked = checked(text)
    mistakes = (
        []
        if verbatim
        else vocabulary.corrections(asked, is_word=lambda word: is_word(word) or _is_name(word, values))
    )
    searched = corrected(asked, mistakes)
    wishes = read_wishes(searched, values.words, things=values.things, currency=currency)
    limit = wishes.limit
    is_foreign = limit is not None and limit.currency not in (None, currency)
    wanted = tuple(_meant(wish) for wish in wishes.wishes if wish.side == LIKED)
    refused = tuple(_meant(wish) for wish in wishes.wishes if wish.side != LIKED)
    core = _core(searched, wishes)
    return Understood(
        text=asked,
        searched=searched,
        core=core,
        wordings=_wordings(searched, core, wanted, wishes, values),
        wanted=wanted,
        refused=refused,
        min_minor=limit.min_minor if limit and not is_foreign else None,
        max_minor=limit.max_minor if limit and not is_foreign else None,
        currency=limit.currency if limit and is_foreign else None,
        corrections=tuple(mistakes),
        did_you_mean=None if verbatim else _guess(searched, vocabulary, values),
    )


def checked(text: str) -> str:
    """Return a query cleaned.

    Raises
    ------
    InputError
        It has no word, or is too long.
    """
    if len(text) > LONGEST:
        remedy = f"ask with at most {LONGEST} characters"
        raise InputError("the query is too long", column="q", value=f"{len(text)} characters", remedy=remedy)
    asked = clean_text(text)
    if not has_words(asked):
        remedy = "ask with a word, a number or a photo"
        raise InputError("the query has no letter or digit", column="q", value=asked[:40], remedy=remedy)
    return asked


def _meant(wish: Wish) -> Meant:
    return Meant(values=wish.values, start=wish.start, end=wish.end)


def _is_name(word: str, values: Values) -> bool:
    """Return whether the lexicon or a value of the catalogue has this name: sneakers are no mistake."""
    return bool(values.words.find(word))


def _core(searched: str, wishes: Wishes) -> str:
    """Return the query without the price and the refused; the whole where nothing would be left."""
    cut = [(wish.start, wish.end) for wish in wishes.wishes if wish.side != LIKED]
    if wishes.limit is not None:
        cut.append((wishes.limit.start, wishes.limit.end))
    left = clean_text(_without(searched, cut))
    return left if has_words(left) else searched


def _without(text: str, spans: Sequence[tuple[int, int]]) -> str:
    kept = list(text)
    for start, end in spans:
        kept[start:end] = " " * (end - start)
    return "".join(kept)


def _wordings(
    searched: str, core: str, wanted: Sequence[Meant], wishes: Wishes, values: Values
) -> tuple[tuple[str, ...], ...]:
    """Return the core's terms, and those with the names that each language has for what is wanted."""
    first = tuple(terms(core))
    found = [first]
    cut = [(wish.start, wish.end) for wish in wishes.wishes if wish.side != LIKED]
    if wishes.limit is not None:
        cut.append((wishes.limit.start, wishes.limit.end))
    for language in LANGUAGES if wanted else ():
        said = _without(searched, cut)
        for one in sorted(wanted, key=lambda one: -one.start):
            name = values.label(one.values[0], language=language)
            said = f"{said[: one.start]} {name} {said[one.end :]}"
        found.append(tuple(terms(said)))
    return tuple(dict.fromkeys(wording for wording in found if wording))


def _guess(searched: str, vocabulary: Vocabulary, values: Values) -> str | None:
    """Return the query with the nearest words of the catalogue where it lacks one, None if there is none."""
    guesses = vocabulary.corrections(searched, is_word=lambda word: _is_name(word, values))
    return corrected(searched, guesses) if guesses else None
