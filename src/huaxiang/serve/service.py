"""What every route has at hand: the shops, who may ask, and what is counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from starlette.requests import Request

from huaxiang.errors import ScopeError
from huaxiang.serve.auditing import Audit
from huaxiang.serve.auth import Caller, Gate
from huaxiang.serve.forgetting import Forgetting
from huaxiang.serve.limits import Rates, read_body
from huaxiang.serve.live import LiveShop
from huaxiang.serve.metrics import Metrics
from huaxiang.serve.named_photos import NamedPhotos
from huaxiang.serve.privacy import Privacy
from huaxiang.serve.pulse import Pulse
from huaxiang.serve.settings import ServeSettings
from huaxiang.serve.versions import Versions
from huaxiang.serve.writer import Writer
from huaxiang.store import Store, listed_origins


@dataclass(kw_only=True)
class Service:
    """One process of the service."""

    store: Store
    writer: Writer
    shops: Mapping[str, LiveShop]
    gate: Gate
    privacy: Privacy
    forgetting: Forgetting
    models: Versions
    rates: Rates
    photos: NamedPhotos
    settings: ServeSettings
    metrics: Metrics = field(default_factory=Metrics)
    pulse: Pulse = field(default_factory=Pulse)
    is_ready: bool = False
    now_s: Callable[[], float] = time.monotonic

    def caller(self, request: Request, scope: str, *, shopper_id: str | None = None) -> Caller:
        """Return who asks, once it is sure that they may and don't ask too often.

        Raises
        ------
        KeyRefusedError, ScopeError, TooManyRequestsError
            They may not.
        """
        caller = self.gate.caller(request.headers)
        return self.admitted(caller, scope, shopper_id=shopper_id)

    def admitted(self, caller: Caller, scope: str, *, shopper_id: str | None = None) -> Caller:
        """Return the caller, who may do this and doesn't ask too often."""
        caller.may(scope, shopper_id=shopper_id)
        self.rates.count(caller.key_id, now_s=self.now_s())
        return caller

    @cached_property
    def audit(self) -> Audit:
        """Where it is noted that a key reads or changes a person."""
        return Audit(self.writer, self.privacy.subject)

    def shop(self, caller: Caller) -> LiveShop:
        """Return the shop of a key; other shops don't exist for it.

        Raises
        ------
        ScopeError
            The key's shop is not served here.
        """
        shop = self.shops.get(caller.shop_id)
        if shop is None:
            raise ScopeError("the key's shop is not served here", remedy="start huaxiang serve with its run")
        return shop

    def origins(self) -> set[str]:
        """Return the pages that public keys list."""
        with self.store.read() as tx:
            return listed_origins(tx, now_ms=int(time.time() * 1000))

    async def body(self, request: Request) -> bytes:
        """Return the body of a request, within the limits."""
        return await read_body(
            request.stream(),
            encoding=request.headers.get("content-encoding", "").strip().lower(),
            most_bytes=self.settings.limits.body_bytes,
        )


def service_of(request: Request) -> Service:
    """Return the service that a request came to."""
    service: Service = request.app.state.service
    return service
