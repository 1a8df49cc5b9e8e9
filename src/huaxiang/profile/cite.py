"""Turns rows of a shopper's events into evidence: event ids, or the words and the photo of a description."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from huaxiang.profile.acts import Acts
from huaxiang.profile.contents import Contents
from huaxiang.profile.prices import PriceLimit
from huaxiang.profile.said import Heard
from huaxiang.records import Evidence


class Citations:
    """Evidence for one profile.

    Parameters
    ----------
    described
        The events are a description just given and stand in no log: cite the words and the photo.
    """

    def __init__(
        self, acts: Acts, heard: Heard, contents: Contents, *, shopper_id: str | None, described: bool
    ) -> None:
        self._acts = acts
        self._heard = heard
        self._contents = contents
        self._shopper_id = shopper_id
        self._described = described
        self._made: dict[int, Evidence] = {}

    def events(self, rows: Iterable[int]) -> tuple[Evidence, ...]:
        """Return the events as evidence; in a description, the whole text or the photo."""
        made, rows = self._made, list(rows)
        try:
            return tuple([made[row] for row in rows])
        except KeyError:
            self.look_up(rows)
            return tuple([made[row] for row in rows])

    def words(self, rows: Iterable[int], *, longest: int = 40) -> str:
        """Return the first words said in the events, shortened; "" where nothing was said."""
        said = (self._contents.text(int(self._acts.content_E[row])) for row in rows)
        first = next((text for text in said if text), "")
        return first if len(first) <= longest else first[: longest - 1] + "…"

    def values(self, rows: Sequence[Sequence[int]], values: Sequence[int]) -> list[tuple[Evidence, ...]]:
        """Return `value` of several at once."""
        self.look_up(chain.from_iterable(rows))
        if self._described:
            return [self.value(cited, value) for cited, value in zip(rows, values, strict=True)]
        made = self._made
        return [tuple([made[row] for row in cited]) for cited in rows]

    def value(self, rows: Iterable[int], value: int) -> tuple[Evidence, ...]:
        """Return the events as evidence for one value; in a description, the words that name it."""
        if not self._described:
            return self.events(rows)
        return tuple(dict.fromkeys(one for row in rows for one in self._named(row, value)))

    def limit(self, rows: Iterable[int], limit: PriceLimit) -> tuple[Evidence, ...]:
        """Return the events as evidence for a price limit; in a description, the words that set it."""
        if not self._described:
            return self.events(rows)
        return tuple(self._words(row, limit.start, limit.end) for row in rows)

    def look_up(self, rows: Iterable[int]) -> None:
        """Make the evidence of these events at once, which is quicker than one by one."""
        wanted = [row for row in dict.fromkeys(rows) if row not in self._made]
        if self._described:
            self._made.update((row, self._part(row)) for row in wanted)
        elif wanted:
            ids = self._contents.event_ids(self._acts.key_E[wanted], shopper_id=self._shopper_id)
            self._made.update((row, Evidence(event_id=id_)) for row, id_ in zip(wanted, ids, strict=True))

    def _part(self, row: int) -> Evidence:
        """Return the whole text or the photo of a description."""
        content = int(self._acts.content_E[row])
        text = self._contents.text(content)
        if text is None:
            return Evidence(image=self._contents.image(content))
        return Evidence(text=text, start=0, end=len(text))

    def _named(self, row: int, value: int) -> Iterable[Evidence]:
        for said in self._heard.said.get(row, ()):
            if said.value == value:
                yield self._words(row, said.start, said.end) if said.end else self.events([row])[0]

    def _words(self, row: int, start: int, end: int) -> Evidence:
        text = self._contents.text(int(self._acts.content_E[row])) or ""
        return Evidence(text=text[start:end], start=start, end=end)
