"""A boutique of eight items, small enough to know by heart, for the tests of profiles."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from huaxiang.profile.contents import Contents
from huaxiang.profile.derive import Background, Derived, derive
from huaxiang.profile.population import Population
from huaxiang.profile.state import ProfileState, StateEvent, Totals
from huaxiang.profile.update import correction_text, event_key
from huaxiang.profile.weights import DEFAULTS, Config
from huaxiang.records import EventType, Facet, Profile
from huaxiang.shop.catalogue import Catalogue, Dimension

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)

ITEMS = (
    ("red dress", "Dresses", "Nike", ("red",), "leather", "low"),
    ("blue dress", "Dresses", "Acme", ("blue",), "cotton", "low"),
    ("black dress", "Dresses", "Acme", ("black",), "cotton", "high"),
    ("red runner", "Running Shoes", "Nike", ("red",), "canvas", "high"),
    ("blue runner", "Running Shoes", "Nike", ("blue",), "canvas", "high"),
    ("black boots", "Boots", "Acme", ("black",), "leather", "high"),
    ("red boots", "Boots", "Nike", ("red", "black"), "leather", "low"),
    ("blue bag", "Backpacks", "Acme", ("blue",), "canvas", "low"),
)


def catalogue() -> Catalogue:
    columns = [[row[k] if isinstance(row[k], tuple) else (row[k],) for row in ITEMS] for k in range(1, 6)]
    names = ("category", "brand", "colour", "material", "price_band")
    n_items = len(ITEMS)
    return Catalogue(
        item_ids=[f"i-{row}" for row in range(n_items)],
        titles={"en": [row[0] for row in ITEMS], "zh": [f"商品{row}" for row in range(n_items)]},
        group_rows=np.arange(n_items, dtype=np.int32),
        price_minor=np.full(n_items, 1_000),
        in_stock=np.ones(n_items, bool),
        valid_from_ms=np.zeros(n_items, np.int64),
        dimensions={name: _dimension(name, column) for name, column in zip(names, columns, strict=True)},
        currency="CNY",
        languages=("en", "zh"),
    )


def _dimension(name: str, values_of_items: Sequence[Sequence[str]]) -> Dimension:
    values = list(dict.fromkeys(value for values in values_of_items for value in values))
    flat = [(values.index(value), 1 / len(own)) for own in values_of_items for value in own]
    labels = {"en": values, "zh": ["耐克", "顶点"]} if name == "brand" else {}
    return Dimension(
        name=name,
        values=values,
        labels=labels,
        offsets=np.cumsum([0, *map(len, values_of_items)]),
        value_rows=np.array([row for row, _ in flat], np.int32),
        weights=np.array([weight for _, weight in flat], np.float32),
        confidence=np.ones(len(flat), np.float32),
        is_inferred=np.zeros(len(flat), bool),
    )


CATALOGUE = catalogue()
POPULATION = Population.empty(CATALOGUE)
VECTORS = np.eye(8, 16, dtype=np.float32)


class Diary:
    """Events of one shopper, written as (days ago, type, item or words)."""

    def __init__(self) -> None:
        self.contents = Contents()
        self.events: list[StateEvent] = []

    def add(self, days_ago: float, kind: str, about: int | str | None = None, **more: Any) -> str:
        """Add an event; return its id. `about` is an item row or words; `dimension=…` makes a correction."""
        event_id = f"e-{len(self.events)}"
        self.contents._added_ids[event_key(event_id)] = event_id
        if "dimension" in more:
            about = correction_text({name: more.pop(name) for name in ("dimension", "value", "side")})
        content = self.contents.add_text(about) if isinstance(about, str) else 0
        moment = NOW - timedelta(days=days_ago)
        self.events.append(
            StateEvent(
                round(moment.timestamp() * 1000),
                event_key(event_id),
                EventType(kind).code,
                about if isinstance(about, int) else -1,
                content=content,
                **more,
            )
        )
        return event_id

    def state(self) -> ProfileState:
        """Return the state; every event is kept as strong, which makes no difference to what is derived."""
        events = sorted(self.events)
        times = [event.occurred_ms for event in events] or [0]
        return ProfileState(tuple(events), totals=Totals(times[0], times[-1], n_events=len(events)))

    def derived(self, *, now: datetime = NOW, config: Config | None = None) -> Derived:
        """Return profile and claims."""
        return derive(self.state(), self.background(now=now, config=config))

    def background(self, *, now: datetime = NOW, config: Config | None = None) -> Background:
        """Return all that a profile is derived from but the state."""
        return background(self.contents, now=now, config=config)


def background(contents: Contents, *, now: datetime = NOW, config: Config | None = None) -> Background:
    """Return what profiles of this shop are read against."""
    return Background(
        catalogue=CATALOGUE,
        population=POPULATION,
        contents=contents,
        item_vectors_ID=VECTORS,
        now=now,
        config=config or DEFAULTS,
    )


def diary(*events: tuple[Any, ...]) -> Diary:
    """Return a diary of (days ago, type, item or words) events."""
    made = Diary()
    for event in events:
        made.add(*event)
    return made


def facet(profile: Profile, dimension: str, value: str, side: str = "liked") -> Facet | None:
    """Return one facet, None where the profile has none."""
    found = [
        one for one in profile.facets if (one.dimension, one.value, one.side) == (dimension, value, side)
    ]
    return found[0] if found else None
