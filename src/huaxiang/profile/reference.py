"""What a profile vector is measured against: the shop's other shoppers, and what such shoppers did next.

Learnt at each fit from the states themselves, as they were at several moments, in closed forms:

- mean and spread of every habit, so that a number says how unusual a shopper is, not how the unit was chosen;
- the outlook: from habits to whether and for how much a shopper buys within the next 14 days, a ridge
  regression over the newest windows of the log, each foretold from what was known at its beginning;
- item factors: the right singular vectors of the shopper × item matrix of log(1 + liking), so that items that
  go together lie together whatever their words and photos say;
- the categories that are liked most.

Nothing of it belongs to one shopper, and nothing sensitive is learnt from.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from huaxiang.errors import ArtefactError
from huaxiang.profile.acts import DAY_MS, Acts, acts_of
from huaxiang.profile.bulk import build_states
from huaxiang.profile.contents import Contents
from huaxiang.profile.habits import N_HABITS, habits_of, quantities_of
from huaxiang.profile.sensitive import without_sensitive
from huaxiang.profile.state import NO_ITEM, PURCHASE, ProfileState
from huaxiang.profile.values import THINGS, Values
from huaxiang.profile.weights import DEFAULTS
from huaxiang.profile.weights import Config as ProfileConfig
from huaxiang.records import Matrix, Vector

if TYPE_CHECKING:
    import polars as pl

VERSION = 1
FILE = "reference"
N_FACTORS = 64
N_CATEGORIES = 96
HORIZON_DAYS = 14
N_WINDOWS = 6
MOST_SHOPPERS = 10_000
"""Shoppers who are learnt from, drawn at random where there are more."""
RIDGE = 0.01
CLIP = 5.0
"""Standard deviations beyond which a habit is not followed."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Reference:
    """The shop's shoppers as the vector of one of them is measured against.

    Parameters
    ----------
    mean_H, spread_H
        Of each habit over the shoppers; a spread of 0 is a habit in which all are alike.
    outlook_HO
        From standardised habits and a 1 to whether, and log(1 + how much), is bought next; (H + 1, 2).
    outlook_spread_O
        Standard deviation of either over the shoppers.
    price_I
        Mean price paid for each item, in minor units; 0 where none was sold.
    factors_IF
        (I, 64), zero for items that nobody who is learnt from had.
    categories
        Names of the categories liked most, first the most liked.
    sizes
        Root of the mean squared distance from the mean of the factors', and of the categories', sums.
    """

    mean_H: Vector
    spread_H: Vector
    outlook_HO: Matrix
    outlook_spread_O: Vector
    price_I: Vector
    factors_IF: Matrix
    categories: tuple[str, ...]
    sizes: Vector
    _found: list[tuple[Values, NDArray[np.int64]]] = field(default_factory=list, repr=False, compare=False)

    @cached_property
    def _is_telling(self) -> NDArray[np.bool_]:
        return self.spread_H > 1e-6

    @classmethod
    def empty(cls) -> Reference:
        """Return what is known of a shop without shoppers: habits stay as they are, all else is zero."""
        return cls(
            mean_H=np.zeros(N_HABITS, np.float32),
            spread_H=np.ones(N_HABITS, np.float32),
            outlook_HO=np.zeros((N_HABITS + 1, 2), np.float32),
            outlook_spread_O=np.ones(2, np.float32),
            price_I=np.zeros(0, np.float32),
            factors_IF=np.zeros((0, N_FACTORS), np.float32),
            categories=(),
            sizes=np.ones(2, np.float32),
        )

    def standardised(self, habits_H: Vector) -> Vector:
        """Return the habits in standard deviations from the mean, within ±5; where all are alike 0."""
        apart_H = (habits_H - self.mean_H) / np.where(self._is_telling, self.spread_H, 1)
        return np.asarray(np.clip(np.where(self._is_telling, apart_H, 0), -CLIP, CLIP), np.float32)

    def outlook(self, standardised_H: Vector) -> Vector:
        """Return how much likelier, and for how much more, the shopper buys next, in standard deviations."""
        foretold_O = np.append(standardised_H, np.float32(1)) @ self.outlook_HO
        return np.asarray(foretold_O / self.outlook_spread_O, np.float32)

    def factor_sum(self, state: ProfileState, acts: Acts, *, hidden: Collection[int] = ()) -> Vector:
        """Return the sum of log(1 + liking) times factors over the shopper's items but the hidden, (64,)."""
        items, liking = likings_of(state, acts, n_items=len(self.factors_IF), hidden=hidden)
        return np.asarray(liking.astype(np.float32) @ self.factors_IF[items] / self.sizes[0], np.float32)

    def category_sum(self, acts: Acts, values: Values) -> Vector:
        """Return log(1 + liking) of each of the categories liked most, (96,)."""
        masses = category_masses(acts, values, self._places(values))
        return np.asarray(masses / self.sizes[1], np.float32)

    def _places(self, values: Values) -> NDArray[np.int64]:
        """Return each value's place among the categories, (V,); found once per catalogue."""
        for known, place_V in self._found:
            if known is values:
                return place_V
        place_V = places_of(self.categories, values)
        self._found[:] = [(values, place_V)]
        return place_V

    def save(self, folder: Path) -> None:
        """Write `reference.safetensors` and `reference.json`."""
        folder.mkdir(parents=True, exist_ok=True)
        arrays: dict[str, NDArray[Any]] = {name: getattr(self, name) for name in _ARRAYS}
        save_file(
            {name: np.ascontiguousarray(array) for name, array in arrays.items()},
            folder / f"{FILE}.safetensors",
        )
        said = json.dumps({"version": VERSION, "categories": self.categories}, ensure_ascii=False)
        (folder / f"{FILE}.json").write_text(said, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Reference:
        """Return what `save` wrote; the empty one for a run that was built before there was any.

        Raises
        ------
        ArtefactError
            When a file is cut short, or of a newer version.
        """
        file = folder / f"{FILE}.json"
        if not file.exists():
            return cls.empty()
        try:
            said = json.loads(file.read_text(encoding="utf-8"))
            arrays = load_file(folder / f"{FILE}.safetensors")
            known: dict[str, Any] = {name: arrays[name] for name in _ARRAYS}
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise ArtefactError(
                "reference can't be read", file=str(file), remedy="build the run again"
            ) from error
        if said["version"] > VERSION:
            raise ArtefactError(
                "reference was written by a newer version",
                file=str(file),
                value=str(said["version"]),
                remedy="upgrade huaxiang",
            )
        return cls(categories=tuple(said["categories"]), **known)


_ARRAYS = ("mean_H", "spread_H", "outlook_HO", "outlook_spread_O", "price_I", "factors_IF", "sizes")


def learn_reference(
    events: pl.DataFrame,
    values: Values,
    *,
    order_only: bool,
    config: ProfileConfig = DEFAULTS,
    seed: int = 0,
) -> Reference:
    """Return the reference of a table of events (`shop.base.EVENT_COLUMNS`), as of its newest event.

    Shops that know only an order have no outlook.

    Parameters
    ----------
    seed
        Of the draw of shoppers where there are more than 10,000.
    """
    if not len(events):
        return Reference.empty()
    events = _of_some(events, seed=seed)
    price_I = _prices(events, values.catalogue.n_items)
    reader = _Reader(values, price_I, Contents.of_events(events), config, order_only=order_only)
    now_ms = 0 if order_only else int(events["occurred_at"].dt.epoch("ms").to_numpy().max())
    known = list(reader.read(events, now_ms))
    habits_UH = np.stack([habits for _, _, habits in known]).astype(np.float64)
    mean_H, spread_H = (
        np.asarray(figure_H, np.float32) for figure_H in (habits_UH.mean(axis=0), habits_UH.std(axis=0))
    )
    scale = replace(Reference.empty(), mean_H=mean_H, spread_H=spread_H)
    outlook_HO = np.zeros((N_HABITS + 1, 2)) if order_only else _outlook(events, reader, scale, now_ms)
    standardised_UH = np.stack([scale.standardised(habits) for habits in habits_UH])
    spread_O = (np.hstack([standardised_UH, np.ones((len(known), 1))]) @ outlook_HO).std(axis=0)
    hidden = values.sensitive(config).items
    likings = [
        likings_of(state, acts, n_items=values.catalogue.n_items, hidden=hidden) for state, acts, _ in known
    ]
    factors_IF, factor_size = _factors(likings, values.catalogue.n_items)
    categories, category_size = _categories([acts for _, acts, _ in known], values)
    return Reference(
        mean_H=mean_H,
        spread_H=spread_H,
        outlook_HO=outlook_HO.astype(np.float32),
        outlook_spread_O=np.where(spread_O > 1e-9, spread_O, 1).astype(np.float32),
        price_I=price_I,
        factors_IF=factors_IF,
        categories=categories,
        sizes=np.array([factor_size, category_size], np.float32),
    )


def likings_of(
    state: ProfileState, acts: Acts, *, n_items: int, hidden: Collection[int] = ()
) -> tuple[NDArray[np.int64], Floats]:
    """Return the items a state likes or has bought before its newest events, and log(1 + liking) of each.

    An item that was bought so long ago that only its number is left counts as one purchase. The number of a
    sensitive item is left as well, so that it isn't offered again: `hidden` takes it out.
    """
    likes = (acts.item_E >= 0) & (acts.item_E < n_items) & (acts.like_E > 0)
    old = (item for item in state.bought if NO_ITEM < item < n_items and item not in hidden)
    before = np.fromiter(old, np.int64)
    rows = np.concatenate([acts.item_E[likes], before])
    items, place = np.unique(rows, return_inverse=True)
    mass = np.bincount(place, np.concatenate([acts.like_E[likes], np.ones(len(before))]), len(items))
    return items.astype(np.int64), np.log1p(mass)


def category_masses(acts: Acts, values: Values, place_V: NDArray[np.int64]) -> Floats:
    """Return log(1 + liking) by place, (96,)."""
    likes = np.flatnonzero((acts.item_E >= 0) & (acts.like_E > 0))
    items = acts.item_E[likes]
    counts = values.counts_I[items]
    which_N = np.repeat(np.arange(len(likes)), counts)
    at_N = np.arange(len(which_N)) + (values.offsets[items] - np.cumsum(counts) + counts)[which_N]
    weight_N = acts.like_E[likes][which_N] * values.weight_N[at_N]
    masses = np.bincount(place_V[values.value_N[at_N]], weight_N, minlength=N_CATEGORIES + 1)
    return np.log1p(masses[:N_CATEGORIES])


def places_of(categories: Sequence[str], values: Values) -> NDArray[np.int64]:
    """Return each value's place among some categories, (V,); `N_CATEGORIES` where it has none."""
    place_V = np.full(max(1, values.n_values), N_CATEGORIES, np.int64)
    for place, name in enumerate(categories):
        row = values.row_of.get((THINGS, name))
        if row is not None:
            place_V[row] = place
    return place_V


@dataclass(frozen=True)
class _Reader:
    """Reads states of the shop as a profile does: nothing sensitive, weighed as of a moment."""

    values: Values
    price_I: Vector
    contents: Contents
    config: ProfileConfig
    order_only: bool = field(kw_only=True)

    def read(self, events: pl.DataFrame, now_ms: int) -> Iterator[tuple[ProfileState, Acts, Vector]]:
        """Yield state, acts and habits of every shopper, sorted by their id."""
        sensitive = self.values.sensitive(self.config)
        states = build_states(events, order_only=self.order_only)
        for shopper_id in states.table()["shopper_id"]:
            state = without_sensitive(states.state(shopper_id), sensitive, self.contents)
            n_items = self.values.catalogue.n_items
            acts = acts_of(state, n_items=n_items, now_ms=now_ms, config=self.config)
            quantity_E = quantities_of(state)
            yield state, acts, habits_of(state, acts, quantity_E=quantity_E, price_I=self.price_I)


def _of_some(events: pl.DataFrame, *, seed: int) -> pl.DataFrame:
    """Return the events of known shoppers, of some where there are many; of everybody where none is known."""
    import polars as pl

    known = events.filter(~pl.col("anonymous")) if "anonymous" in events.columns else events
    known = known if len(known) else events
    ids = known["shopper_id"].unique().sort()
    if len(ids) > MOST_SHOPPERS:
        ids = ids.gather(np.sort(np.random.default_rng(seed).permutation(len(ids))[:MOST_SHOPPERS]))
        known = known.filter(pl.col("shopper_id").is_in(ids.implode()))
    return known


def _prices(events: pl.DataFrame, n_items: int) -> Vector:
    import polars as pl

    sold = events.filter(
        (pl.col("type") == PURCHASE) & (pl.col("item_row") >= 0) & pl.col("price_minor").is_not_null()
    )
    rows = sold["item_row"].to_numpy().astype(np.int64)
    paid_I = np.bincount(rows, sold["price_minor"].to_numpy().astype(np.float64), minlength=n_items)
    return np.asarray(paid_I / np.maximum(np.bincount(rows, minlength=n_items), 1), np.float32)


def _outlook(events: pl.DataFrame, reader: _Reader, scale: Reference, now_ms: int) -> Floats:
    """Return the ridge regression from habits to what came in the 14 days after, over the newest windows."""
    import polars as pl

    occurred_ms = pl.col("occurred_at").dt.epoch("ms")
    lessons, answers = [], []
    for number in range(1, N_WINDOWS + 1):
        at_ms = now_ms - number * HORIZON_DAYS * DAY_MS
        before = events.filter(occurred_ms <= at_ms)
        if not len(before):
            break
        ids = build_states(before, order_only=False).table()["shopper_id"].to_list()
        lessons.append(np.stack([scale.standardised(habits) for _, _, habits in reader.read(before, at_ms)]))
        after = events.filter(
            (occurred_ms > at_ms)
            & (occurred_ms <= at_ms + HORIZON_DAYS * DAY_MS)
            & (pl.col("type") == PURCHASE)
        )
        answers.append(_bought(after, ids))
    if not lessons:
        return np.zeros((N_HABITS + 1, 2))
    given, wanted = np.vstack(lessons).astype(np.float64), np.vstack(answers)
    given = np.hstack([given, np.ones((len(given), 1))])
    penalty = RIDGE * len(given) * np.eye(given.shape[1])
    penalty[-1, -1] = 1e-9  # the mean is not pulled towards 0
    return np.asarray(np.linalg.solve(given.T @ given + penalty, given.T @ wanted))


def _bought(after: pl.DataFrame, ids: Sequence[str]) -> Floats:
    """Return whether, and log(1 + for how much), each shopper bought, (U, 2)."""
    row_of = {shopper_id: row for row, shopper_id in enumerate(ids)}
    bought_U2 = np.zeros((len(ids), 2))
    quantity = after["quantity"].fill_null(1).abs().to_numpy()
    spent = quantity * after["price_minor"].fill_null(0).to_numpy() / 100
    for shopper_id, paid in zip(after["shopper_id"], spent.tolist(), strict=True):
        row = row_of.get(shopper_id)
        if row is not None:
            bought_U2[row] += (1, max(paid, 0))
    bought_U2[:, 0] = bought_U2[:, 0] > 0
    bought_U2[:, 1] = np.log1p(bought_U2[:, 1])
    return bought_U2


def _factors(likings: Sequence[tuple[NDArray[np.int64], Floats]], n_items: int) -> tuple[Matrix, float]:
    """Return the item factors, and the spread of the sums that shoppers have from them."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.linalg import svds

    lengths = [len(items) for items, _ in likings]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    rows = np.concatenate([items for items, _ in likings])
    cells = np.concatenate([liking for _, liking in likings])
    matrix_UI = csr_matrix((cells, rows, offsets), shape=(len(likings), n_items))
    factors_IF = np.zeros((n_items, N_FACTORS), np.float32)
    n_factors = min(N_FACTORS, *(size - 1 for size in matrix_UI.shape))
    if n_factors < 1 or not matrix_UI.nnz:
        return factors_IF, 1.0
    start = np.random.default_rng(0).standard_normal(min(matrix_UI.shape))
    _, strength_F, right_FI = svds(matrix_UI, k=n_factors, v0=start)
    order = np.argsort(-strength_F)
    right_FI = right_FI[order]
    sign_F = np.sign(right_FI[np.arange(n_factors), np.abs(right_FI).argmax(axis=1)])
    factors_IF[:, :n_factors] = (right_FI * sign_F[:, None]).T
    factors_IF[np.bincount(rows, minlength=n_items) == 0] = 0.0  # not only up to rounding
    return factors_IF, _size(matrix_UI @ factors_IF)


def _categories(known: Sequence[Acts], values: Values) -> tuple[tuple[str, ...], float]:
    """Return the categories that most is liked of, and the spread of what shoppers have of them."""
    first, last = min(values.things, default=0), max(values.things, default=-1)
    mass_V = np.zeros(max(1, values.n_values))
    for acts in known:
        for item, like in zip(acts.item_E.tolist(), acts.like_E.tolist(), strict=True):
            if item >= 0 and like > 0:
                own = slice(int(values.offsets[item]), int(values.offsets[item + 1]))
                mass_V[values.value_N[own]] += like * values.weight_N[own]
    liked = first + np.argsort(-mass_V[first : last + 1], kind="stable")[:N_CATEGORIES]
    categories = tuple(values.names[value] for value in liked.tolist() if mass_V[value] > 0)
    place_V = places_of(categories, values)
    return categories, _size(np.stack([category_masses(acts, values, place_V) for acts in known]))


def _size(rows: NDArray[Any]) -> float:
    """Return the root of the mean squared distance of rows from their mean; 1 where all are alike."""
    size = float(np.sqrt(((rows - rows.mean(axis=0)) ** 2).sum(axis=1).mean()))
    return size if size > 1e-9 else 1.0
