"""Brands that lead the titles of a shop which states none."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from huaxiang.shop.infer.base import Claim
from huaxiang.shop.infer.mentions import ItemWords
from huaxiang.shop.lexicon import Lexicon

BRAND = "brand"
_LONGEST_NAME = 4
_WORD = re.compile(r"[^\W\d_][\w'’&.+-]*|\d+[A-Za-z][\w-]*")
_NO_BRAND = frozenset(
    "the a an new set pack pair mens men womens women woman man kids boys girls unisex baby ladies "
    "professional pure natural organic premium original deluxe ultra super mini large small big classic "
    "genuine luxury all one two three".split()
)


@dataclass(frozen=True, kw_only=True)
class Config:
    """When leading words count as brands.

    Parameters
    ----------
    fewest_titles
        Titles that a brand leads.
    lead_share
        Share of the titles with the word that it leads; words that describe stand anywhere.
    partner_share
        Share of those titles in which the next word is the same: then it is part of the name.
    coverage
        Share of the titles that some brand must lead; else the shop doesn't begin its titles with brands,
        and nothing is said.
    confidence
        Of a brand that leads ten titles or more.
    """

    fewest_titles: int = 4
    lead_share: float = 0.75
    partner_share: float = 0.9
    coverage: float = 0.3
    confidence: float = 0.7


def brand_claims(
    rows: Sequence[int], words: Mapping[int, Sequence[ItemWords]], lexicon: Lexicon, config: Config
) -> list[Claim]:
    """Return a brand for each item whose title begins with one, or nothing where there is no evidence.

    A brand is a capitalised word, or two, that leads several titles, seldom stands elsewhere, is no everyday
    word and is never written small in a description. Titles all in capitals tell nothing.
    """
    titles = {row: words[row][0].title for row in rows if words.get(row)}
    if not titles or _share_in_capitals(titles.values()) > 0.5:
        return []
    split = {row: _WORD.findall(title) for row, title in titles.items()}
    brands = _leaders(list(split.values()), _everyday_words(words, lexicon), config)
    led = {row: brands[said[0].lower()] for row, said in split.items() if said and said[0].lower() in brands}
    if len(led) < config.coverage * len(titles):
        return []
    return [
        Claim(row, BRAND, name, config.confidence * min(1.0, 0.5 + 0.05 * n_led))
        for row, (name, n_led) in led.items()
    ]


def _leaders(
    titles: Sequence[Sequence[str]], everyday: frozenset[str], config: Config
) -> dict[str, tuple[str, int]]:
    """Return leading word in small letters → the brand as usually written, and how many titles it leads."""
    anywhere = Counter(word for said in titles for word in {word.lower() for word in said})
    led: dict[str, list[Sequence[str]]] = defaultdict(list)
    for said in titles:
        if said:
            led[said[0].lower()].append(said)
    found = {}
    for word, own in led.items():
        is_leader = len(own) >= max(config.fewest_titles, config.lead_share * anywhere[word])
        usual = Counter(said[0] for said in own).most_common(1)[0][0]
        if is_leader and word not in everyday and _is_named(usual):
            found[word] = (_whole_name(usual, own, everyday, config), len(own))
    return found


def _whole_name(first: str, titles: Sequence[Sequence[str]], everyday: frozenset[str], config: Config) -> str:
    """Return the words with which nearly all these titles begin, up to the last that can end a name."""
    name, ends_at = [first], 1
    for place in range(1, _LONGEST_NAME):
        word, n = Counter(said[place] if len(said) > place else "" for said in titles).most_common(1)[0]
        if n < config.partner_share * len(titles):
            break
        name.append(word)
        if _is_named(word) and word.lower() not in everyday:
            ends_at = len(name)
    return " ".join(name[:ends_at])


def _is_named(word: str) -> bool:
    return len(word) > 1 and (word[0].isupper() or any(letter.isdigit() for letter in word))


def _everyday_words(words: Mapping[int, Sequence[ItemWords]], lexicon: Lexicon) -> frozenset[str]:
    """Return words that are no names: the lexicon's, and those that running text writes small."""
    running = (
        text.description
        for texts in words.values()
        for text in texts
        if any(c.isupper() for c in text.description)
    )
    small = Counter(word for text in running for word in set(re.findall(r"\b[a-z][\w'’-]*", text)))
    known = (
        word.lower()
        for values in lexicon.names.values()
        for by_language in values.values()
        for phrase in by_language.get("en", ())
        for word in phrase.split()
    )
    return frozenset({*_NO_BRAND, *known, *(word for word, n in small.items() if n >= 2)})


def _share_in_capitals(titles: Iterable[str]) -> float:
    in_capitals = [title == title.upper() for title in titles]
    return sum(in_capitals) / len(in_capitals)
