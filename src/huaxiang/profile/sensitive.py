"""What no profile may be made from: items and words that give away health, faith, politics and the like.

An event about such an item, or in such words, is left out before anything is derived. So no facet, interest,
sentence or number of the vector depends on it, and neither does a list: what is left out once can't come back
by another way.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from huaxiang.errors import SettingsError
from huaxiang.profile.contents import Contents
from huaxiang.profile.state import PURCHASE, ProfileState, StateEvent, Totals
from huaxiang.records import EventType
from huaxiang.shop.catalogue import Catalogue, Dimension
from huaxiang.shop.lexicon import NOTHING, Lexicon

GROUPS = ("health", "religion", "politics", "sexuality", "ethnicity", "minors")
OWN = "own"
"""The group of the words that a shop adds."""

LEAST_SURE = 0.5
"""An attribute that was inferred counts from this confidence on."""

_DIMENSION = "sensitive"
_REFUND = EventType.REFUND.code


@dataclass(frozen=True, kw_only=True)
class Config:
    """What counts as sensitive.

    Parameters
    ----------
    groups
        Of the words that ship, those that are used; a pharmacy leaves out "health".
    words
        The shop's own, in any language.
    exempt
        Longer words of the shop's that only look sensitive, as "Church Street" does.
    """

    groups: tuple[str, ...] = GROUPS
    words: tuple[str, ...] = ()
    exempt: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for group in self.groups:
            if group not in GROUPS:
                remedy = f"groups are {', '.join(GROUPS)}"
                raise SettingsError(
                    "no such group", column="profile.sensitive.groups", value=group, remedy=remedy
                )
        if not all(word.strip() for word in (*self.words, *self.exempt)):
            raise SettingsError("an empty word", column="profile.sensitive", remedy="leave it out")


@dataclass(frozen=True)
class Sensitive:
    """What of one catalogue is sensitive.

    Parameters
    ----------
    items
        Rows of the sensitive items.
    texts, contents
        What was found of texts, and of what shoppers said by its number, so that each is read once.
    """

    config: Config
    items: frozenset[int]
    texts: dict[str, bool] = field(default_factory=dict, repr=False)
    contents: dict[int, bool] = field(default_factory=dict, repr=False)

    most_read = 50_000

    @classmethod
    def of(cls, catalogue: Catalogue, config: Config | None = None) -> Sensitive:
        """Return what of a catalogue is sensitive, by its titles, categories and other values."""
        return cls(config or Config(), frozenset()).over(catalogue)

    def over(self, catalogue: Catalogue) -> Sensitive:
        """Return the same of another catalogue; only texts that are new are read."""
        is_sensitive_I = np.zeros(catalogue.n_items, np.bool_)
        for titles in catalogue.titles.values():
            is_sensitive_I |= np.fromiter(map(self.is_text, titles), np.bool_, catalogue.n_items)
        for dimension in catalogue.dimensions.values():
            is_sensitive_I |= self._having(dimension, catalogue.n_items)
        return replace(self, items=frozenset(np.flatnonzero(is_sensitive_I).tolist()))

    def is_text(self, text: str) -> bool:
        """Return whether words are sensitive."""
        if text not in self.texts:
            if len(self.texts) >= self.most_read:
                self.texts.clear()
            self.texts[text] = bool(_lexicon(self.config).find(text))
        return self.texts[text]

    def is_said(self, content: int, contents: Contents) -> bool:
        """Return whether what an event says is sensitive; False where the words are not known."""
        if content not in self.contents:
            text = contents.text(content)
            if text is None:
                return False
            if len(self.contents) >= self.most_read:
                self.contents.clear()
            self.contents[content] = bool(_lexicon(self.config).find(text))
        return self.contents[content]

    def _having(self, dimension: Dimension, n_items: int) -> NDArray[np.bool_]:
        is_sensitive_V = np.array(
            [any(map(self.is_text, _names(dimension, row))) for row in range(len(dimension.values))], np.bool_
        )
        if not is_sensitive_V.any():
            return np.zeros(n_items, np.bool_)
        counts_N = is_sensitive_V[dimension.value_rows] & (dimension.confidence >= LEAST_SURE)
        items_N = np.repeat(np.arange(n_items), np.diff(dimension.offsets))
        return np.bincount(items_N, counts_N, minlength=n_items) > 0


def without_sensitive(state: ProfileState, sensitive: Sensitive, contents: Contents) -> ProfileState:
    """Return the state as if nothing sensitive had happened, which is the state itself for most shoppers.

    What was bought is still known as bought, so that it isn't offered again. Orders and spending of the
    lifetime are lowered by what the events left out say of them; money by its share of the units.

    Examples
    --------
    >>> mug, test = StateEvent(1_000, 1, PURCHASE, item_no=0), StateEvent(2_000, 2, PURCHASE, item_no=1)
    >>> state = ProfileState((mug, test), totals=Totals(1_000, 2_000, 2, 2, 900, 2))
    >>> seen = without_sensitive(state, Sensitive(Config(), frozenset({1})), Contents())
    >>> seen.strong == (mug,), tuple(seen.totals), sorted(seen.bought_items())
    (True, (1000, 1000, 1, 1, 450, 1), [0, 1])
    """
    items, is_said = sensitive.items, sensitive.is_said
    hidden = [
        event
        for event in state.events()
        if event.item_no in items or (event.content and is_said(event.content, contents))
    ]
    if not hidden:
        return state
    gone = frozenset(hidden)
    shown = ProfileState(
        tuple(event for event in state.strong if event not in gone),
        tuple(event for event in state.light if event not in gone),
        state.bought | _bought(hidden),
        order_only=state.order_only,
    )
    return replace(shown, totals=_lowered(state.totals, hidden, shown.events()))


def _bought(events: Iterable[StateEvent]) -> dict[int, int]:
    return {event.item_no: event.occurred_ms for event in events if event.type == PURCHASE}


def _lowered(totals: Totals, hidden: list[StateEvent], shown: tuple[StateEvent, ...]) -> Totals:
    times = {event.occurred_ms for event in shown if event.type == PURCHASE}
    orders = {event.occurred_ms for event in hidden if event.type == PURCHASE} - times
    sign = {PURCHASE: 1, _REFUND: -1}
    units = totals.n_units - sum(sign.get(event.type, 0) * event.quantity for event in hidden)
    first, last = totals.first_seen_ms, totals.last_seen_ms
    is_first = first == min(event.occurred_ms for event in hidden)
    is_last = last == max(event.occurred_ms for event in hidden)
    if is_first and is_last and not shown:
        first = last = 0
    elif is_first and is_last:
        first, last = shown[0].occurred_ms, shown[-1].occurred_ms
    elif is_first:  # the rest has perhaps no place in the state any more: then its end stands for it
        first = shown[0].occurred_ms if shown else last
    elif is_last:
        last = shown[-1].occurred_ms if shown else first
    share = max(0, units) / totals.n_units if totals.n_units > 0 else 1.0
    return Totals(
        first_seen_ms=first,
        last_seen_ms=last,
        n_orders=max(0, totals.n_orders - len(orders)),
        n_units=max(0, units),
        spend_minor=round(totals.spend_minor * share),
        n_events=max(len(shown), totals.n_events - len(hidden)),
    )


def _names(dimension: Dimension, row: int) -> Iterator[str]:
    yield dimension.values[row]
    for language in dimension.labels:
        yield dimension.label(row, language=language)


@lru_cache(maxsize=8)
def _lexicon(config: Config) -> Lexicon:
    """Return the words that ship, of the groups that are used, and the shop's own."""
    shipped = _shipped()
    groups = {group: shipped[group] for group in config.groups}
    own = {OWN: {"own": config.words}} if config.words else {}
    hiding = {NOTHING: {**shipped[NOTHING], "own": config.exempt}}
    return Lexicon({_DIMENSION: {**groups, **own}, NOTHING: hiding})


@lru_cache(maxsize=1)
def _shipped() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    file = files("huaxiang.profile").joinpath("sensitive.toml")
    tree = tomllib.loads(file.read_text(encoding="utf-8"))
    return {
        group: {code: tuple(words) for code, words in by_language.items()}
        for group, by_language in tree.items()
    }
