"""The simulated shop as its shoppers find it: what is sold, who they are, and what was worked out once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from huaxiang.shop.simulate.defects import Defect
from huaxiang.shop.simulate.log import EventLog
from huaxiang.shop.simulate.products import Products
from huaxiang.shop.simulate.settings import DIMENSIONS, Config
from huaxiang.shop.simulate.slates import examination
from huaxiang.shop.simulate.tastes import Shoppers, appeals

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What every shopper shares: the shop, the log, and what was worked out once.

    `lifts` is dimension → log appeal before and after the shopper's change, each (U, V); `defects` is product
    → what is wrong with it.
    """

    config: Config
    products: Products
    shoppers: Shoppers
    log: EventLog
    starts_ms: int
    seed: int
    lifts: Mapping[str, tuple[Floats, Floats]]
    looks_P: Floats
    popularity_I: Floats
    quality_I: Floats
    defects: Mapping[int, Defect] = field(default_factory=dict)


def make_scene(
    config: Config,
    products: Products,
    shoppers: Shoppers,
    *,
    log: EventLog,
    starts_ms: int,
    seed: int,
    defects: Mapping[int, Defect] | None = None,
) -> Scene:
    """Return the scene in which shoppers live."""
    return Scene(
        config=config,
        products=products,
        shoppers=shoppers,
        log=log,
        starts_ms=starts_ms,
        seed=seed,
        lifts={d: appeals(shoppers.tastes[d], config, products, d) for d in DIMENSIONS},
        looks_P=examination(config.slate_size, config.position_bias),
        popularity_I=products.popularity_G[products.group_rows],
        quality_I=products.quality_G[products.group_rows],
        defects=defects or {},
    )
