"""How simulated shoppers behave: sessions with lists, looks, clicks, carts and purchases.

A shopper clicks what they look at and like; what they like is their taste, the product's quality, what goes
with what they had last, and chance. They look less at lower places. What the shop lists depends on
popularity and on the search, never on the taste, so taste shows only in what is done with the lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huaxiang.records import EventType
from huaxiang.shop.simulate.aftermath import follow_up
from huaxiang.shop.simulate.log import MS_PER_DAY, Entry, as_context
from huaxiang.shop.simulate.sayings import query, wish, words_of
from huaxiang.shop.simulate.scene import Scene
from huaxiang.shop.simulate.slates import draw_slate
from huaxiang.shop.simulate.tastes import CHANNELS

Floats = NDArray[np.float64]

QUALITY_PULL = 0.4
"""Log-odds per standard deviation of a product's quality."""
MOOD = 0.5
"""Standard deviation of what a shopper fancies today."""
SATED = -5.0
"""Log-odds added to a product that the shopper has."""
COMPANION_DAYS = 14.0
"""Half-life of the pull of what goes with a purchase."""
CLICK_AT = 0.5
CART_AT = 1.5
WISH_AT = 3.5
"""Log appeal at which half of those who look click, put in the cart, or keep for later."""
MORE_LISTS = 1.4
"""Mean number of lists after the first."""
SEARCH_RATE = 0.45
STATE_RATE = 0.08
DISLIKE_AT = -4.0
DISLIKE_RATE = 0.02
"""What is looked at, not owned and less appealing than this is disliked aloud at this rate."""
CHECKOUT_RATE = 0.8
REMOVE_RATE = 0.12
OFFLINE_RATE = 0.02
"""Share of app sessions that reach the shop hours late."""


def live(scene: Scene, shopper: int) -> None:
    """Write everything that one shopper does into the log; shoppers don't depend on each other."""
    life = _Life(scene, shopper, np.random.default_rng([scene.seed, shopper]))
    for number, ms in enumerate(_session_times(scene, shopper, rng=life.rng)):
        life.visit(number, ms)


def _session_times(scene: Scene, shopper: int, *, rng: np.random.Generator) -> list[int]:
    shoppers = scene.shoppers
    n_sessions = int(shoppers.n_sessions[shopper])
    days = np.floor(rng.uniform(shoppers.joins_on[shopper], scene.config.days, n_sessions))
    local_hours = (shoppers.favourite_hour[shopper] + rng.normal(0, 1.5, n_sessions)) % 24
    utc_hours = (local_hours - shoppers.offset_minutes[shopper] / 60) % 24
    return sorted((scene.starts_ms + (days + utc_hours / 24) * MS_PER_DAY).astype(np.int64).tolist())


@dataclass
class _Visit:
    """One session while it happens."""

    number: int
    session_id: str
    channel: str
    ms: int
    delay_ms: int
    appeal_I: Floats
    sold_I: NDArray[np.bool_]
    wanted: int
    viewed: list[int] = field(default_factory=list)
    cart: list[int] = field(default_factory=list)
    n_slates: int = 0


class _Life:
    """One shopper: what they have, and how a session goes."""

    def __init__(self, scene: Scene, shopper: int, rng: np.random.Generator) -> None:
        self.scene = scene
        self.shopper = shopper
        self.rng = rng
        self.language = scene.shoppers.language(shopper)
        self.had: list[tuple[int, float]] = []

    def visit(self, number: int, ms: int) -> None:
        """Simulate one session that starts at `ms`."""
        visit = self._begin(number, ms)
        if number == 0 and self.rng.random() < STATE_RATE:
            words = words_of(self.scene.products, visit.wanted, self.language)
            self._note(visit, EventType.STATE, text=wish(words, self.language, rng=self.rng))
        if visit.channel == "store":
            visit.cart = self._choose(visit, 1 + self.rng.poisson(0.6))
            self._buy(visit)
            return
        for _ in range(1 + self.rng.poisson(MORE_LISTS)):
            self._browse(visit)
        self._leave(visit)

    def _begin(self, number: int, ms: int) -> _Visit:
        day = (ms - self.scene.starts_ms) / MS_PER_DAY
        appeal_I = self._appeal(day)
        sold_I = self.scene.products.from_day <= day
        channel = CHANNELS[self.rng.choice(3, p=self.scene.shoppers.channel_shares[self.shopper])]
        visit = _Visit(
            number=number,
            session_id=f"v{self.shopper}-{number}",
            channel=channel,
            ms=ms,
            delay_ms=self._delay(channel),
            appeal_I=appeal_I,
            sold_I=sold_I,
            wanted=0,
        )
        visit.wanted = self._choose(visit, 1)[0]
        return visit

    def _delay(self, channel: str) -> int:
        is_offline = channel == "app" and self.rng.random() < OFFLINE_RATE
        return int(self.rng.uniform(1, 36) * 3_600_000) if is_offline else int(self.rng.integers(100, 1500))

    def _appeal(self, day: float) -> Floats:
        """Return how much the shopper fancies each item today, as log-odds without a threshold."""
        scene = self.scene
        appeal_I = QUALITY_PULL * scene.quality_I + self.rng.normal(0, MOOD, scene.products.n_items)
        for dimension, (before_UV, after_UV) in scene.lifts.items():
            has_changed = day >= scene.shoppers.tastes[dimension].changes_on_U[self.shopper]
            lift_V = (after_UV if has_changed else before_UV)[self.shopper]
            appeal_I += lift_V[scene.products.values[dimension]]
        for group, bought_on in self.had:
            self._pull(appeal_I, group, 0.5 ** ((day - bought_on) / COMPANION_DAYS))
            appeal_I[scene.products.items_of_group(group)] += SATED
        return appeal_I

    def _pull(self, odds_I: Floats, group: int, strength: float) -> None:
        """Raise the log-odds of what goes with a product, in place."""
        products = self.scene.products
        for companion in products.companions_GC[group]:
            odds_I[products.items_of_group(companion)] += strength * self.scene.config.companion_pull

    def _choose(self, visit: _Visit, n_items: int) -> list[int]:
        log_weights_I = np.where(visit.sold_I, visit.appeal_I, -np.inf)
        return [int(item) for item in draw_slate(log_weights_I, n_items, rng=self.rng)[0]]

    def _browse(self, visit: _Visit) -> None:
        """Show one list, found by a search, beside a viewed item, or on the home page."""
        if self.rng.random() < SEARCH_RATE:
            words = words_of(self.scene.products, visit.wanted, self.language)
            self._note(visit, EventType.SEARCH, query=query(words, self.language, rng=self.rng))
            self._show(visit, "search", self._likeness(visit.wanted))
        elif visit.viewed and self.rng.random() < 0.5:
            self._show(visit, "item", self._beside(visit.viewed[-1]))
        else:
            self._show(visit, "home", np.zeros(self.scene.products.n_items))

    def _likeness(self, wanted: int) -> Floats:
        """Return how well each item answers a search for something like the wanted one."""
        likeness_I = 4.0 * self._alike("category", wanted)
        shared_I = sum(self._alike(dimension, wanted) for dimension in ("colour", "style", "material"))
        return likeness_I * (1 + 0.25 * shared_I)

    def _beside(self, viewed: int) -> Floats:
        """Return what fits beside a viewed item: its kind, and what goes with it."""
        fit_I = 2.0 * self._alike("category", viewed)
        self._pull(fit_I, int(self.scene.products.group_rows[viewed]), 1.0)
        return fit_I

    def _alike(self, dimension: str, item: int) -> Floats:
        rows = self.scene.products.values[dimension]
        return np.asarray(rows == rows[item], dtype=np.float64)

    def _show(self, visit: _Visit, placement: str, relevance_I: Floats) -> None:
        weights_I = np.where(visit.sold_I, self.scene.popularity_I + relevance_I, -np.inf)
        items, propensities = draw_slate(weights_I, self.scene.config.slate_size, rng=self.rng)
        slate_id = f"{visit.session_id}-{visit.n_slates}"
        visit.n_slates += 1
        contexts = [
            {"placement": placement, "slate_id": slate_id, "position": place, "propensity": round(chance, 6)}
            for place, chance in enumerate(propensities.tolist(), start=1)
        ]
        for item, context in zip(items.tolist(), contexts, strict=True):
            self._note(visit, EventType.VIEW_ITEM_LIST, item=item, context=context)
        looked = self.rng.random(len(items)) < self.scene.looks_P[: len(items)]
        for item, context, has_looked in zip(items.tolist(), contexts, looked.tolist(), strict=True):
            if has_looked:
                self._look(visit, item, context)

    def _look(self, visit: _Visit, item: int, context: Mapping[str, Any]) -> None:
        appeal = float(visit.appeal_I[item])
        if self._would(appeal - CLICK_AT):
            self._pass_time(visit, 8)
            self._note(visit, EventType.SELECT_ITEM, item=item, context=context)
            self._view(visit, item, appeal)
        elif appeal < DISLIKE_AT and not self._has(item) and self.rng.random() < DISLIKE_RATE:
            self._note(visit, EventType.DISLIKE, item=item)

    def _view(self, visit: _Visit, item: int, appeal: float) -> None:
        self._note(visit, EventType.VIEW_ITEM, item=item)
        visit.viewed.append(item)
        self._pass_time(visit, 40)
        if self._would(appeal - CART_AT) and item not in visit.cart:
            self._note(visit, EventType.ADD_TO_CART, item=item, quantity=1)
            visit.cart.append(item)
            self._pull(visit.appeal_I, int(self.scene.products.group_rows[item]), 0.5)
        elif self._would(appeal - WISH_AT):
            self._note(visit, EventType.ADD_TO_WISHLIST, item=item)

    def _leave(self, visit: _Visit) -> None:
        for item in list(visit.cart):
            if self.rng.random() < REMOVE_RATE:
                self._note(visit, EventType.REMOVE_FROM_CART, item=item, quantity=1)
                visit.cart.remove(item)
        if visit.cart and self.rng.random() < CHECKOUT_RATE:
            self._note(visit, EventType.BEGIN_CHECKOUT)
            self._pass_time(visit, 60)
            self._buy(visit)

    def _buy(self, visit: _Visit) -> None:
        order_id = f"o{self.shopper}-{visit.number}"
        for item in visit.cart:
            quantity = 1 + int(self.rng.random() < 0.06)
            group = int(self.scene.products.group_rows[item])
            bought = self._note(visit, EventType.PURCHASE, item=item, quantity=quantity, order_id=order_id)
            follow_up(self.scene, bought, self.language, float(visit.appeal_I[item]), rng=self.rng)
            self.had.append((group, (visit.ms - self.scene.starts_ms) / MS_PER_DAY))

    def _has(self, item: int) -> bool:
        group = int(self.scene.products.group_rows[item])
        return any(group == had for had, _ in self.had)

    def _would(self, log_odds: float) -> bool:
        return bool(self.rng.random() < 1 / (1 + np.exp(-log_odds)))

    def _pass_time(self, visit: _Visit, mean_s: float) -> None:
        visit.ms += 1000 + int(self.rng.exponential(mean_s) * 1000)

    def _note(
        self,
        visit: _Visit,
        type_: EventType,
        *,
        item: int = -1,
        context: Mapping[str, Any] | None = None,
        quantity: int | None = None,
        **said: str,
    ) -> Entry:
        """Write one event of the session, and let a moment pass."""
        entry = Entry(
            occurred_ms=visit.ms,
            received_ms=visit.ms + visit.delay_ms,
            shopper=self.shopper,
            type=type_,
            item_row=item,
            quantity=quantity,
            price_yuan=None if quantity is None else int(self.scene.products.price_yuan[item]),
            session_id=visit.session_id,
            channel=visit.channel,
            context=as_context(context) if context else None,
            query=said.get("query"),
            text=said.get("text"),
            order_id=said.get("order_id"),
        )
        self.scene.log.add(entry)
        if type_ is not EventType.VIEW_ITEM_LIST:
            self._pass_time(visit, 5)
        return entry
