"""What each version of a shop's model has learnt from, as its manifest says: until when, and without whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import orjson

from huaxiang.errors import ArtefactError
from huaxiang.feedback.training_log import erased_now
from huaxiang.recommend.ways import SLOW
from huaxiang.runs import MANIFEST, read_part
from huaxiang.store import Store
from huaxiang.store.meta import read_meta
from huaxiang.store.models import ModelRow, models_of

LEARNT = "learnt"
POSITIONS = "positions"
"""Partition → newest position of the log that was learnt from."""
COUNTED_WITHOUT = "counted_without"
"""Names everybody who had been erased when everything that counts was counted."""
ANEW = "anew_ms"
"""When the networks last began from nothing."""
MEMBERS = Path("recommender") / "recommender.json"


def imported_mark(shop_id: str) -> str:
    """Return under which name the store keeps how far the log went when the first run entered it."""
    return f"imported_positions:{shop_id}"


def learnt_until(store: Store, shop_id: str, name: str) -> dict[int, int] | None:
    """Return up to where of the log a version has learnt, by partition; None where nobody noted it."""
    with store.read() as tx:
        row = next((row for row in models_of(tx, shop_id) if row.name == name), None)
        imported = read_meta(tx, imported_mark(shop_id))
    said = None if row is None else _learnt(row).get(POSITIONS)
    if said is None and imported is not None:
        said = orjson.loads(imported)
    return None if said is None else {int(part): int(position) for part, position in said.items()}


def waiting(store: Store, shop_id: str) -> list[str]:
    """Return the versions that still count somebody who was erased."""
    erased = erased_now(store, shop_id)
    with store.read() as tx:
        rows = models_of(tx, shop_id)
    return [row.name for row in rows if _learnt(row).get(COUNTED_WITHOUT, "") != erased]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a version stands to a person who was erased.

    Parameters
    ----------
    counts
        "done": made anew without them; "waiting": will be within minutes.
    networks
        Members with weights that learnt from everybody, and don't begin anew before the next retraining.
    """

    name: str
    is_served: bool
    counts: str
    members: Sequence[str]
    networks: Sequence[str]

    def as_json(self, *, replaced_by: date) -> dict[str, Any]:
        """Return it as a receipt says it."""
        counted = [name for name in self.members if name not in SLOW]
        return {
            "name": self.name,
            "is_served": self.is_served,
            "made_anew": {"members": counted, "and": ["population", "popularity"], "state": self.counts},
            "replaced": {
                "members": list(self.networks),
                "by": replaced_by.isoformat() if self.networks else None,
            },
        }


def standings(store: Store, shop_id: str, *, erased_ms: int) -> list[Standing]:
    """Return how each version stands to whoever was erased at a moment."""
    late = set(waiting(store, shop_id))
    with store.read() as tx:
        rows = models_of(tx, shop_id)
    return [
        Standing(
            name=row.name,
            is_served=row.status == "serving",
            counts="waiting" if row.name in late else "done",
            members=(members := _members(row)),
            networks=[
                name for name in members if name in SLOW and int(_learnt(row).get(ANEW, 0)) <= erased_ms
            ],
        )
        for row in rows
    ]


def _learnt(row: ModelRow) -> Mapping[str, Any]:
    return dict(_part(row, MANIFEST).get(LEARNT, {}))


def _members(row: ModelRow) -> list[str]:
    return list(_part(row, str(MEMBERS)).get("more", {}).get("names", []))


def _part(row: ModelRow, name: str) -> Mapping[str, Any]:
    try:
        return dict(read_part(Path(row.folder), name))
    except (ArtefactError, TypeError, ValueError):
        return {}  # a folder that is gone holds nobody
