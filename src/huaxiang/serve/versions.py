"""Versions of a model: loaded beside the one that is served, warmed, swapped as a whole, rolled back by name.

The store says which version is served. Every process looks there a few times a second, so a version that was
promoted anywhere is served everywhere; one that can't be loaded is marked as failed, and the old one stays.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from huaxiang.errors import ArtefactError, HuaxiangError, InputError, StoreError
from huaxiang.model import Model, load
from huaxiang.serve.catalogue import caught_up
from huaxiang.serve.live import LiveShop
from huaxiang.serve.searching import warm
from huaxiang.serve.serving import Serving
from huaxiang.serve.tail import FOLD_EVERY
from huaxiang.store import Store, item_numbers, put_items
from huaxiang.store.models import (
    ModelRow,
    models_of,
    newest_model_change,
    promote_model,
    put_model,
    serving_model,
)

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Version:
    """One version as people see it."""

    name: str
    status: str
    made_at: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    decision: str = ""

    def as_json(self) -> dict[str, object]:
        """Return it as the API shows it."""
        return {
            "name": self.name,
            "status": self.status,
            "made_at": self.made_at,
            "metrics": dict(self.metrics),
            "decision": self.decision,
        }


class Versions:
    """The versions of the shops of one process."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def versions(self, shop: LiveShop) -> list[Version]:
        """Return every version, the newest first."""
        with shop.store.read() as tx:
            return [_shown(row) for row in models_of(tx, shop.shop_id)]

    async def promote(self, shop: LiveShop, name: str) -> None:
        """Let a version be served; when this returns, this process serves it.

        Raises
        ------
        InputError
            There is no such version.
        ArtefactError
            It can't be loaded; the one before is still served.
        """
        with shop.store.read() as tx:
            row = next((row for row in models_of(tx, shop.shop_id) if row.name == name), None)
        if row is None:
            raise InputError("no such version", column="name", value=name, remedy="see GET /v1/models")
        await asyncio.to_thread(self._swap, shop, row)
        with shop.store.begin() as tx:
            promote_model(tx, shop.shop_id, name)

    async def follow(self, shop: LiveShop) -> None:
        """Serve for ever whatever the store says."""
        while True:
            await asyncio.sleep(shop.settings.poll_s)
            try:
                await asyncio.to_thread(self.look, shop)
            except HuaxiangError as error:
                LOG.warning("the version that should be served is not", extra={"error": str(error)})
            except Exception as error:  # whatever it was, the next version must still be found
                LOG.error("the version that should be served is not", exc_info=error)

    def look(self, shop: LiveShop) -> None:
        """Serve what the store says, if that changed since the last look."""
        with shop.store.read() as tx:
            change = newest_model_change(tx, shop.shop_id)
            if change == self._seen.get(shop.shop_id):
                return
            row = serving_model(tx, shop.shop_id)
        self._seen[shop.shop_id] = change
        if row is not None and row.name != shop.serving.model.name:
            self._swap(shop, row)

    def _swap(self, shop: LiveShop, row: ModelRow) -> None:
        try:
            serving = beside(shop, _loaded(row))
        except StoreError:  # that says nothing about the version
            raise
        except Exception as error:
            with shop.store.begin() as tx:
                put_model(tx, shop.shop_id, _failed(row))
            if isinstance(error, HuaxiangError):
                raise
            remedy = "build or retrain again"
            raise ArtefactError("the version can't be read", value=row.name, remedy=remedy) from error
        with shop.swapping:
            serving = caught_up(shop, serving)
            shop.said.use(serving.model.space)
            shop.serving = serving


def register(store: Store, shop_id: str, model: Model, folder: Path) -> None:
    """Let the first run of a shop be the version that is served; a shop that has versions keeps them."""
    with store.begin() as tx:
        if models_of(tx, shop_id):
            return
        row = ModelRow(
            name=model.name,
            folder=str(folder.resolve()),
            status="serving",
            created_ms=int(time.time() * 1000),
        )
        put_model(tx, shop_id, row)


def beside(shop: LiveShop, model: Model) -> Serving:
    """Return a model ready to be served: with the items as they are now, its first list made."""
    from huaxiang.serve.importing import item_records

    with shop.store.read() as tx:
        numbers = item_numbers(tx, shop.shop_id)
    missing = [item for item in item_records(model) if item.item_id not in numbers]
    if missing:
        with shop.store.begin() as tx:
            put_items(tx, shop.shop_id, missing)
    shop.renumber()
    nobody = model.without_shoppers()
    nobody.rules = shop.rules.book
    serving = caught_up(shop, Serving.of(nobody, shop.item_no_of))
    served = serving.model
    served.recommenders.new.fold(every=FOLD_EVERY)
    served.recommend(served.describe(text="warm"), k=1)
    warm(served)
    return serving


def _loaded(row: ModelRow) -> Model:
    """Return the model of a version; a folder that says it is another one is not what was compared."""
    model = load(row.folder)
    if model.name != row.name:
        remedy = "restore the folder, or promote the version by its name"
        raise ArtefactError("the folder holds another version", value=model.name, remedy=remedy)
    return model


def _failed(row: ModelRow) -> ModelRow:
    return ModelRow(
        name=row.name,
        folder=row.folder,
        status="failed",
        metrics=row.metrics,
        decision=row.decision,
        created_ms=row.created_ms,
    )


def _shown(row: ModelRow) -> Version:
    made_at = datetime.fromtimestamp(row.created_ms / 1000, tz=UTC).isoformat(timespec="seconds")
    reason = "" if row.decision is None else str(row.decision.get("reason", ""))
    return Version(row.name, row.status, made_at.replace("+00:00", "Z"), row.metrics, reason)
