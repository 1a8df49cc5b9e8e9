"""What came of the lists, kept up to date list by list and event by event.

Lists and deeds are held open until nothing can be joined to them any more; each new one changes the counts
by what it changes. So the counts are the same whatever came first: an event may come before its list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from huaxiang.errors import SettingsError
from huaxiang.feedback.book import Book
from huaxiang.feedback.counts import Key, by_model_and_placement, by_place, counts_of
from huaxiang.feedback.following import Deed, Shown

HOUR_MS = 3_600_000


@dataclass(frozen=True, kw_only=True)
class Config:
    """How deeds are joined to lists.

    Parameters
    ----------
    window_hours
        Longest time between a list and a deed that does not name it; > 0.
    open_hours
        How long lists and deeds wait for what comes late; at least `window_hours`.
    most_open
        Lists that are held open at once; the older half is closed beyond it; ≥ 2.
    """

    window_hours: float = 24.0
    open_hours: float = 48.0
    most_open: int = 200_000

    def __post_init__(self) -> None:
        if not 0 < self.window_hours <= self.open_hours or self.most_open < 2:
            remedy = "window_hours is above 0 and at most open_hours, most_open at least 2"
            value = f"{self.window_hours}, {self.open_hours}, {self.most_open}"
            raise SettingsError("out of range", column="outcomes", value=value, remedy=remedy)

    @property
    def window_ms(self) -> int:
        """The window in milliseconds."""
        return round(self.window_hours * HOUR_MS)


class Outcomes:
    """Counts of what was shown and what followed.

    Examples
    --------
    >>> outcomes = Outcomes()
    >>> outcomes.learn_deed(Deed(shopper_id="s", kind="clicked", item_no=9, occurred_ms=5, slate_id="l"))
    >>> shown = Shown(slate_id="l", shopper_id="s", model="m", placement="home", shown_ms=0, item_nos=(7, 9))
    >>> outcomes.learn_slate(shown)
    >>> outcomes.as_json()["lists"][0]["clicked_items"]["share"]
    0.5
    """

    def __init__(self, config: Config | None = None) -> None:
        self.config = config or Config()
        self.counts: Counter[Key] = Counter()
        self._books: dict[str, Book] = {}
        self._owner_of: dict[str, str] = {}
        self._waiting: dict[str, set[Deed]] = {}
        self._newest_ms = self._closed_ms = 0

    @classmethod
    def of(cls, slates: Iterable[Shown], deeds: Iterable[Deed], *, config: Config | None = None) -> Outcomes:
        """Return the outcomes of many lists and deeds, counted once all are there."""
        made = cls(config)
        for slate in slates:
            made._open(slate)
        for deed in deeds:
            made._file(deed)
        for book in made._books.values():
            made.counts.update(counts_of(book.slates.values(), book.followed(book.slates)))
        return made

    @property
    def n_open(self) -> int:
        """How many lists may still gain from a deed."""
        return len(self._owner_of)

    def learn_slate(self, slate: Shown) -> None:
        """Take one more list in; one that is there already changes nothing."""
        if slate.slate_id in self._owner_of:
            return
        book = self._books.get(_owner(slate), Book(self.config.window_ms))
        losing = book.losing_to(slate)
        before = self._counts(book, losing)
        book = self._open(slate)
        self._move(before, self._counts(book, {*losing, slate.slate_id}))
        self._see(slate.shown_ms)

    def learn_deed(self, deed: Deed) -> None:
        """Take one more deed in; the same one again changes nothing."""
        owner = deed.shopper_id if deed.slate_id is None else self._owner_of.get(deed.slate_id)
        book = self._books.get(owner or "")
        name = deed.slate_id or (book.newest_with(deed) if book else None)
        if book is None or name is None:
            self._file(deed)
        else:
            before = self._counts(book, {name})
            self._file(deed)
            self._move(before, self._counts(book, {name}))
        self._see(deed.occurred_ms)

    def close_before(self, moment_ms: int) -> None:
        """Let go of lists and deeds older than a moment; their counts stay, and nothing more joins them."""
        for owner, book in list(self._books.items()):
            for name in book.close_before(moment_ms):
                del self._owner_of[name]
            if book.is_empty:
                del self._books[owner]
        for name, deeds in list(self._waiting.items()):
            self._waiting[name] = {deed for deed in deeds if deed.occurred_ms >= moment_ms}
            if not self._waiting[name]:
                del self._waiting[name]

    def as_json(self) -> dict[str, Any]:
        """Return the rows by model and placement, and by place."""
        return {"lists": by_model_and_placement(self.counts), "places": by_place(self.counts)}

    def _open(self, slate: Shown) -> Book:
        owner = _owner(slate)
        book = self._books.setdefault(owner, Book(self.config.window_ms))
        if slate.slate_id not in self._owner_of:
            self._owner_of[slate.slate_id] = owner
            book.add_slate(slate)
            for deed in self._waiting.pop(slate.slate_id, ()):
                book.add_deed(deed)
        return book

    def _file(self, deed: Deed) -> None:
        """Put a deed where it belongs, or let it wait for the list that it names."""
        if deed.slate_id is None:
            self._books.setdefault(deed.shopper_id, Book(self.config.window_ms)).add_deed(deed)
        elif deed.slate_id in self._owner_of:
            self._books[self._owner_of[deed.slate_id]].add_deed(deed)
        else:
            self._waiting.setdefault(deed.slate_id, set()).add(deed)

    def _counts(self, book: Book, slate_ids: Iterable[str]) -> Counter[Key]:
        names = list(slate_ids)
        return counts_of([book.slates[name] for name in names], book.followed(names))

    def _move(self, before: Counter[Key], after: Counter[Key]) -> None:
        self.counts.update(after)
        self.counts.subtract(before)

    def _see(self, moment_ms: int) -> None:
        """Close what is too old, once an hour of the log's own time, and half of all where it is too much."""
        self._newest_ms = max(self._newest_ms, moment_ms)
        if self.n_open > self.config.most_open:
            self.close_before(self._middle_ms())
        elif self._newest_ms - self._closed_ms > HOUR_MS:
            self._closed_ms = self._newest_ms
            self.close_before(self._newest_ms - round(self.config.open_hours * HOUR_MS))

    def _middle_ms(self) -> int:
        times = sorted(slate.shown_ms for book in self._books.values() for slate in book.slates.values())
        return max(times[len(times) // 2], times[0] + 1)


def _owner(slate: Shown) -> str:
    """Return whose deeds may follow from a list; one for nobody is on its own."""
    return slate.shopper_id if slate.shopper_id is not None else f"\0{slate.slate_id}"
