"""What the short numbers in a state stand for: texts, photos and their vectors, and event ids.

A state holds 40 bits for an event id and 63 bits for a text or photo. The words themselves, and the vectors
made from them, are kept once here, apart from the states.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from hashlib import blake2b
from types import MappingProxyType
from typing import Self

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray

from huaxiang.profile.update import content_hash, content_of, correction_text, event_key
from huaxiang.records import Event, EventType, Matrix, Vector

_CORRECT = EventType.CORRECT.code
_CHUNK = 1 << 14  # ids hashed at a time: their digests fit in the cache
_WORDS = blake2b().digest_size // 8


class Contents:
    """Texts, photo names, vectors and event ids by their numbers. Adding the same thing twice is no harm.

    Parameters
    ----------
    events
        A shop's events whose ids are looked up here; use `of_events` to take their texts and photos as well.

    Examples
    --------
    >>> contents = Contents()
    >>> contents.text(contents.add_text("running shoes"))
    'running shoes'
    """

    def __init__(self, events: pl.DataFrame | None = None) -> None:
        self._ids = None if events is None else events.select("event_id", "shopper_id")
        self._added_ids: dict[int, str] = {}
        self._texts: dict[int, str] = {}
        self._images: dict[int, str] = {}
        self._vectors: dict[int, Vector] = {}

    @classmethod
    def of_events(cls, events: pl.DataFrame) -> Self:
        """Return the contents of a table of events (`EVENT_COLUMNS`), still without vectors."""
        contents = cls(events)
        said = said_in(events)
        is_photo = events["text"].is_null() & (events["type"] != _CORRECT)
        for text in said.filter(~is_photo).drop_nulls().unique(maintain_order=True):
            contents.add_text(text)
        for image in said.filter(is_photo).drop_nulls().unique(maintain_order=True):
            contents.add_image(image)
        return contents

    def add_ids(self, ids: Mapping[int, str]) -> None:
        """Remember event ids by their keys."""
        self._added_ids.update(ids)

    def add_event(self, event: Event) -> int:
        """Remember an event's id and what it says or shows; return the content's number, 0 for none."""
        self._added_ids[event_key(event.event_id)] = event.event_id
        said = content_of(event)
        if said is None:
            return 0
        is_photo = said == event.image and not (event.query or event.text)
        return self.add_image(said) if is_photo else self.add_text(said)

    def add_text(self, text: str) -> int:
        """Remember a text; return its number."""
        self._texts[content := content_hash(text)] = text
        return content

    def add_image(self, image: str) -> int:
        """Remember a photo by its name; return its number."""
        self._images[content := content_hash(image)] = image
        return content

    def add_vectors(self, contents: Iterable[int], vectors_CD: Matrix) -> None:
        """Remember vectors in the fused space, (C, D); rows of zeros mean that there is none."""
        for content, vector in zip(contents, vectors_CD, strict=True):
            if vector.any():
                self._vectors[int(content)] = vector

    @property
    def texts(self) -> Mapping[int, str]:
        """Number → text, in the order in which they were added."""
        return MappingProxyType(self._texts)

    @property
    def images(self) -> Mapping[int, str]:
        """Number → name of the photo, in the order in which they were added."""
        return MappingProxyType(self._images)

    def text(self, content: int, /) -> str | None:
        """Return the words, None where unknown or where it is a photo."""
        return self._texts.get(content)

    def image(self, content: int, /) -> str | None:
        """Return the photo's name, None where unknown or where it is words."""
        return self._images.get(content)

    def vector(self, content: int, /) -> Vector | None:
        """Return the vector in the fused space, None where there is none."""
        return self._vectors.get(content)

    def vectors(self) -> dict[int, Vector]:
        """Return every vector that is known, by the number of its text or photo."""
        return dict(self._vectors)

    def event_id(self, key: int, /, *, shopper_id: str | None = None) -> str:
        """Return the id of the event with this key, and `key:<hex>` where it is unknown.

        Keys are unique among one shopper's events: among millions of events a few are shared, and then
        `shopper_id` says whose is meant.
        """
        if key in self._added_ids:
            return self._added_ids[key]
        keys_E, rows_E = self._rows_by_key
        first, last = np.searchsorted(keys_E, [key, key + 1])
        found = [] if self._ids is None else [self._ids.row(int(row)) for row in rows_E[first:last]]
        ids = [event_id for event_id, owner in found if shopper_id in (None, owner)]
        return ids[0] if ids else f"key:{key:010x}"

    def event_ids(self, keys_E: NDArray[np.int64], /, *, shopper_id: str | None = None) -> list[str]:
        """Return `event_id` of each key, (E,): one look-up for all of a shopper's events."""
        keys = keys_E.tolist()
        if self._ids is None or not len(self._ids):
            return [self.event_id(key) for key in keys]
        sorted_E, rows_E = self._rows_by_key
        first_E = np.searchsorted(sorted_E, keys_E)
        last = len(sorted_E) - 1
        near_E, next_E = sorted_E[np.minimum(first_E, last)], sorted_E[np.minimum(first_E + 1, last)]
        is_single_E = (near_E == keys_E) & (next_E != keys_E)
        rows = rows_E[np.minimum(first_E, last)].tolist()
        written, ends = self._written_ids
        return [
            written[ends[row] : ends[row + 1]].decode()
            if is_single
            else self.event_id(key, shopper_id=shopper_id)
            for key, row, is_single in zip(keys, rows, is_single_E.tolist(), strict=True)
        ]

    @cached_property
    def _written_ids(self) -> tuple[bytes, list[int]]:
        """All ids of the table after each other and where each ends: quicker to look up than a column."""
        ids = pl.Series([], dtype=pl.String) if self._ids is None else self._ids["event_id"]
        ends_E = np.cumsum([0, *ids.str.len_bytes().to_list()])
        return "".join(ids.to_list()).encode(), ends_E.tolist()

    @cached_property
    def _rows_by_key(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The keys of the table in ascending order and the row of each; made when first asked for."""
        keys_E = event_keys(pl.Series([], dtype=pl.String) if self._ids is None else self._ids["event_id"])
        rows_E = np.argsort(keys_E, kind="stable")
        return keys_E[rows_E], rows_E


def event_keys(event_ids: pl.Series) -> NDArray[np.int64]:
    """Return `event_key` of many ids, int64 (E,), in half the time.

    Examples
    --------
    >>> event_keys(pl.Series(["e-1"])).tolist() == [event_key("e-1")]
    True
    """
    keys_E = np.empty(len(event_ids), dtype=np.int64)
    for start in range(0, len(event_ids), _CHUNK):
        ids = event_ids[start : start + _CHUNK].cast(pl.Binary).to_list()
        digests = b"".join([blake2b(event_id).digest() for event_id in ids])
        keys_E[start : start + _CHUNK] = np.frombuffer(digests, dtype=">u8")[::_WORDS] >> np.uint64(24)
    return keys_E


def said_in(events: pl.DataFrame) -> pl.Series:
    """Return what each event of a table says or shows, as `content_of` does; null for none."""
    words = [pl.col(name).replace("", None) for name in ("text", "image")]
    said = events.select(said=pl.coalesce(words))["said"]
    corrections = (events["type"] == _CORRECT).arg_true()
    contexts = events["context"].gather(corrections).fill_null("{}")
    return said.scatter(corrections, [correction_text(orjson.loads(context)) for context in contexts])
