"""Public data sets, each read by a short adapter that says what its lines mean.

`online_retail` (invoices: cancellations, missing customers, postage), `complete_journey` (grocery baskets),
`amazon` (order of reviews, no times), `fashion` (a catalogue with photos), `retail_demo` (a catalogue).
An adapter only renames, sets aside and explains; the checks are the same for every shop.
"""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from huaxiang.errors import ShopError
from huaxiang.shop.datasets.amazon import AMAZON
from huaxiang.shop.datasets.base import Adapter
from huaxiang.shop.datasets.complete_journey import COMPLETE_JOURNEY
from huaxiang.shop.datasets.fashion import FASHION
from huaxiang.shop.datasets.online_retail import ONLINE_RETAIL
from huaxiang.shop.datasets.retail_demo import RETAIL_DEMO

ADAPTERS: tuple[Adapter, ...] = (ONLINE_RETAIL, COMPLETE_JOURNEY, AMAZON, FASHION, RETAIL_DEMO)

__all__ = ["ADAPTERS", "Adapter", "adapter_named", "find_adapter"]


def adapter_named(name: str) -> Adapter:
    """Return the adapter of that name; `amazon_beauty` is `amazon`, too.

    Raises
    ------
    ShopError
        For an unknown name, naming the nearest.
    """
    by_name = {adapter.name: adapter for adapter in ADAPTERS}
    plain = name.lower().replace("-", "_")
    if plain in by_name:
        return by_name[plain]
    if plain.startswith("amazon_"):
        return AMAZON
    nearest = get_close_matches(plain, by_name, n=1, cutoff=0.0)[0]
    raise ShopError(
        "no such adapter",
        file="shop.toml",
        column="shop.adapter",
        value=name,
        remedy=f"the nearest is {nearest}; there are {', '.join(by_name)}",
    )


def find_adapter(folder: Path) -> Adapter | None:
    """Return the adapter whose characteristic files lie in the folder, or None."""
    return next((adapter for adapter in ADAPTERS if adapter.matches(folder)), None)
