"""Shoppers whose tastes are known: how much each loves each value, and when that changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huaxiang.shop.simulate.products import Products
from huaxiang.shop.simulate.settings import DIMENSIONS, Config
from huaxiang.shop.simulate.worlds import dirichlet

Floats = NDArray[np.float64]
SMALLEST_SHARE = 1e-9

ENGLISH_OFFSETS = (0, 60, 120, -300, -360, -480, 600)
CHINESE_OFFSET = 480
CHANNELS = ("app", "web", "store")


@dataclass(frozen=True, kw_only=True)
class Taste:
    """What all shoppers love in one dimension.

    Parameters
    ----------
    before_UV, after_UV
        Share of each value, rows sum to 1; after differs only for those whose taste changes.
    changes_on_U
        Day of the change; infinite where there is none.
    """

    before_UV: Floats
    after_UV: Floats
    changes_on_U: Floats

    def on(self, shopper: int, day: float) -> Floats:
        """Return the shopper's taste on that day, (V,)."""
        tastes_UV = self.after_UV if day >= self.changes_on_U[shopper] else self.before_UV
        return np.asarray(tastes_UV[shopper])


@dataclass(frozen=True, kw_only=True)
class Shoppers:
    """Who shops here.

    Parameters
    ----------
    tastes
        dimension → what they love.
    is_chinese
        Whether the shopper reads and writes Chinese, else English, (U,).
    offset_minutes
        Their clock minus UTC, int16 (U,).
    channel_shares
        How they divide their sessions over app, web and store, (U, 3).
    favourite_hour
        Around which hour of their own day they shop, (U,).
    joins_on, n_sessions
        Day of the first possible session, and how many there are, (U,).
    """

    tastes: Mapping[str, Taste]
    is_chinese: NDArray[np.bool_]
    offset_minutes: NDArray[np.int16]
    channel_shares: Floats
    favourite_hour: Floats
    joins_on: Floats
    n_sessions: NDArray[np.int64]

    @property
    def n_shoppers(self) -> int:
        """U."""
        return len(self.is_chinese)

    def language(self, shopper: int) -> str:
        """Return "zh" or "en"."""
        return "zh" if self.is_chinese[shopper] else "en"


def draw_shoppers(config: Config, products: Products, *, rng: np.random.Generator) -> Shoppers:
    """Return shoppers with Dirichlet tastes around the catalogue's shares."""
    n = config.n_shoppers
    is_chinese = rng.random(n) < config.chinese_share
    offsets = np.where(is_chinese, CHINESE_OFFSET, rng.choice(ENGLISH_OFFSETS, n))
    joins_on = np.where(rng.random(n) < 0.6, 0.0, rng.uniform(0, 0.9, n) * config.days)
    here_share = 1 - joins_on / config.days
    rate = config.sessions_per_shopper * rng.gamma(1.2, 1 / 1.2, n) * here_share
    return Shoppers(
        tastes={d: _draw_taste(d, config, products, rng=rng) for d in DIMENSIONS},
        is_chinese=is_chinese,
        offset_minutes=offsets.astype(np.int16),
        channel_shares=rng.dirichlet([1.6, 1.2, 0.3], n),
        favourite_hour=rng.choice([8.0, 12.5, 18.0, 21.0], n, p=[0.15, 0.2, 0.25, 0.4]) + rng.normal(0, 1, n),
        joins_on=joins_on,
        n_sessions=1 + rng.poisson(np.maximum(rate - 1, 0)),
    )


def _draw_taste(dimension: str, config: Config, products: Products, *, rng: np.random.Generator) -> Taste:
    population_V = products.shares(dimension)
    is_sold = population_V > 0
    prior = config.concentrations[dimension] * is_sold.sum() * population_V[is_sold]
    before, fresh = (np.zeros((config.n_shoppers, len(population_V))) for _ in range(2))
    before[:, is_sold] = dirichlet(prior, config.n_shoppers, rng=rng)
    fresh[:, is_sold] = dirichlet(prior, config.n_shoppers, rng=rng)
    is_drifting = rng.random(config.n_shoppers) < config.drift_share
    days = np.floor(rng.uniform(0.25, 0.75, config.n_shoppers) * config.days)
    after = config.drift_size * fresh + (1 - config.drift_size) * before
    return Taste(
        before_UV=before,
        after_UV=np.where(is_drifting[:, None], after, before),
        changes_on_U=np.where(is_drifting, days, np.inf),
    )


def appeals(taste: Taste, config: Config, products: Products, dimension: str) -> tuple[Floats, Floats]:
    """Return what a dimension adds to an item's log appeal, before and after the change, each (U, V).

    pull · ln(floor + (1 − floor) · taste / population share): 0 for an average love, negative for less.
    """
    population_V = np.maximum(products.shares(dimension), SMALLEST_SHARE)

    def log_lift(taste_UV: Floats) -> Floats:
        lift_UV = config.floor + (1 - config.floor) * taste_UV / population_V
        return np.asarray(config.pulls[dimension] * np.log(np.maximum(lift_UV, SMALLEST_SHARE)))

    return log_lift(taste.before_UV), log_lift(taste.after_UV)
