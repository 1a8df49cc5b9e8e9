"""What is popular fades, what everybody likes is learnt, and every process ends up knowing the same."""

from __future__ import annotations

import asyncio
import pydoc
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from huaxiang.errors import StoreError
from huaxiang.records import Event, EventType
from huaxiang.serve.live import LiveShop
from huaxiang.serve.process import Process
from huaxiang.serve.service import Service
from huaxiang.serve.start import open_service, prepare
from huaxiang.serve.tail import Tail, keep_learning
from huaxiang.store import positions

NOW = datetime.now(UTC)


@pytest.fixture
def two(live_run: Path) -> Iterator[tuple[Service, Service]]:
    """Yield two processes over one log; neither learns until it is told to."""
    process = Process.of({"HUAXIANG_ADMIN_KEY": "hx_two_" + "k" * 43}, run=live_run)
    prepare(process)
    opened = open_service(process), open_service(process)
    yield opened
    for service in opened:
        service.writer.close()
        service.store.close()


def shop_of(service: Service) -> LiveShop:
    return service.shops["default"]


def buy(service: Service, *bought: tuple[str, str, float]) -> dict[int, int]:
    """Let (shopper, item, days ago) enter the log; return where it ended before."""
    shop = shop_of(service)
    with service.store.read() as tx:
        before = positions(tx, "default")
    events = [
        Event(
            event_id=f"{shopper}-{item_id}-{days}",
            shopper_id=shop.people.hashed(shopper),
            type=EventType.PURCHASE,
            item_id=item_id,
            occurred_at=NOW - timedelta(days=days),
            received_at=NOW,
        )
        for shopper, item_id, days in bought
    ]
    service.writer.submit("default", [shop.logged(one) for one in events]).result(timeout=30)
    return before


def learn(service: Service, after: dict[int, int], *, at_once: int) -> None:
    """Let a process learn what is in the log after some positions, a few events at a time."""
    name = shop_of(service).serving.model.name
    tail = Tail(shop_of(service), dict(after), name, dict(after))
    events = tail.fetch()
    for start in range(0, len(events), at_once):
        tail.learn(events[start : start + at_once])
    shop_of(service).serving.model.population.renew()


def flaky(call: Callable[..., Any], *, fails_at: Collection[int]) -> Callable[..., Any]:
    """Return the same call, which fails some of the times that it is asked, the first being 0."""
    times = count()

    def sometimes(*given: object, **more: object) -> Any:
        if next(times) in fails_at:
            raise StoreError("nothing answers", remedy="wait")
        return call(*given, **more)

    return sometimes


async def learn_by_itself(service: Service, failed: Callable[[], None] = lambda: None) -> None:
    """Let a process learn as it does while it serves, until nothing of the log is left."""
    shop = shop_of(service)
    shop.lag_s = -1
    task = asyncio.create_task(keep_learning(shop, failed=failed))
    async with asyncio.timeout(60):
        while shop.lag_s != 0:
            await asyncio.sleep(0.01)
            assert not task.done()
    task.cancel()


def known(service: Service) -> dict[str, np.ndarray]:
    model = shop_of(service).serving.model
    members = model.recommenders.new.members
    return {
        "popular": members["popular"].shares(),
        "neighbours": members["neighbours"].mass_I.copy(),
        "population": model.population.shares(),
    }


def test_every_process_ends_up_knowing_the_same(two: tuple[Service, Service]) -> None:
    first, second = two
    items = shop_of(first).serving.model.catalogue.item_ids
    before, untaught = buy(first, *((f"s-{n % 7}", items[n % 30], 40 - n) for n in range(40))), known(first)
    learn(first, before, at_once=4)
    learn(second, before, at_once=9)
    for name, one in known(first).items():
        np.testing.assert_allclose(one, known(second)[name], rtol=1e-9, err_msg=name)
        assert not np.array_equal(one, untaught[name]), name


def say(service: Service, shopper: str, type: EventType, **context: object) -> None:
    shop = shop_of(service)
    said = Event(
        event_id=f"{shopper}-{type.value}-{context}",
        shopper_id=shop.people.hashed(shopper),
        type=type,
        occurred_at=NOW,
        received_at=NOW,
        context=context,
    )
    service.writer.submit("default", [shop.logged(said)]).result(timeout=30)


def test_of_who_refuses_to_be_learnt_from_nothing_is_learnt_under_any_of_their_ids(
    two: tuple[Service, Service],
) -> None:
    service, other = two
    items = shop_of(service).serving.model.catalogue.item_ids
    before = buy(service, *((f"s-{n}", items[n], n) for n in range(9)))
    learn(other, before, at_once=4)
    say(service, "refusing", EventType.CONSENT, consent={"train": False})
    say(service, "refusing", EventType.ALIAS, other=shop_of(service).people.hashed("joined"))
    buy(service, *((who, items[n], n) for who in ("refusing", "joined") for n in range(20)))
    learn(service, before, at_once=4)
    for name, one in known(service).items():
        np.testing.assert_allclose(one, known(other)[name], rtol=1e-9, err_msg=name)
    assert shop_of(service).profile("refusing", purpose=None)[0].n_events == 40  # their own profile knows


def test_who_refuses_later_is_not_learnt_from_any_further(two: tuple[Service, Service]) -> None:
    service = two[0]
    items = shop_of(service).serving.model.catalogue.item_ids
    untaught = known(service)
    learn(service, buy(service, ("ann", items[0], 1), ("ann", items[1], 0)), at_once=4)
    taught = known(service)
    say(service, "ann", EventType.CONSENT, consent={"train": False})
    learn(service, buy(service, *(("ann", items[n], 0) for n in range(2, 9))), at_once=4)
    for name, one in known(service).items():
        assert not np.array_equal(taught[name], untaught[name]), name
        np.testing.assert_array_equal(one, taught[name], err_msg=name)


@pytest.mark.parametrize(
    ("what", "fails_at"),
    [
        ("huaxiang.serve.tail.positions", {0}),
        ("huaxiang.serve.tail.read_after", {0, 1}),
        ("huaxiang.serve.tail.group", {1, 6, 9}),
        ("huaxiang.serve.states.StateReader.states", {0, 2}),
        ("huaxiang.model.Model.teach", {1, 2, 7, 20}),
    ],
)
def test_what_fails_is_counted_logged_and_learnt_once_all_the_same(
    two: tuple[Service, Service],
    what: str,
    fails_at: set[int],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("huaxiang.serve.tail.RETRY_S", 0.01)
    failing, steady = two
    items = shop_of(failing).serving.model.catalogue.item_ids
    buy(failing, *((f"s-{n % 7}", items[n % 30], 40 - n) for n in range(40)))
    asyncio.run(learn_by_itself(steady))
    failures: list[None] = []
    with monkeypatch.context() as broken:
        broken.setattr(what, flaky(pydoc.locate(what), fails_at=fails_at))
        asyncio.run(learn_by_itself(failing, failed=lambda: failures.append(None)))
    assert len(failures) == len(fails_at)
    assert sum("tried again" in one.message for one in caplog.records) == len(fails_at)
    for service in two:
        shop_of(service).serving.model.population.renew()
    for name, one in known(failing).items():
        np.testing.assert_allclose(one, known(steady)[name], rtol=1e-9, err_msg=name)


def test_what_was_bought_long_ago_is_less_popular_than_what_is_bought_now(
    two: tuple[Service, Service],
) -> None:
    service = two[0]
    shop = shop_of(service)
    old, new = shop.serving.model.catalogue.item_ids[:2]
    once = [(f"old-{n}", old, 60.0) for n in range(9)]
    learn(service, buy(service, *once), at_once=4)
    popular = known(service)["popular"]
    assert popular[0] == 1
    learn(service, buy(service, ("new-1", new, 0.0)), at_once=4)
    faded = known(service)["popular"]
    assert (faded[1], faded[0]) == (1, pytest.approx(9 * 0.5 ** (60 / 7), rel=0.02))


def test_a_share_that_shoppers_no_longer_have_in_common_is_worth_more_to_who_has_it(
    two: tuple[Service, Service],
) -> None:
    """Everybody else buys another brand now: to like one's own says more than it did."""
    service = two[0]
    shop = shop_of(service)
    brand = shop.serving.model.catalogue.dimensions["brand"]
    rows = [int(brand.value_rows[brand.offsets[row]]) for row in range(20)]
    own, other = 0, next(row for row in range(20) if rows[row] != rows[0])
    items = shop.serving.model.catalogue.item_ids
    buy(service, *(("fan", items[own], float(n)) for n in range(1, 6)))

    def lift() -> float:
        profile, _ = shop.profile("fan", purpose=None, now=NOW)
        liked = [one for one in profile.facets if one.dimension == "brand" and one.side == "liked"]
        return float(liked[0].lift)

    before = lift()
    learn(service, buy(service, *((f"many-{n}", items[other], 0.5) for n in range(300))), at_once=50)
    assert lift() > before
