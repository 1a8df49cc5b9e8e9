"""Stock and prices don't wait for words: what has to be read is told from what has not, and is read ahead."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from huaxiang.encoders.base import Encoded
from huaxiang.fusion.renewed import Readers
from huaxiang.model import Model
from huaxiang.records import Item, Text
from huaxiang.serve import catalogue
from huaxiang.serve.catalogue import catch_up
from huaxiang.serve.importing import item_records
from huaxiang.serve.item_readers import ItemReaders
from huaxiang.serve.reading_ahead import ReadingAhead
from huaxiang.serve.serving import Serving
from huaxiang.store import StoredItem


@dataclass
class Stub:
    """As much of a shop as reading ahead needs; what it reads is noted."""

    model: Model
    folder: Path
    photos: dict[str, Any] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)

    @property
    def item_readers(self) -> Any:
        return SimpleNamespace(of=lambda model: replace(self.readers, words=self))

    @property
    def readers(self) -> Readers:
        return ItemReaders(self.folder).of(self.model)

    @property
    def space(self) -> str:
        return self.model.text_encoder.space

    @property
    def dimensions(self) -> int:
        return self.model.text_encoder.dimensions

    def encode(self, texts: Sequence[str | None]) -> Encoded:
        self.texts += [text for text in texts if text]
        return self.readers.words.encode(texts)


@pytest.fixture
def stub(small_model: Model, tmp_path: Path) -> Stub:
    return Stub(small_model, tmp_path)


def new(number: int) -> StoredItem:
    item = Item(item_id=f"new-{number}", texts={"en": Text(title=f"Lamp {number}")})
    return StoredItem(1000 + number, item, is_deleted=False, change=10 + number)


def old(model: Model, row: int = 0, **changed: Any) -> StoredItem:
    return StoredItem(row, replace(item_records(model)[row], **changed), is_deleted=False, change=500 + row)


def test_stock_and_prices_are_told_from_what_has_to_be_read(small_model: Model) -> None:
    sold_out = old(small_model, 0, in_stock=False)
    cheaper = old(small_model, 1, price_minor=1)
    told_anew = old(small_model, 2, texts={"en": Text(title="Something else")})
    ahead = ReadingAhead()
    for _ in range(2):
        plain, described = ahead.parted(small_model, [sold_out, told_anew, cheaper, new(0)])
        assert plain == [sold_out, cheaper]
        assert described == [new(0), told_anew]


def test_a_feed_is_read_in_parts_and_taken_in_together(stub: Stub) -> None:
    ahead, feed = ReadingAhead(n_read=3, taking_s=math.inf), [new(number) for number in range(7)]
    waiting = ahead.parted(stub.model, feed)[1]
    assert ahead.read(stub, stub.model, waiting) == []  # type: ignore[arg-type]
    assert stub.texts == ["Lamp 0", "Lamp 1", "Lamp 2"]
    assert ahead.read(stub, stub.model, waiting) == feed  # type: ignore[arg-type]
    assert len(stub.texts) == 7


def test_of_a_long_feed_what_was_read_is_taken_in_before_the_rest(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huaxiang.serve.reading_ahead.MOST_TAKEN", 3)
    ahead, feed = ReadingAhead(n_read=3, taking_s=math.inf), [new(number) for number in range(7)]
    waiting = ahead.parted(stub.model, feed)[1]
    assert ahead.read(stub, stub.model, waiting) == feed[:3]  # type: ignore[arg-type]
    assert ahead.parted(stub.model, feed[3:])[1] == feed[3:]


def test_what_cant_be_read_ahead_is_still_taken_in(stub: Stub) -> None:
    def broken(texts: Sequence[str | None]) -> Encoded:
        raise OSError("no space")

    stub.encode = broken  # type: ignore[method-assign]
    ahead = ReadingAhead()
    waiting = ahead.parted(stub.model, [new(0), new(1)])[1]
    assert ahead.read(stub, stub.model, waiting) == [new(0), new(1)]  # type: ignore[arg-type]


def test_a_single_change_is_taken_in_at_once(small_model: Model) -> None:
    assert ReadingAhead().parted(small_model, [new(0)]) == ([new(0)], [])


def test_a_sold_out_item_does_not_wait_for_the_feed_before_it(
    small_model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = {item_id: row for row, item_id in enumerate(small_model.catalogue.item_ids)}
    feed = [new(number) for number in range(40)]
    shop: Any = SimpleNamespace(
        serving=Serving.of(small_model, numbers),
        ahead=ReadingAhead(n_read=4, taking_s=math.inf),
        photos={},
        item_readers=ItemReaders(tmp_path),
        item_no_of=numbers | {one.item.item_id: len(numbers) + place for place, one in enumerate(feed)},
        swapping=LockThatIsNeeded(),
        renumber=lambda: None,
    )
    sold_out, stored = old(small_model, in_stock=False), list(feed)
    monkeypatch.setattr(
        catalogue,
        "_waiting",
        lambda shop, serving: [one for one in stored if not serving.has(one.item_no, one.change)],
    )
    assert catch_up(shop) and shop.swapping.n_held == 0  # nobody waits for words that are read
    stored.append(sold_out)
    assert catch_up(shop)
    assert not shop.serving.model.catalogue.in_stock[0]
    assert shop.serving.model.catalogue.n_items == small_model.catalogue.n_items
    while catch_up(shop):
        pass
    assert shop.serving.model.catalogue.n_items == small_model.catalogue.n_items + 40
    assert not shop.serving.model.catalogue.in_stock[0]
    assert shop.serving.change == sold_out.change and shop.swapping.n_held == 2


class LockThatIsNeeded:
    """A lock that counts how often it was held."""

    n_held = 0

    def __enter__(self) -> None:
        self.n_held += 1

    def __exit__(self, *_: object) -> None:
        pass
