"""What a simulated shop is like: its size, its shoppers' tastes, and how they behave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

from huaxiang.errors import SettingsError

DIMENSIONS = ("category", "brand", "colour", "material", "style", "price_band")

CONCENTRATIONS = MappingProxyType(
    {"category": 0.15, "brand": 0.15, "colour": 0.3, "material": 0.3, "style": 0.3, "price_band": 1.0}
)
PULLS = MappingProxyType(
    {"category": 1.0, "brand": 0.7, "colour": 0.8, "material": 0.5, "style": 0.8, "price_band": 0.7}
)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings of the simulated shop, fixed before anything was measured on it.

    Parameters
    ----------
    n_shoppers, n_items, days
        Size. `n_items` counts variants (a dress in blue is one item); at least 40 items.
    start
        First day, UTC.
    colours_per_product
        Mean number of colours in which a product is sold. 1 to 4.
    late_item_share
        Share of products that appear during the last 40 % of the days.
    popularity_skew
        Standard deviation of a product's log popularity. 0 is equal for all.
    concentrations
        Per dimension: a shopper's taste is Dirichlet(concentration · V · population share).
        Small is choosy, large is like everybody.
    pulls
        Per dimension: the power to which taste over population share enters an item's appeal.
    floor
        Taste that even an unloved value keeps, as a share of the population's. 0 to 1.
    drift_share
        Share of (shopper, dimension) pairs whose taste changes once, in the middle half of the days.
    drift_size
        How much of the new taste is fresh; the rest is the old one. 0 to 1.
    chinese_share
        Share of shoppers who read and write Chinese.
    sessions_per_shopper
        Mean; a gamma mixture, so that a few come often and many rarely.
    slate_size
        Items shown in one list.
    position_bias
        A shopper looks at position p with probability p^(−position_bias).
    companion_pull
        Log-odds added to the companions of what was bought or viewed last.
    review_rate, refund_rate
        Share of purchases that are reviewed, and that come back when the item is of mean quality.
    defect_share
        Share of products with a planted defect that reviews complain of; `defects.parquet` says which.
    defect_drop
        Stars that a defect takes off a review that notices it. 1 to 4.
    photo_pixels
        Width and height of the drawn photos. 32 to 256.

    Examples
    --------
    >>> Config(n_shoppers=10).days
    180
    """

    n_shoppers: int = 1500
    n_items: int = 400
    days: int = 180
    start: date = date(2025, 1, 6)
    colours_per_product: float = 2.2
    late_item_share: float = 0.12
    popularity_skew: float = 0.7
    concentrations: Mapping[str, float] = field(default_factory=lambda: dict(CONCENTRATIONS))
    pulls: Mapping[str, float] = field(default_factory=lambda: dict(PULLS))
    floor: float = 0.1
    drift_share: float = 0.3
    drift_size: float = 0.7
    chinese_share: float = 0.5
    sessions_per_shopper: float = 9.0
    slate_size: int = 8
    position_bias: float = 0.6
    companion_pull: float = 2.0
    review_rate: float = 0.35
    refund_rate: float = 0.06
    defect_share: float = 0.0
    defect_drop: int = 2
    photo_pixels: int = 112

    def __post_init__(self) -> None:
        _in_range("n_shoppers", self.n_shoppers, 1, 10_000_000)
        _in_range("n_items", self.n_items, 40, 1_000_000)
        _in_range("days", self.days, 7, 3650)
        _in_range("colours_per_product", self.colours_per_product, 1, 4)
        _in_range("popularity_skew", self.popularity_skew, 0, 5)
        _in_range("sessions_per_shopper", self.sessions_per_shopper, 0.1, 1000)
        _in_range("slate_size", self.slate_size, 1, 30)
        _in_range("position_bias", self.position_bias, 0, 3)
        _in_range("companion_pull", self.companion_pull, 0, 10)
        _in_range("defect_drop", self.defect_drop, 1, 4)
        _in_range("photo_pixels", self.photo_pixels, 32, 256)
        shares = ("late_item_share", "floor", "drift_share", "drift_size", "chinese_share", "review_rate")
        for name in (*shares, "refund_rate", "defect_share"):
            _in_range(name, getattr(self, name), 0, 1)
        for name in ("concentrations", "pulls"):
            _covers_dimensions(name, getattr(self, name))


def _in_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise SettingsError(
            "setting is out of range",
            column=f"simulate.{name}",
            value=str(value),
            remedy=f"choose {low} to {high}",
        )


def _covers_dimensions(name: str, by_dimension: Mapping[str, float]) -> None:
    if set(by_dimension) != set(DIMENSIONS) or min(by_dimension.values()) <= 0:
        raise SettingsError(
            "setting needs one positive number per dimension",
            column=f"simulate.{name}",
            value=str(dict(by_dimension)),
            remedy=f"give {', '.join(DIMENSIONS)}",
        )
