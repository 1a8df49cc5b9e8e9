"""The client whose calls are awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from huaxiang.client import calls
from huaxiang.client.answers import ItemsSent, KeptItem, Receipt, Sent, ShopperProfile
from huaxiang.client.batches import MOST_EVENTS, AnyEvent, AnyItem, Collector, bodies
from huaxiang.client.calls import Call
from huaxiang.client.connection import connection, unreachable
from huaxiang.client.patience import Patience, drawn
from huaxiang.records import Slate

Answer = TypeVar("Answer")


class AsyncClient:
    """The service, from Python, with calls that are awaited; see `Client`.

    Examples
    --------
    >>> AsyncClient("http://127.0.0.1:8000", key="hx_example_secret")
    AsyncClient('http://127.0.0.1:8000')
    """

    def __init__(  # noqa: PLR0913 - all but two have defaults, and the last three are for tests
        self,
        url: str,
        key: str,
        *,
        shopper_token: str | None = None,
        timeout_s: float = 30.0,
        patience: Patience | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        luck: Callable[[], float] = drawn,
    ) -> None:
        self._http = httpx.AsyncClient(
            **connection(url, key, shopper_token=shopper_token, timeout_s=timeout_s), transport=transport
        )
        self._url = url
        self._patience = patience or Patience()
        self._sleep = sleep
        self._luck = luck

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def send(
        self,
        events: Iterable[AnyEvent] | AsyncIterable[AnyEvent],
        *,
        size: int = MOST_EVENTS,
        flush_s: float | None = None,
        on_batch: Callable[[Sent], None] | None = None,
    ) -> Sent:
        """Send events, any number of them, and return what became of them.

        When a batch is acknowledged, its events are durable and every later list knows them. Events keep
        their ids, so sending some again changes nothing.

        Parameters
        ----------
        events
            `Event` records or JSON objects, from an iterator or an asynchronous one.
        size
            Most events of a request, 1 to 500.
        flush_s
            Send what there is when an event comes this long after the first that waits; for slow generators.
        on_batch
            Called with what became of each batch.

        Raises
        ------
        ServiceError
            A batch could not be sent; those before it are there.
        """
        total = Sent()
        async for body in _bodies(events, Collector(size=size, flush_s=flush_s)):
            sent = await self._ask(calls.send(body))
            total = total.then(sent)
            if on_batch is not None:
                on_batch(sent)
        return total

    async def change_items(
        self,
        changes: Iterable[AnyItem] | AsyncIterable[AnyItem],
        *,
        size: int = MOST_EVENTS,
        on_batch: Callable[[ItemsSent], None] | None = None,
    ) -> ItemsSent:
        """Add and change items, any number of them, and return what became of them.

        When a batch is acknowledged, its items are durable, events may name them, and lists have them within
        a second.

        Parameters
        ----------
        changes
            `Item` records: whole items, new or in place of those with their ids. Or JSON objects as
            `POST /v1/items` takes them.
        size
            Most changes of a request, 1 to 500.
        on_batch
            Called with what became of each batch.

        Raises
        ------
        ServiceError
            A batch could not be sent; those before it are there.
        """
        total = ItemsSent()
        async for body in _bodies(changes, Collector(size=size, of="items")):
            sent = await self._ask(calls.change_items(body))
            total = total.then(sent)
            if on_batch is not None:
                on_batch(sent)
        return total

    async def set_stock(self, in_stock: Mapping[str, bool]) -> ItemsSent:
        """Say which items can be bought, and which can't."""
        return await self.change_items(calls.stock_changes(in_stock))

    async def set_prices(self, prices: Mapping[str, float], *, currency: str | None = None) -> ItemsSent:
        """Say what items cost, in whole units of the shop's currency, or of `currency`."""
        return await self.change_items(calls.price_changes(prices, currency=currency))

    async def delete_items(self, item_ids: Iterable[str]) -> ItemsSent:
        """Delete items: no list has them any longer, and the events that name them stay."""
        return await self.change_items(calls.deletions(item_ids))

    async def item(self, item_id: str) -> KeptItem:
        """Return what is kept of an item.

        Raises
        ------
        NotFoundError
            There was never such an item.
        """
        return await self._ask(calls.item(item_id))

    async def profile(self, shopper_id: str, *, vector: bool = False) -> ShopperProfile:
        """Return a shopper's profile.

        Raises
        ------
        NotFoundError
            Nothing is known of the shopper.
        """
        return await self._ask(calls.profile(shopper_id, vector=vector))

    async def correct(
        self, shopper_id: str, dimension: str, value: str, side: str, *, if_match: str | None = None
    ) -> ShopperProfile:
        """Set what a shopper likes or dislikes outright, or withdraw that; return the new profile.

        Parameters
        ----------
        side
            liked, disliked or withdrawn.
        if_match
            Tag of the profile that the shopper saw: if it has changed since, nothing is.

        Raises
        ------
        ConflictError
            The profile has changed since.
        """
        return await self._ask(calls.correct(shopper_id, dimension, value, side, if_match=if_match))

    async def recommend(  # noqa: PLR0913 - as the API has them
        self,
        shopper_id: str | None,
        *,
        k: int = 10,
        placement: str = "home",
        of: str = "item",
        item_ids: Sequence[str] = (),
        repeat: bool = False,
        language: str = "en",
        channel: str | None = None,
    ) -> Slate:
        """Return a list for a shopper, or for nobody in particular (None): popular, and it says so.

        Parameters
        ----------
        placement
            home, item (beside `item_ids`) or cart (what goes with `item_ids`).
        of
            item, category, brand, price_band or another dimension.
        repeat
            Whether what was bought before may be listed again.
        channel
            web, app, … as the shop's rules call it.
        """
        return await self._ask(
            calls.recommend(
                shopper_id,
                k=k,
                placement=placement,
                of=of,
                item_ids=item_ids,
                repeat=repeat,
                language=language,
                channel=channel,
            )
        )

    async def similar(self, item_id: str, *, k: int = 10, language: str = "en") -> Slate:
        """Return the items most like one."""
        return await self._ask(calls.similar(item_id, k=k, language=language))

    async def graph(self, item_id: str, *, k: int = 10, language: str = "en") -> dict[str, Any]:
        """Return what goes with an item, what can take its place, and what it is."""
        return await self._ask(calls.graph(item_id, k=k, language=language))

    async def insight(self, item_id: str, *, language: str = "en") -> dict[str, Any]:
        """Return what an item's reviews praise and blame, with evidence, and what to improve."""
        return await self._ask(calls.insight(item_id, language=language))

    async def rules(self) -> dict[str, Any]:
        """Return the shop's rules that are in force; needs the scope admin, as what follows."""
        return await self._ask(calls.rules())

    async def check_rules(self, text: str) -> dict[str, Any]:
        """Return what is questionable about rules as YAML.

        Raises
        ------
        NotAcceptedError
            They can't be understood.
        """
        return await self._ask(calls.check_rules(text))

    async def try_rules(
        self,
        text: str,
        *,
        shoppers: int = 50,
        k: int = 10,
        placement: str = "home",
        channel: str | None = None,
        language: str = "en",
    ) -> dict[str, Any]:
        """Return whose lists rules as YAML would change, and how; nothing is put in force.

        Parameters
        ----------
        shoppers
            How many of those last seen, 0 to 200.
        """
        return await self._ask(
            calls.try_rules(
                text, shoppers=shoppers, k=k, placement=placement, channel=channel, language=language
            )
        )

    async def search(  # noqa: PLR0913 - as the API has them
        self,
        words: str,
        *,
        shopper_id: str | None = None,
        k: int = 10,
        offset: int = 0,
        filters: Sequence[str] = (),
        price_min: float | None = None,
        price_max: float | None = None,
        in_stock: bool = True,
        sort: str = "relevance",
        strength: float | None = None,
        verbatim: bool = False,
        language: str = "en",
        channel: str | None = None,
    ) -> dict[str, Any]:
        """Return what answers words: `items`, `facets` to narrow by, how the words were read, and more.

        Parameters
        ----------
        shopper_id
            Whose order it is, and whose event the query becomes; None is nobody.
        filters
            As `colour=red`; several of one dimension are alternatives.
        price_min, price_max
            In whole units of the shop's currency.
        in_stock
            Whether what can't be bought now is left out.
        sort
            relevance, price, -price, newest or popular.
        strength
            How far the profile moves items, 0 to 10; None is as the shop has it.
        verbatim
            Whether the words are searched as they are written.
        channel
            web, app, … as the shop's rules call it.
        """
        return await self._ask(
            calls.search(
                words,
                shopper=shopper_id,
                k=k,
                offset=offset,
                filters=filters,
                price_min=price_min,
                price_max=price_max,
                in_stock=in_stock,
                sort=sort,
                strength=strength,
                verbatim=verbatim,
                language=language,
                channel=channel,
            )
        )

    async def search_photo(  # noqa: PLR0913 - as the API has them
        self,
        photo: bytes,
        *,
        words: str | None = None,
        shopper_id: str | None = None,
        k: int = 10,
        offset: int = 0,
        filters: Sequence[str] = (),
        language: str = "en",
        channel: str | None = None,
    ) -> dict[str, Any]:
        """Return what looks like a photo, and answers the words beside it; the rest as in `search`."""
        return await self._ask(
            calls.search_photo(
                photo,
                q=words,
                shopper=shopper_id,
                k=k,
                offset=offset,
                filters=filters,
                language=language,
                channel=channel,
            )
        )

    async def suggest(self, typed: str, *, k: int = 8) -> list[str]:
        """Return ways to finish a query that is being typed."""
        return await self._ask(calls.suggest(typed, k=k))

    async def consent(self, shopper_id: str) -> dict[str, bool]:
        """Return purpose → allowed."""
        return await self._ask(calls.consent(shopper_id))

    async def set_consent(
        self, shopper_id: str, purposes: Mapping[str, bool], *, source: str = "shop"
    ) -> dict[str, bool]:
        """Keep what a shopper allows and refuses, and where they said so; return what holds now."""
        return await self._ask(calls.set_consent(shopper_id, purposes, source=source))

    async def export(self, shopper_id: str) -> dict[str, Any]:
        """Return everything that is known about a person."""
        return await self._ask(calls.export(shopper_id))

    async def erase(self, shopper_id: str) -> Receipt:
        """Erase a person with every id that was joined; return the receipt."""
        return await self._ask(calls.erase(shopper_id))

    async def is_genuine(self, receipt: Receipt) -> bool:
        """Return whether a receipt is the service's own, unchanged."""
        return await self._ask(calls.is_genuine(receipt))

    async def models(self) -> dict[str, Any]:
        """Return the versions of the model, and which one is served."""
        return await self._ask(calls.models())

    async def promote(self, name: str) -> dict[str, Any]:
        """Serve a version of the model; return which one is served now."""
        return await self._ask(calls.promote(name))

    async def outcomes(self) -> dict[str, Any]:
        """Return what came of the lists, by model version and placement."""
        return await self._ask(calls.outcomes())

    async def _ask(self, call: Call[Answer]) -> Answer:
        n_tried = 0
        while True:
            outcome, n_tried = await self._try(call), n_tried + 1
            pause_s = self._patience.pause_s(
                outcome, n_tried=n_tried, repeatable=call.repeatable, luck=self._luck()
            )
            if pause_s is None:
                break
            await self._sleep(pause_s)
        if isinstance(outcome, httpx.TransportError):
            raise unreachable(self._url, outcome) from outcome
        return call.read(outcome)

    async def _try(self, call: Call[Answer]) -> httpx.Response | httpx.TransportError:
        try:
            return await self._http.request(
                call.method, call.path, params=call.params, content=call.body, headers=call.headers
            )
        except httpx.TransportError as error:
            return error


async def _bodies(
    all_of_them: Iterable[AnyEvent | AnyItem] | AsyncIterable[AnyEvent | AnyItem], collector: Collector
) -> AsyncIterator[bytes]:
    """Yield the bodies of requests that send all of them."""
    if not isinstance(all_of_them, AsyncIterable):
        for body in bodies(all_of_them, collector):
            yield body
        return
    async for one in all_of_them:
        if (complete := collector.add(one)) is not None:
            yield complete
    if (rest := collector.rest()) is not None:
        yield rest
