"""Sentences that stand for what many say, with personal data masked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from huaxiang.reviews.base import Mention, ReadReview
from huaxiang.shop.quality.personal import masked

LONGEST = 240
"""Characters of a sentence that are shown; a longer one is cut around what it names."""
_BEST_LENGTH = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """One sentence of a review; `text` is masked and may be cut."""

    event_id: str
    text: str
    language: str
    polarity: int
    rating: float | None


def quotes_of(
    reviews: Sequence[ReadReview], aspect: str, *, polarity: int, most: int = 3, language: str | None = None
) -> tuple[Quote, ...]:
    """Return sentences that say the same of one side: short, of different words, newest first among equals.

    Parameters
    ----------
    language
        Preferred; others follow when there are too few.
    """
    found: list[tuple[tuple[float, ...], Quote]] = []
    for one in reviews:
        mention = next(
            (m for m in one.reading.mentions if (m.aspect, m.polarity) == (aspect, polarity)), None
        )
        if mention is not None and one.review.text:
            quote = _quote(one, mention)
            is_other = language is not None and quote.language not in (language, "mixed")
            rank = (float(is_other), abs(len(quote.text) - _BEST_LENGTH) // 20, -one.review.position)
            found.append((rank, quote))
    return _different((quote for _, quote in sorted(found, key=lambda pair: pair[0])), most=most)


def _different(quotes: Iterable[Quote], *, most: int) -> tuple[Quote, ...]:
    kept: dict[str, Quote] = {}
    for quote in quotes:
        kept.setdefault(quote.text.casefold(), quote)
        if len(kept) == most:
            break
    return tuple(kept.values())


def _quote(one: ReadReview, mention: Mention) -> Quote:
    text = one.review.text or ""
    return Quote(
        event_id=one.review.event_id,
        text=shown(text, mention),
        language=one.reading.language,
        polarity=mention.polarity,
        rating=one.review.rating,
    )


def shown(text: str, mention: Mention) -> str:
    """Return the mention's sentence as it may be shown: masked, cut, on one line.

    Examples
    --------
    >>> said = Mention("fit", -1, 0, 10, 0, 40)
    >>> shown("Runs small, write to ann.lee@example.com", said)
    'Runs small, write to [email]'
    """
    # Masked as a whole: a cut through an address would leave its half.
    start, end = mention.sentence_start, mention.sentence_end
    sentence = masked(" ".join(text[start:end].split()))[0].encode("utf-8", "replace").decode()
    if len(sentence) <= LONGEST:
        return sentence
    near = max(0, min(mention.start - start - LONGEST // 2, len(sentence) - LONGEST))
    return ("…" if near else "") + sentence[near : near + LONGEST].strip() + "…"
