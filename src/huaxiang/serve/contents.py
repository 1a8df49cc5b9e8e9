"""What a shopper's state refers to: event ids, words and their vectors, fetched for one request.

Words are read into vectors once and kept; those that nobody has read yet are read now, the newest first, and
a request reads at most a few, so that one shopper with many queries doesn't hold up the others.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from huaxiang.notes import Note, note
from huaxiang.profile.contents import Contents
from huaxiang.profile.state import ProfileState
from huaxiang.records import EventType, Vector
from huaxiang.store import Content, add_contents, contents_of, event_ids

MOST_READ_NOW = 4
N_CACHED = 50_000
_CORRECT = EventType.CORRECT.code


@dataclass(frozen=True, slots=True)
class _Said:
    kind: str
    words: str
    vector: Vector | None


class SaidThings:
    """The words and photos of one shop's events, with their vectors in one space.

    Parameters
    ----------
    space
        Names the vectors; others are not used.
    encode
        Turns (kind, words or place of a photo) into a vector, zeros where it can't be read.
    """

    def __init__(self, shop_id: str, space: str, encode: Callable[[str, str], Vector]) -> None:
        self._shop_id = shop_id
        self._space = space
        self._encode = encode
        self._cached: OrderedDict[int, _Said] = OrderedDict()

    def of(
        self, tx: Connection, state: ProfileState, ids: Sequence[str], *, save: Callable[[Content], None]
    ) -> tuple[Contents, tuple[Note, ...]]:
        """Return what the state refers to, and what of it could not be had.

        Parameters
        ----------
        save
            Called with each content that got its vector only now.
        """
        events = sorted(state.strong + state.light, reverse=True)
        contents = Contents()
        keys = [event.key for event in events]
        contents.add_ids(event_ids(tx, self._shop_id, ids, keys))
        wanted = list(dict.fromkeys(event.content for event in events if event.content))
        if not wanted:
            return contents, ()
        self._fetch(tx, wanted)
        corrections = {event.content for event in events if event.type == _CORRECT}
        unread = [number for number in wanted if self._needs_vector(number) and number not in corrections]
        for number in unread[:MOST_READ_NOW]:
            self._read(number, save)
        for number in wanted:
            self._add(contents, number)
        left = len(unread) - MOST_READ_NOW
        return contents, (note("not_read_yet", n=left),) if left > 0 else ()

    def _fetch(self, tx: Connection, numbers: Sequence[int]) -> None:
        missing = [number for number in numbers if number not in self._cached]
        for content in contents_of(tx, self._shop_id, self._space, missing) if missing else ():
            self._keep(content.content, _Said(content.kind, content.said, content.vector))

    def _needs_vector(self, number: int) -> bool:
        said = self._cached.get(number)
        return said is not None and said.vector is None

    def _read(self, number: int, save: Callable[[Content], None]) -> None:
        said = self._cached[number]
        vector = self._encode(said.kind, said.words)
        self._keep(number, _Said(said.kind, said.words, vector))
        save(Content(content=number, space=self._space, kind=said.kind, said=said.words, vector=vector))

    def _keep(self, number: int, said: _Said) -> None:
        self._cached[number] = said
        self._cached.move_to_end(number)
        while len(self._cached) > N_CACHED:
            self._cached.popitem(last=False)

    def _add(self, contents: Contents, number: int) -> None:
        said = self._cached.get(number)
        if said is None:
            return
        added = contents.add_image(said.words) if said.kind == "photo" else contents.add_text(said.words)
        if said.vector is not None:
            contents.add_vectors([added], said.vector[None])

    def use(self, space: str) -> None:
        """Use vectors of another space from now on."""
        if space != self._space:
            self._space = space
            self._cached.clear()

    def forget(self) -> None:
        """Drop everything that is kept here; the log has it still, unless it was erased."""
        self._cached.clear()


def saving(tx: Connection, shop_id: str, content: Content) -> None:
    """Write one content that got its vector."""
    add_contents(tx, shop_id, [content])
