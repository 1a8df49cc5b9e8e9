"""The open lists and deeds of one shopper, and which deed followed from which list.

A deed that names its list belongs to it. Any other belongs to the newest list before it, at most a window
old, that had its item. So what follows depends on what is in the book and not on what came first.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from huaxiang.feedback.following import Deed, Followed, Shown

_LAST = "\U0010ffff"
"""Sorts after every slate id."""


@dataclass
class Book:
    """What one shopper was shown and did, by item.

    Parameters
    ----------
    slates_of
        Item number → moment and id of each list that had it, in that order.
    named
        Slate id → the deeds that name it.
    unnamed
        Item number → the shopper's other deeds with it.

    Examples
    --------
    >>> book = Book(window_ms=10)
    >>> shown = Shown(slate_id="l", shopper_id="s", model="m", placement="home", shown_ms=0, item_nos=(7, 9))
    >>> book.add_slate(shown)
    >>> book.add_deed(Deed(shopper_id="s", kind="bought", item_no=9, occurred_ms=5))
    >>> book.followed(["l"])
    {Followed(slate_id='l', place=2, kind='bought', attributed=True)}
    """

    window_ms: int
    slates: dict[str, Shown] = field(default_factory=dict)
    slates_of: dict[int, list[tuple[int, str]]] = field(default_factory=dict)
    named: dict[str, set[Deed]] = field(default_factory=dict)
    unnamed: dict[int, set[Deed]] = field(default_factory=dict)

    def add_slate(self, slate: Shown) -> None:
        """Take one more list in."""
        self.slates[slate.slate_id] = slate
        for item_no in set(slate.item_nos):
            insort(self.slates_of.setdefault(item_no, []), (slate.shown_ms, slate.slate_id))

    def add_deed(self, deed: Deed) -> None:
        """Take one more deed in; one that names a list names one of these."""
        if deed.slate_id is None:
            self.unnamed.setdefault(deed.item_no, set()).add(deed)
        else:
            self.named.setdefault(deed.slate_id, set()).add(deed)

    def followed(self, slate_ids: Iterable[str]) -> set[Followed]:
        """Return what followed from some of the lists, each kind of each place once."""
        return {one for name in slate_ids for one in self._followed(self.slates[name])}

    def losing_to(self, slate: Shown) -> set[str]:
        """Return the lists whose deeds are this one's once it is added."""
        deeds = (deed for item_no in set(slate.item_nos) for deed in self.unnamed.get(item_no, ()))
        newest = (self.newest_with(deed) for deed in deeds if deed.occurred_ms >= slate.shown_ms)
        return {name for name in newest if name is not None}

    def newest_with(self, deed: Deed) -> str | None:
        """Return the list that a deed without a name belongs to."""
        had = self.slates_of.get(deed.item_no, [])
        before = bisect_right(had, (deed.occurred_ms, _LAST))
        if not before or deed.occurred_ms - had[before - 1][0] > self.window_ms:
            return None
        return had[before - 1][1]

    def close_before(self, moment_ms: int) -> list[str]:
        """Let go of lists and deeds older than a moment; return the lists."""
        gone = [name for name, slate in self.slates.items() if slate.shown_ms < moment_ms]
        for name in gone:
            slate = self.slates.pop(name)
            self.named.pop(name, None)
            for item_no in set(slate.item_nos):
                _drop(self.slates_of, item_no, (slate.shown_ms, name))
        for item_no, deeds in list(self.unnamed.items()):
            self.unnamed[item_no] = {deed for deed in deeds if deed.occurred_ms >= moment_ms}
            if not self.unnamed[item_no]:
                del self.unnamed[item_no]
        return gone

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left to be joined."""
        return not self.slates and not self.unnamed

    def _followed(self, slate: Shown) -> Iterator[Followed]:
        stated = {(deed.item_no, deed.kind) for deed in self.named.get(slate.slate_id, ())}
        by_time = {
            (deed.item_no, deed.kind)
            for item_no in set(slate.item_nos)
            for deed in self.unnamed.get(item_no, ())
            if self.newest_with(deed) == slate.slate_id
        }
        for item_no, kind in stated | by_time:
            if item_no in slate.item_nos:
                place = slate.item_nos.index(item_no) + 1
                yield Followed(slate.slate_id, place, kind, attributed=(item_no, kind) not in stated)


def _drop(slates_of: dict[int, list[tuple[int, str]]], item_no: int, entry: tuple[int, str]) -> None:
    slates_of[item_no].remove(entry)
    if not slates_of[item_no]:
        del slates_of[item_no]
