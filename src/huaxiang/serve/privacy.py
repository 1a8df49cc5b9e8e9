"""What a shopper may ask of a service: everything about them, or nothing any more."""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson
from msgspec import structs
from sqlalchemy import Connection

from huaxiang.errors import StoreError
from huaxiang.profile.update import milliseconds
from huaxiang.records import Event
from huaxiang.serve.item_photos import forget_photos
from huaxiang.serve.live import LiveShop
from huaxiang.serve.pseudonyms import Pseudonyms
from huaxiang.serve.standing import standings
from huaxiang.store import of_shopper
from huaxiang.store.erasure import erase, erase_late, left_in_files, said_by, scrub
from huaxiang.store.letters import letters_of_shoppers
from huaxiang.store.photos import photos_of_shoppers
from huaxiang.store.slates import slates_of_shopper

LOG = logging.getLogger(__name__)
Forgotten = Callable[[LiveShop], None]
LEFT = (
    "the shop's own files, which the run was built from",
    "backups and copies that were made outside the service",
    "fusion and the weights between a model's members, a few numbers over everybody, until the next build",
)
"""What an erasure doesn't reach; every receipt says so."""


@dataclass(frozen=True)
class Privacy:
    """Export and erasure.

    Parameters
    ----------
    pseudonyms
        Their key also signs receipts and marks who was erased.
    rewrite_states
        Called once somebody was erased: it writes the snapshot of the states anew.
    wake
        Called then too: what was counted is going to be counted again.
    """

    pseudonyms: Pseudonyms
    rewrite_states: Forgotten
    wake: Callable[[], None] = lambda: None

    def subject(self, shop_id: str, shopper_hash: str) -> str:
        """Return what stands for a shopper where they must not be recognised: a keyed hash of their hash."""
        return self.pseudonyms.subject(shop_id, shopper_hash)

    def export(self, shop: LiveShop, shopper_id: str) -> dict[str, Any]:
        """Return everything about a person as one object, their own id given back in place of the hash.

        Raises
        ------
        UnknownShopperError
            The log has nothing of this id.
        """
        with shop.store.read() as tx:
            person = shop.people.known(tx, shopper_id)
            events = of_shopper(tx, shop.shop_id, person.ids)
            slates = slates_of_shopper(tx, shop.shop_id, person.ids)
            letters = letters_of_shoppers(tx, shop.shop_id, person.ids)
        names = {name: f"joined-{place}" for place, name in enumerate(person.ids)}
        names[person.ids[0]] = shopper_id
        profile, _ = shop.profile(shopper_id, purpose=None)
        return {
            "schema": "huaxiang.export/1",
            "shopper_id": shopper_id,
            "exported_at": shop.clock().isoformat().replace("+00:00", "Z"),
            "joined_ids": len(person.ids) - 1,
            "traits": dict(person.traits),
            "consent": dict(person.consent),
            "events": [_as_told(one.event, shopper_id=names[one.event.shopper_id]) for one in events],
            "lists": [
                {
                    "slate_id": one.slate_id,
                    "model": one.model,
                    "placement": one.placement,
                    "shown_ms": one.shown_ms,
                    "items": [item_id for item_id, _, _ in one.items],
                }
                for one in slates
            ],
            "letters": [
                {"reason": one.reason, **_as_told(one.event, shopper_id=names[one.event.shopper_id])}
                for one in letters
            ],
            "profile": profile.as_json(vector=True),
        }

    async def erase(self, shop: LiveShop, shopper_id: str, *, key_id: str) -> dict[str, Any]:
        """Erase a person with every id that was joined; return the receipt.

        Raises
        ------
        UnknownShopperError
            The log has nothing of this id.
        """
        with shop.store.read() as tx:
            ids = self._ids(tx, shop, shopper_id)
            shown = photos_of_shoppers(tx, shop.shop_id, ids)
        now = shop.clock()
        subjects = [self.subject(shop.shop_id, one) for one in ids]

        def delete() -> tuple[dict[str, int], set[int]]:
            with shop.store.begin() as tx:
                said = said_by(tx, shop.shop_id, ids)
                return erase(tx, shop.shop_id, ids, subjects=subjects, at_ms=milliseconds(now)), said

        def delete_late(said: set[int]) -> dict[str, int]:
            with shop.store.begin() as tx:
                late = erase_late(tx, shop.shop_id, ids, said=said)
            scrub(shop.store)
            return late

        def forget() -> str:
            try:
                self._forget(shop, ids)
            except StoreError as error:
                LOG.error("a cache keeps an erased shopper", extra={"error": str(error)})
                return "could not be reached: empty it before it is used again"
            return "nothing"

        gone, said = await asyncio.to_thread(delete)
        gone["photos"] = await asyncio.to_thread(forget_photos, shop, shown)
        await asyncio.wrap_future(shop.writer.submit(shop.shop_id, []))  # what was on its way is written now
        late = await asyncio.to_thread(delete_late, said)
        in_cache = await asyncio.to_thread(forget)
        self.wake()
        receipt = {
            "receipt_id": secrets.token_hex(12),
            "erased_at": now.isoformat().replace("+00:00", "Z"),
            "subjects": subjects,
            "rows": {table: rows + late.get(table, 0) for table, rows in gone.items()},
            "models": self._models(shop, now),
            "left": {"of_others": list(LEFT), "store": left_in_files(shop.store), "cache": in_cache},
            "key_id": key_id,
        }
        return {**receipt, "signature": self._signature(receipt)}

    def _ids(self, tx: Connection, shop: LiveShop, shopper_id: str) -> tuple[str, ...]:
        """Return every id of a person, also of one of whom there are only events that could not be taken."""
        ids = shop.people.find(tx, shopper_id).ids
        return ids if letters_of_shoppers(tx, shop.shop_id, ids) else shop.people.known(tx, shopper_id).ids

    def check(self, shop: LiveShop, receipt: dict[str, Any]) -> dict[str, Any]:
        """Return whether a receipt was given by this service, and how the shop's versions stand to it now."""
        if not self.is_genuine(receipt):
            return {"is_genuine": False}
        erased_at = datetime.fromisoformat(str(receipt["erased_at"]))
        models = self._models(shop, erased_at)
        return {
            "is_genuine": True,
            "is_complete": all(
                one["made_anew"]["state"] == "done" and not one["replaced"]["members"] for one in models
            ),
            "models": models,
        }

    def _models(self, shop: LiveShop, erased_at: datetime) -> list[dict[str, Any]]:
        """Return what is done, and what is left to do, with each version that learnt from a person."""
        by = (erased_at + timedelta(days=shop.settings.privacy.replace_within_days)).date()
        found = standings(shop.store, shop.shop_id, erased_ms=milliseconds(erased_at))
        return [one.as_json(replaced_by=by) for one in found]

    def is_genuine(self, receipt: dict[str, Any]) -> bool:
        """Return whether a receipt was given by this service and is unchanged."""
        said = {name: value for name, value in receipt.items() if name != "signature"}
        signature = str(receipt.get("signature", "")).encode()  # whatever letters somebody writes there
        return hmac.compare_digest(signature, self._signature(said).encode())

    def _forget(self, shop: LiveShop, ids: Sequence[str]) -> None:
        shop.forget(ids)
        self.rewrite_states(shop)

    def _signature(self, said: dict[str, Any]) -> str:
        body = orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
        return hmac.new(self.pseudonyms.secret("receipt", ""), body, sha256).hexdigest()


def _as_told(event: Event, *, shopper_id: str) -> dict[str, Any]:
    """Return an event with all that the log has of it, under the shopper's own id."""
    told = {**structs.asdict(event), "value": structs.asdict(event.value)}
    told.update(shopper_id=shopper_id, type=str(event.type))
    for moment in ("occurred_at", "received_at"):
        told[moment] = None if told[moment] is None else told[moment].isoformat().replace("+00:00", "Z")
    del told["shop_id"]
    return told
