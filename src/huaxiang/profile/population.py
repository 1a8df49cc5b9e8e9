"""What everybody likes: the share of each value among all shoppers, kept as daily counts.

The counts learn with each event; the shares follow when they are renewed, so that a profile doesn't change
within the moment that it is rounded to. How much shoppers differ (`alphas`) is learnt at the next retraining.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from huaxiang.errors import ArtefactError
from huaxiang.knowledge.graph.tree import CATEGORY, FAMILY
from huaxiang.profile.acts import DAY_MS, weigh
from huaxiang.profile.state import StateEvent
from huaxiang.profile.values import Values, renumbered, values_of
from huaxiang.profile.weights import Config, default_alpha
from huaxiang.records import EventType
from huaxiang.shop.catalogue import Catalogue

if TYPE_CHECKING:
    import polars as pl

VERSION = 1
SMOOTHING = 0.5
"""Purchases that every value is given before counting, so that no share is 0."""

ALPHA_RANGE = (0.5, 100.0)
MOST_DAYS = 90
"""Days since the build that are counted apart; of more, the oldest are counted into the day that follows."""
FEWEST_LIKINGS = 100
"""Likings after each shopper's first, over all shoppers, below which alpha is not learnt from them."""


@dataclass(frozen=True, kw_only=True)
class Population:
    """Daily counts of liking, and how much shoppers differ.

    Parameters
    ----------
    values
        The numbering of values; see `Values`.
    day_N, value_N, mass_N
        Days since 1970 in ascending order, value, and the weight of the liking events on that day.
    alphas
        Dimension → the prior's strength that explains how much shoppers differ, in purchases.
    repeat_share
        Share of what shoppers buy, after their first purchases, that they had bought before; 0 to 1.
    """

    values: Values
    day_N: NDArray[np.int32]
    value_N: NDArray[np.int32]
    mass_N: NDArray[np.float64]
    alphas: Mapping[str, float]
    repeat_share: float = 0.0
    _learnt: dict[int, dict[int, float]] = field(default_factory=dict, repr=False, compare=False)
    _by_day: dict[int | None, NDArray[np.float64]] = field(default_factory=dict, repr=False, compare=False)

    def shares(self, day: int | None = None) -> NDArray[np.float64]:
        """Return π of every value as known at the end of `day`, (V,), each above 0; None is at the end.

        Within a dimension they sum to a little less than 1: the rest is kept for values not yet seen.
        """
        if day not in self._by_day:
            if len(self._by_day) > 64:
                self._by_day.clear()
            self._by_day[day] = self._shares(day)
        return self._by_day[day]

    def learn(self, events: Sequence[StateEvent], *, config: Config | None = None) -> None:
        """Count more events; shares that were read already stay until `renew`."""
        type_E = np.array([event.type for event in events], dtype=np.int64)
        rating_E = np.array([event.rating for event in events], dtype=np.int64)
        like_E, _ = weigh(type_E, rating_E, config=config or Config())
        for event, like in zip(events, like_E.tolist(), strict=True):
            if like > 0 and event.item_no >= 0:
                self._count(event.item_no, event.occurred_ms // DAY_MS, like)

    def renew(self) -> None:
        """Let the shares be those of everything that was learnt."""
        self._by_day.clear()

    def _count(self, item_row: int, day: int, like: float) -> None:
        values = self.values
        own = slice(int(values.offsets[item_row]), int(values.offsets[item_row + 1]))
        learnt = self._learnt.setdefault(day, {})
        for value, weight in zip(values.value_N[own].tolist(), values.weight_N[own].tolist(), strict=True):
            learnt[value] = learnt.get(value, 0.0) + like * weight
        if len(self._learnt) > MOST_DAYS:
            oldest, following = sorted(self._learnt)[:2]
            kept = self._learnt[following]
            for value, mass in self._learnt.pop(oldest).items():
                kept[value] = kept.get(value, 0.0) + mass

    def _shares(self, day: int | None) -> NDArray[np.float64]:
        values = self.values
        n_rows = len(self.day_N) if day is None else int(np.searchsorted(self.day_N, day, side="right"))
        count_V = (
            np.bincount(self.value_N[:n_rows], self.mass_N[:n_rows], minlength=values.n_values) + SMOOTHING
        )
        for learnt_day, learnt in self._learnt.items():
            if day is None or learnt_day <= day:
                count_V[list(learnt)] += list(learnt.values())
        total_D = np.bincount(values.dimension_V, count_V, minlength=len(values.dimensions)) + SMOOTHING
        return values.families.sums(np.asarray(count_V / total_D[values.dimension_V]))

    def alpha(self, config: Config) -> NDArray[np.float64]:
        """Return the prior's strength of each dimension, (D,): as set, else as learnt, else the default."""
        named = (CATEGORY if dimension == FAMILY else dimension for dimension in self.values.dimensions)
        return np.array([self._alpha(dimension, config) for dimension in named])

    def _alpha(self, dimension: str, config: Config) -> float:
        stated = config.stated_alpha(dimension)
        return self.alphas.get(dimension, default_alpha(dimension)) if stated is None else stated

    @classmethod
    def from_events(
        cls, events: pl.DataFrame, catalogue: Catalogue, *, config: Config | None = None
    ) -> Population:
        """Count the events of all shoppers (columns of `shop.base.EVENT_COLUMNS`)."""
        config = config or Config()
        values = values_of(catalogue)
        item_E, day_E, like_E = _likings(events, config)
        day_N, value_N, mass_N = _daily(item_E, day_E, like_E, values)
        shopper_E = _codes(events["shopper_id"])
        alphas = _alphas(shopper_E[like_E > 0], item_E[like_E > 0], values)
        return cls(
            values=values,
            day_N=day_N,
            value_N=value_N,
            mass_N=mass_N,
            alphas=alphas,
            repeat_share=_repeat_share(events, catalogue),
        )

    @classmethod
    def empty(cls, catalogue: Catalogue) -> Population:
        """Return the population of a shop without events: every value of a dimension has the same share."""
        nothing = np.zeros(0, np.int32)
        return cls(values=values_of(catalogue), day_N=nothing, value_N=nothing, mass_N=np.zeros(0), alphas={})

    def save(self, folder: Path) -> None:
        """Write `population.safetensors` and `population.json`."""
        folder.mkdir(parents=True, exist_ok=True)
        day_N, value_N, mass_N = self._rows()
        arrays: dict[str, NDArray[Any]] = {"day": day_N, "value": value_N, "mass": mass_N}
        save_file(arrays, folder / "population.safetensors")
        about = {
            "version": VERSION,
            "alphas": dict(self.alphas),
            "repeat_share": self.repeat_share,
            "values": self._names(),
        }
        (folder / "population.json").write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")

    def _rows(self) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
        """Return day, value and mass of everything that was counted, in the order of days."""
        learnt = [(day, value, mass) for day, own in self._learnt.items() for value, mass in own.items()]
        day_N = np.concatenate([self.day_N, np.array([day for day, _, _ in learnt], np.int32)])
        value_N = np.concatenate([self.value_N, np.array([value for _, value, _ in learnt], np.int32)])
        mass_N = np.concatenate([self.mass_N, np.array([mass for _, _, mass in learnt], np.float64)])
        order = np.argsort(day_N, kind="stable")
        return day_N[order], value_N[order], mass_N[order]

    def _names(self) -> list[list[object]]:
        """Return dimension and values of all that was counted, so that another numbering can take it over."""
        used = np.unique(self._rows()[1])
        return [[int(v), self.values.dimension(v), self.values.names[v]] for v in used]

    @classmethod
    def load(cls, folder: Path, catalogue: Catalogue) -> Population:
        """Return what `save` wrote, numbered as `catalogue` numbers its values; values it lost are left out.

        Raises
        ------
        ArtefactError
            When a file is missing, cut short or of a newer version.
        """
        try:
            about = json.loads((folder / "population.json").read_text(encoding="utf-8"))
            arrays = load_file(folder / "population.safetensors")
        except (OSError, ValueError, SafetensorError) as error:
            raise ArtefactError(
                "population can't be read", file=str(folder / "population.json"), remedy="build the run again"
            ) from error
        if about["version"] > VERSION:
            raise ArtefactError(
                "population was written by a newer version",
                file=str(folder / "population.json"),
                value=str(about["version"]),
                remedy="upgrade huaxiang",
            )
        values = values_of(catalogue)
        new_row = {old: values.row_of.get((dimension, name), -1) for old, dimension, name in about["values"]}
        value_N = np.array([new_row[int(old)] for old in arrays["value"]], np.int32)
        kept = value_N >= 0
        return cls(
            values=values,
            day_N=arrays["day"][kept],
            value_N=value_N[kept],
            mass_N=arrays["mass"][kept],
            alphas=about["alphas"],
            repeat_share=float(about.get("repeat_share", 0.0)),
        )

    def with_catalogue(self, catalogue: Catalogue) -> Population:
        """Return the same counts over another catalogue, for example after items joined it."""
        values = renumbered(self.values, catalogue)
        names = list(zip(self.values.dimension_V.tolist(), self.values.names, strict=True))
        new_V = np.array(
            [values.row_of.get((self.values.dimensions[d], name), -1) for d, name in names], np.int32
        )
        day_N, value_N, mass_N = self._rows()
        value_N = new_V[value_N]
        kept = value_N >= 0
        return Population(
            values=values,
            day_N=day_N[kept],
            value_N=value_N[kept],
            mass_N=mass_N[kept],
            alphas=self.alphas,
            repeat_share=self.repeat_share,
        )


def _codes(column: pl.Series) -> NDArray[np.int64]:
    return column.rank("dense").to_numpy().astype(np.int64)


def _repeat_share(events: pl.DataFrame, catalogue: Catalogue) -> float:
    """Return the share of purchases, after each shopper's first, of a product they had bought earlier.

    What was bought on one day counts once: the lines of an order may differ by seconds. Where only an order
    is known, each event is a day.
    """
    import polars as pl

    bought = events.filter((pl.col("type") == EventType.PURCHASE.code) & (pl.col("item_row") >= 0))
    if not len(bought):
        return 0.0
    day = pl.int_range(pl.len()) if catalogue.order_only else pl.col("occurred_at").dt.truncate("1d")
    product = pl.Series("product", catalogue.group_rows[bought["item_row"].to_numpy()])
    bought = bought.with_columns(product, day.alias("day")).unique(["shopper_id", "product", "day"])
    later = bought.with_columns(
        (pl.col("day") > pl.col("day").min().over("shopper_id")).alias("is_later"),
        (pl.col("day") > pl.col("day").min().over("shopper_id", "product")).alias("is_repeat"),
    ).filter("is_later")
    return float(later["is_repeat"].mean() or 0.0) if len(later) else 0.0  # type: ignore[arg-type]


def _likings(
    events: pl.DataFrame, config: Config
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return item, day and liking weight of each event; the weight is 0 where there is no item."""
    item_E = events["item_row"].to_numpy().astype(np.int64)
    type_E = events["type"].to_numpy().astype(np.int64)
    rating_E = np.round(10 * events["rating"].fill_null(0.0).to_numpy().astype(np.float64)).astype(np.int64)
    occurred_ms_E = events["occurred_at"].dt.epoch("ms").fill_null(0).to_numpy()
    like_E, _ = weigh(type_E, rating_E, config=config)
    like_E[item_E < 0] = 0.0
    return item_E, occurred_ms_E // DAY_MS, like_E


def _daily(
    item_E: NDArray[np.int64], day_E: NDArray[np.int64], like_E: NDArray[np.float64], values: Values
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
    n_items = max(1, values.catalogue.n_items)
    kept = like_E > 0
    cell, row = np.unique(day_E[kept] * n_items + item_E[kept], return_inverse=True)
    mass = np.bincount(row, like_E[kept], minlength=len(cell))
    at, owner = _spread(cell % n_items, values)
    cell_N = (cell // n_items)[owner] * values.n_values + values.value_N[at]
    kept_N, row_N = np.unique(cell_N, return_inverse=True)
    mass_N = np.asarray(
        np.bincount(row_N, mass[owner] * values.weight_N[at], minlength=len(kept_N)), np.float64
    )
    n_values = max(1, values.n_values)
    return (kept_N // n_values).astype(np.int32), (kept_N % n_values).astype(np.int32), mass_N


def _spread(items: NDArray[np.int64], values: Values) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the entries of the items, and which item each belongs to."""
    first, counts = values.offsets[items], values.offsets[items + 1] - values.offsets[items]
    owner = np.repeat(np.arange(len(items)), counts)
    at = np.arange(len(owner)) + np.repeat(first - (np.cumsum(counts) - counts), counts)
    return at, owner


def _alphas(shopper_E: NDArray[np.int64], item_E: NDArray[np.int64], values: Values) -> dict[str, float]:
    """Return, by dimension, the strength of the Dirichlet prior that shoppers' different tastes show.

    Two likings of one shopper agree with probability q = (1 + α S) / (1 + α), S = Σ π²: so
    α = (1 − q) / (q − S). Each shopper's different items count once each, and a shopper by their number,
    not by its square.

    Source
    ------
    Moment estimate of the Dirichlet-multinomial; Minka, Estimating a Dirichlet distribution, 2000,
    section 4, there by each value's variance, here by their sum.
    """
    n_items = max(1, values.catalogue.n_items)
    pairs = np.unique(shopper_E * n_items + item_E)
    at, owner = _spread(pairs % n_items, values)
    shopper_N, value_N, weight_N = (pairs // n_items)[owner], values.value_N[at], values.weight_N[at]
    cell_N, row_N = np.unique(shopper_N * max(1, values.n_values) + value_N, return_inverse=True)
    mass, squares = np.bincount(row_N, weight_N), np.bincount(row_N, weight_N**2)
    value, shopper = cell_N % max(1, values.n_values), cell_N // max(1, values.n_values)
    alphas = {}
    for d, dimension in enumerate(values.dimensions):
        of_d = (value >= values.first_D[d]) & (value < values.first_D[d + 1])
        learnt = _alpha_of(mass[of_d], squares[of_d], value[of_d], shopper[of_d])
        if learnt is not None:
            alphas[dimension] = learnt
    return alphas


def _alpha_of(
    mass: NDArray[np.float64],
    squares: NDArray[np.float64],
    value: NDArray[np.int64],
    shopper: NDArray[np.int64],
) -> float | None:
    if not len(mass):
        return None
    by_shopper = np.unique(shopper, return_inverse=True)[1]
    total, ones = np.bincount(by_shopper, mass), np.bincount(by_shopper, squares)
    agreeing = np.bincount(by_shopper, mass**2 - squares)
    possible = total**2 - ones
    if (possible / total).sum() < FEWEST_LIKINGS:
        return None
    shares = np.bincount(value - value.min(), mass) / mass.sum()
    agree = float((agreeing / total).sum() / (possible / total).sum())
    by_chance = float((shares**2).sum())
    low, high = ALPHA_RANGE
    if agree <= by_chance:
        return high
    return float(np.clip((1 - agree) / (agree - by_chance), low, high))
