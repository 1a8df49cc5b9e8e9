"""Opening a service: the store, the runs, the states, and what goes on in the background."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import orjson
from fastapi import FastAPI

from huaxiang.errors import ArtefactError, HuaxiangError
from huaxiang.model import Model, load
from huaxiang.serve.app import create_app
from huaxiang.serve.auth import Gate
from huaxiang.serve.catalogue import caught_up, keep_caught_up
from huaxiang.serve.checkpoints import keep_checkpointing
from huaxiang.serve.contents import SaidThings
from huaxiang.serve.drifting import keep_comparing
from huaxiang.serve.forgetting import Forgetting
from huaxiang.serve.importing import import_events, import_items, imported_states
from huaxiang.serve.item_readers import ItemReaders
from huaxiang.serve.kept_photos import KeptPhotos
from huaxiang.serve.limits import Rates
from huaxiang.serve.live import LiveShop, encoder_of
from huaxiang.serve.metrics import Metrics
from huaxiang.serve.named_photos import NamedPhotos
from huaxiang.serve.people import People
from huaxiang.serve.privacy import Privacy
from huaxiang.serve.process import Process
from huaxiang.serve.pseudonyms import Pseudonyms, known_pseudonyms
from huaxiang.serve.retention import Retainer
from huaxiang.serve.reviews import keep_reading
from huaxiang.serve.ruling import ShopRules, keep_looking
from huaxiang.serve.searching import warm
from huaxiang.serve.service import Service
from huaxiang.serve.serving import Serving
from huaxiang.serve.standing import imported_mark
from huaxiang.serve.states import StateReader
from huaxiang.serve.tail import FOLD_EVERY, keep_learning
from huaxiang.serve.versions import Versions, register
from huaxiang.serve.writer import Writer
from huaxiang.store import (
    ApiKey,
    Appended,
    LoggedEvent,
    Store,
    add_key,
    find_key,
    item_numbers,
    list_keys,
    new_key,
    newest_change,
    open_store,
    positions,
    read_after,
)
from huaxiang.store.meta import read_meta, write_meta
from huaxiang.store.models import serving_model
from huaxiang.store.states import MemoryStates, StateCache
from huaxiang.store.states.snapshot import load_snapshot, save_snapshot

LOG = logging.getLogger(__name__)
AT_ONCE = 20_000
SNAPSHOT_SHARE = 0.1
"""Of the processor's time that a snapshot beside requests takes, at most."""
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Prepared:
    """What there is before the first process: the admin key, if it was made just now."""

    first_key: str | None


def prepare(process: Process, *, tell: Tell = lambda note: None) -> Prepared:
    """Make the store ready for the processes: schema, items, the runs' own log, an admin key."""
    store = open_store(process.where.store)
    try:
        pseudonyms = pseudonyms_of(process, store)
        for shop_id, run in process.runs.items():
            _import_run(process, store, shop_id, run, pseudonyms, tell)
        return Prepared(_first_key(process, store))
    finally:
        store.close()


def open_app(process: Process) -> FastAPI:
    """Return the application of one process, ready to serve."""
    service = open_service(process)
    return create_app(service, running=partial(_running, service, process))


def open_service(process: Process) -> Service:
    """Return one process of the service: its shops loaded, its states up to date with the log."""
    store = open_store(process.where.store)
    pseudonyms = pseudonyms_of(process, store)
    shops: dict[str, LiveShop] = {}
    cache = cache_of(process)
    writer = Writer(
        store,
        applied=partial(_applied, shops),
        most_waiting=process.settings.limits.waiting_events,
    )
    for shop_id, run in process.runs.items():
        shops[shop_id] = _open_shop(shop_id, run, process, store, cache, pseudonyms, writer)
    gate = Gate(partial(_found_key, store), pseudonyms)
    forgetting = Forgetting(process, store, process.settings.privacy.gather_erasures_s)
    privacy = Privacy(pseudonyms, partial(_save_shop, process), forgetting.wake)
    writer.subject = privacy.subject
    service = Service(
        store=store,
        writer=writer,
        shops=shops,
        gate=gate,
        privacy=privacy,
        forgetting=forgetting,
        models=Versions(),
        rates=Rates(process.settings.limits),
        photos=NamedPhotos.of(process.settings),
        settings=process.settings,
    )
    service.is_ready = True
    return service


def pseudonyms_of(process: Process, store: Store) -> Pseudonyms:
    """Return what hashes shoppers' ids, once it is sure that it is the one that the log was made with."""
    return known_pseudonyms(process.where.pseudonym_key, process.key_file(), store)


def _import_run(
    process: Process, store: Store, shop_id: str, run: Path, pseudonyms: Pseudonyms, tell: Tell
) -> None:
    mark = f"imported:{shop_id}"
    with store.read() as tx:
        if read_meta(tx, mark) is not None:
            return
    model = load(run)
    tell(f"{run}: {len(model.shop.events):,} events enter the log of the service, ids hashed")
    import_items(store, shop_id, model)
    import_events(store, shop_id, model, pseudonyms, progress=lambda stage, done, total: None)
    if process.where.state == "memory":
        states = MemoryStates()
        states.fill(shop_id, imported_states(model, shop_id, pseudonyms))
        with store.read() as tx:
            upto = positions(tx, shop_id)
        file = snapshot_file(process, shop_id)
        save_snapshot(states.all(shop_id), file, positions=upto, model=model.name)
    with store.begin() as tx:
        write_meta(tx, imported_mark(shop_id), _written(positions(tx, shop_id)))
        write_meta(tx, mark, model.name)
    register(store, shop_id, model, run)


def _written(learnt: Mapping[int, int]) -> str:
    return orjson.dumps({str(part): position for part, position in learnt.items()}).decode()


def _first_key(process: Process, store: Store) -> str | None:
    """Keep the admin key that was given, or make one for a store without keys; return one made just now."""
    now_ms = int(time.time() * 1000)
    written, made = process.where.admin_key, None
    for shop_id in process.runs:
        with store.begin() as tx:
            if written is None and list_keys(tx, shop_id):
                continue
            key, shown = new_key(shop_id, scopes=("admin",), now_ms=now_ms, written=written, name="first")
            add_key(tx, key)
            made = made or (shown if written is None else None)
    return made


def _found_key(store: Store, key_id: str) -> ApiKey | None:
    with store.read() as tx:
        return find_key(tx, key_id)


def cache_of(process: Process) -> StateCache:
    """Return where states are kept between requests."""
    if process.where.state == "memory":
        return MemoryStates()
    from huaxiang.store.states.redis import RedisStates

    states: StateCache = RedisStates(process.where.state)
    return states


def _applied(
    shops: dict[str, LiveShop], shop_id: str, events: Sequence[LoggedEvent], appended: Appended
) -> None:
    shops[shop_id].entered(events, appended)


def _open_shop(
    shop_id: str,
    run: Path,
    process: Process,
    store: Store,
    cache: StateCache,
    pseudonyms: Pseudonyms,
    writer: Writer,
) -> LiveShop:
    with store.read() as tx:
        version = serving_model(tx, shop_id)
    model = load(run if version is None else version.folder)
    newest_ms = _newest_ms(model)
    rules = ShopRules(file=process.settings.rules)
    model = model.without_shoppers()
    model.rules = rules.book
    states = StateReader(shop_id, store, cache, order_only=model.catalogue.order_only)
    with store.read() as tx:
        numbers, change = item_numbers(tx, shop_id), newest_change(tx, shop_id)
    photos = KeptPhotos(process.live_folder(shop_id) / "photos")
    shop = LiveShop(
        shop_id=shop_id,
        store=store,
        writer=writer,
        states=states,
        people=People(shop_id, store, states, pseudonyms, allowed=process.settings.privacy.allowed),
        said=SaidThings(shop_id, model.space, lambda kind, said: encoder(kind, said)),
        serving=Serving.of(model, numbers),
        photos=photos,
        item_readers=ItemReaders(process.live_folder(shop_id) / "vectors"),
        item_no_of=numbers,
        numbers_change=change,
        settings=process.settings,
        clock=lambda: datetime.now(UTC),
        newest_ms=newest_ms,
        rules=rules,
    )
    encoder = encoder_of(lambda: shop.serving, photos)
    shop.serving = caught_up(shop, shop.serving)
    warm(shop.serving.model)
    shop.rules.open(shop)
    _fill_states(shop, cache, snapshot_file(process, shop_id))
    return shop


def _newest_ms(model: Model) -> int:
    newest = model.newest
    return 0 if newest is None else int(newest.timestamp() * 1000)


def snapshot_file(process: Process, shop_id: str) -> Path:
    """Return where the states of a shop are kept between two starts."""
    return process.live_folder(shop_id) / f"{shop_id}.states"


def _fill_states(shop: LiveShop, cache: StateCache, file: Path) -> None:
    """Bring the states in process up to the log: from the snapshot, and what came after it."""
    if not isinstance(cache, MemoryStates):
        return
    after: dict[int, int] = {}
    if file.exists():
        try:
            after, _ = load_snapshot(cache, shop.shop_id, file)
        except ArtefactError as error:
            LOG.warning("the snapshot was not used", extra={"error": str(error)})
    while True:
        with shop.store.read() as tx:
            events = read_after(tx, shop.shop_id, after, limit=AT_ONCE)
        if not events:
            break
        kept = [one for one in events if not one.excluded]
        shop.applied(kept, [one.position for one in kept], [one.new_order for one in kept])
        for one in events:
            part = one.position % shop.store.n_partitions
            after[part] = max(after.get(part, -1), one.position)


@asynccontextmanager
async def _running(service: Service, process: Process) -> AsyncIterator[None]:
    """Run what goes on in the background: learning from the log, and snapshots."""
    tasks = [
        asyncio.create_task(_learning(shop, service.metrics), name=f"learn {shop.shop_id}")
        for shop in service.shops.values()
    ]
    tasks += [asyncio.create_task(service.models.follow(shop)) for shop in service.shops.values()]
    tasks += [asyncio.create_task(keep_caught_up(service, shop)) for shop in service.shops.values()]
    tasks += [
        asyncio.create_task(keep_comparing(shop, service.metrics), name="compare")
        for shop in service.shops.values()
    ]
    tasks += [asyncio.create_task(keep_reading(shop), name="reviews") for shop in service.shops.values()]
    tasks += [
        asyncio.create_task(keep_looking(shop, service.metrics), name="rules")
        for shop in service.shops.values()
    ]
    retainers = [Retainer(shop, service.privacy.rewrite_states) for shop in service.shops.values()]
    tasks += [asyncio.create_task(retainer.follow(), name="retain") for retainer in retainers]
    tasks.append(asyncio.create_task(service.forgetting.follow(), name="forget"))
    tasks.append(asyncio.create_task(_snapshots(service, process), name="snapshots"))
    tasks.append(asyncio.create_task(keep_checkpointing(service.store, service.metrics), name="checkpoints"))
    try:
        yield
    finally:
        service.is_ready = False
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        service.photos.close()
        for shop in service.shops.values():
            shop.states.n_outdated += 1  # the snapshot at the end takes the place of one that goes on
        await asyncio.to_thread(service.writer.close)
        await asyncio.to_thread(_save_states, service, process)
        service.store.close()


async def _learning(shop: LiveShop, metrics: Metrics) -> None:
    shop.serving.model.recommenders.new.fold(every=FOLD_EVERY)
    await keep_learning(shop, failed=metrics.learning_failures.labels(shop.shop_id).inc)


async def _snapshots(service: Service, process: Process) -> None:
    while True:
        await asyncio.sleep(process.settings.snapshot_s)
        with suppress(HuaxiangError, OSError):
            await asyncio.to_thread(_save_states, service, process, share=SNAPSHOT_SHARE)


def _save_states(service: Service, process: Process, *, share: float = 1.0) -> None:
    for shop in service.shops.values():
        _save_shop(process, shop, share=share)


def _save_shop(process: Process, shop: LiveShop, *, share: float = 1.0) -> None:
    """Write the states of a shop; again where somebody was forgotten meanwhile, who must not be in it.

    With a `share` it is not tried again: who forgets writes them anew.
    """
    if not isinstance(shop.states.cache, MemoryStates):
        return
    while not _saved(shop, snapshot_file(process, shop.shop_id), share) and share == 1:
        pass


def _saved(shop: LiveShop, file: Path, share: float) -> bool:
    """Write the states of a shop unless they are outdated before; return whether they were not."""
    states, n_outdated = shop.states, shop.states.n_outdated
    with shop.store.read() as tx:
        upto = positions(tx, shop.shop_id)
    settled = list(states.settled(share=share))
    with states.writing:
        if states.n_outdated != n_outdated:
            return False
        save_snapshot(settled, file, positions=upto, model=shop.serving.model.name)
        return True
