"""The client whose calls return when they are answered."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
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


class Client:
    """The service, from Python.

    Parameters
    ----------
    url
        Where it is, as `http://127.0.0.1:8000`.
    key
        A key of the service, `hx_…`; what it may do is up to its scopes.
    shopper_token
        With a public key: the token that the shop signed for one shopper.
    timeout_s
        Longest time for one try.
    patience
        How often and after what pauses a busy or unreachable service is asked again.
    transport
        What carries the requests, instead of the network.
    sleep, luck
        How to wait, and what draws the length of pauses.

    Examples
    --------
    >>> client = Client("http://127.0.0.1:8000", key="hx_example_secret")
    >>> client
    Client('http://127.0.0.1:8000')
    >>> client.close()
    """

    def __init__(  # noqa: PLR0913 - all but two have defaults, and the last three are for tests
        self,
        url: str,
        key: str,
        *,
        shopper_token: str | None = None,
        timeout_s: float = 30.0,
        patience: Patience | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        luck: Callable[[], float] = drawn,
    ) -> None:
        self._http = httpx.Client(
            **connection(url, key, shopper_token=shopper_token, timeout_s=timeout_s), transport=transport
        )
        self._url = url
        self._patience = patience or Patience()
        self._sleep = sleep
        self._luck = luck

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(
        self,
        events: Iterable[AnyEvent],
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
            `Event` records, or JSON objects as `POST /v1/events` takes them; a generator is read as it goes.
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
        for body in bodies(events, Collector(size=size, flush_s=flush_s)):
            sent = self._ask(calls.send(body))
            total = total.then(sent)
            if on_batch is not None:
                on_batch(sent)
        return total

    def change_items(
        self,
        changes: Iterable[AnyItem],
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
        for body in bodies(changes, Collector(size=size, of="items")):
            sent = self._ask(calls.change_items(body))
            total = total.then(sent)
            if on_batch is not None:
                on_batch(sent)
        return total

    def set_stock(self, in_stock: Mapping[str, bool]) -> ItemsSent:
        """Say which items can be bought, and which can't."""
        return self.change_items(calls.stock_changes(in_stock))

    def set_prices(self, prices: Mapping[str, float], *, currency: str | None = None) -> ItemsSent:
        """Say what items cost, in whole units of the shop's currency, or of `currency`."""
        return self.change_items(calls.price_changes(prices, currency=currency))

    def delete_items(self, item_ids: Iterable[str]) -> ItemsSent:
        """Delete items: no list has them any longer, and the events that name them stay."""
        return self.change_items(calls.deletions(item_ids))

    def item(self, item_id: str) -> KeptItem:
        """Return what is kept of an item.

        Raises
        ------
        NotFoundError
            There was never such an item.
        """
        return self._ask(calls.item(item_id))

    def profile(self, shopper_id: str, *, vector: bool = False) -> ShopperProfile:
        """Return a shopper's profile.

        Raises
        ------
        NotFoundError
            Nothing is known of the shopper.
        """
        return self._ask(calls.profile(shopper_id, vector=vector))

    def correct(
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
        return self._ask(calls.correct(shopper_id, dimension, value, side, if_match=if_match))

    def recommend(  # noqa: PLR0913 - as the API has them
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
        return self._ask(
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

    def similar(self, item_id: str, *, k: int = 10, language: str = "en") -> Slate:
        """Return the items most like one."""
        return self._ask(calls.similar(item_id, k=k, language=language))

    def graph(self, item_id: str, *, k: int = 10, language: str = "en") -> dict[str, Any]:
        """Return what goes with an item, what can take its place, and what it is."""
        return self._ask(calls.graph(item_id, k=k, language=language))

    def insight(self, item_id: str, *, language: str = "en") -> dict[str, Any]:
        """Return what an item's reviews praise and blame, with evidence, and what to improve."""
        return self._ask(calls.insight(item_id, language=language))

    def rules(self) -> dict[str, Any]:
        """Return the shop's rules that are in force; needs the scope admin, as what follows."""
        return self._ask(calls.rules())

    def check_rules(self, text: str) -> dict[str, Any]:
        """Return what is questionable about rules as YAML.

        Raises
        ------
        NotAcceptedError
            They can't be understood.
        """
        return self._ask(calls.check_rules(text))

    def try_rules(
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
        return self._ask(
            calls.try_rules(
                text, shoppers=shoppers, k=k, placement=placement, channel=channel, language=language
            )
        )

    def search(  # noqa: PLR0913 - as the API has them
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
        return self._ask(
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

    def search_photo(  # noqa: PLR0913 - as the API has them
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
        return self._ask(
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

    def suggest(self, typed: str, *, k: int = 8) -> list[str]:
        """Return ways to finish a query that is being typed."""
        return self._ask(calls.suggest(typed, k=k))

    def consent(self, shopper_id: str) -> dict[str, bool]:
        """Return purpose → allowed."""
        return self._ask(calls.consent(shopper_id))

    def set_consent(
        self, shopper_id: str, purposes: Mapping[str, bool], *, source: str = "shop"
    ) -> dict[str, bool]:
        """Keep what a shopper allows and refuses, and where they said so; return what holds now."""
        return self._ask(calls.set_consent(shopper_id, purposes, source=source))

    def export(self, shopper_id: str) -> dict[str, Any]:
        """Return everything that is known about a person."""
        return self._ask(calls.export(shopper_id))

    def erase(self, shopper_id: str) -> Receipt:
        """Erase a person with every id that was joined; return the receipt."""
        return self._ask(calls.erase(shopper_id))

    def is_genuine(self, receipt: Receipt) -> bool:
        """Return whether a receipt is the service's own, unchanged."""
        return self._ask(calls.is_genuine(receipt))

    def models(self) -> dict[str, Any]:
        """Return the versions of the model, and which one is served."""
        return self._ask(calls.models())

    def promote(self, name: str) -> dict[str, Any]:
        """Serve a version of the model; return which one is served now."""
        return self._ask(calls.promote(name))

    def outcomes(self) -> dict[str, Any]:
        """Return what came of the lists, by model version and placement."""
        return self._ask(calls.outcomes())

    def _ask(self, call: Call[Answer]) -> Answer:
        n_tried = 0
        while True:
            outcome, n_tried = self._try(call), n_tried + 1
            pause_s = self._patience.pause_s(
                outcome, n_tried=n_tried, repeatable=call.repeatable, luck=self._luck()
            )
            if pause_s is None:
                break
            self._sleep(pause_s)
        if isinstance(outcome, httpx.TransportError):
            raise unreachable(self._url, outcome) from outcome
        return call.read(outcome)

    def _try(self, call: Call[Answer]) -> httpx.Response | httpx.TransportError:
        try:
            return self._http.request(
                call.method, call.path, params=call.params, content=call.body, headers=call.headers
            )
        except httpx.TransportError as error:
            return error
