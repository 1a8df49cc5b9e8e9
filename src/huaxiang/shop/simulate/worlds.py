"""Worlds so plain that the best possible guess of a taste can be computed, to measure ours against.

A world has one dimension with V values. Its population share π falls off as 1/rank; a shopper's taste is
Dirichlet(concentration · V · π); each of the shopper's events has one value, drawn from the taste.
Given the first n events, of which n_v have value v, the posterior mean of the taste is exactly
(n_v + a_v) / (n + Σ a), a = concentration · V · π: no method can have a smaller mean squared error.

The nine fixed worlds (5, 20, 50 values × concentrations 0.1, 0.3, 1.0) have the same shoppers and events,
so that together they are one shop whose items have nine dimensions. They were fixed before anything was
measured on them and are not to be changed; a different question gets a different world.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

N_VALUES = (5, 20, 50)
CONCENTRATIONS = (0.1, 0.3, 1.0)
N_SHOPPERS = 400
N_EVENTS = 100
SEED = 20250106


@dataclass(frozen=True, kw_only=True)
class TasteWorld:
    """Events of shoppers whose tastes are known, and what generated them.

    Parameters
    ----------
    name
        "v20_c0.3": 20 values, concentration 0.3.
    population_V
        π, float64 (V,), sums to 1: the mean of the tastes.
    concentration
        Mean Dirichlet parameter per value; small is choosy.
    tastes_UV
        float64 (U, V), rows sum to 1.
    values_UE
        int32 (U, E): the value of each event, in order.
    """

    name: str
    population_V: NDArray[np.float64]
    concentration: float
    tastes_UV: NDArray[np.float64]
    values_UE: NDArray[np.int32]

    @property
    def prior(self) -> NDArray[np.float64]:
        """The Dirichlet parameters a that every taste was drawn with, (V,)."""
        return self.concentration * len(self.population_V) * self.population_V

    def counts(self, n_events: int) -> NDArray[np.float64]:
        """Return how often each shopper met each value in the first `n_events` events, (U, V)."""
        n_shoppers, n_values = self.tastes_UV.shape
        cells = np.arange(n_shoppers)[:, None] * n_values + self.values_UE[:, :n_events]
        counts = np.bincount(cells.ravel(), minlength=n_shoppers * n_values)
        return counts.reshape(n_shoppers, n_values).astype(np.float64)

    def oracle(self, n_events: int) -> NDArray[np.float64]:
        """Return the exact posterior mean of every taste after `n_events` events, (U, V)."""
        posterior_UV = self.counts(n_events) + self.prior
        return np.asarray(posterior_UV / posterior_UV.sum(axis=1, keepdims=True))


def taste_world(
    n_values: int,
    concentration: float,
    n_events: int = N_EVENTS,
    n_shoppers: int = N_SHOPPERS,
    seed: int = SEED,
) -> TasteWorld:
    """Return one world, the same for the same arguments.

    Examples
    --------
    >>> world = taste_world(5, 0.3, n_events=30, n_shoppers=4)
    >>> world.values_UE.shape, world.oracle(30).shape
    ((4, 30), (4, 5))
    """
    rng = np.random.default_rng([seed, n_values, round(concentration * 1000)])
    weights = 1 / np.arange(1, n_values + 1)
    population_V = rng.permutation(weights / weights.sum())
    tastes_UV = dirichlet(concentration * n_values * population_V, n_shoppers, rng=rng)
    cumulative_UV = np.cumsum(tastes_UV, axis=1)
    cumulative_UV[:, -1] = 1.0
    draws_UE = rng.random((n_shoppers, n_events))
    values_UE = (draws_UE[:, :, None] >= cumulative_UV[:, None, :]).sum(axis=2, dtype=np.int32)
    return TasteWorld(
        name=f"v{n_values}_c{concentration:g}",
        population_V=population_V,
        concentration=concentration,
        tastes_UV=tastes_UV,
        values_UE=values_UE,
    )


def fixed_worlds(*, n_events: int = N_EVENTS, n_shoppers: int = N_SHOPPERS) -> tuple[TasteWorld, ...]:
    """Return the nine worlds that profiles are measured on; row u is the same shopper in all of them."""
    return tuple(taste_world(v, c, n_events, n_shoppers) for v in N_VALUES for c in CONCENTRATIONS)


def joint_items(worlds: tuple[TasteWorld, ...]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the items of one shop that has a dimension per world, and which item each event is about.

    Returns
    -------
    values_IW
        int32 (I, W): the item's value in each world; every combination that occurs is one item.
    item_rows_UE
        int32 (U, E).

    Examples
    --------
    >>> worlds = fixed_worlds(n_events=3, n_shoppers=2)
    >>> values_IW, item_rows_UE = joint_items(worlds)
    >>> bool((values_IW[item_rows_UE, 4] == worlds[4].values_UE).all())
    True
    """
    values_UEW = np.stack([world.values_UE for world in worlds], axis=-1)
    n_shoppers, n_events, n_worlds = values_UEW.shape
    values_IW, rows = np.unique(values_UEW.reshape(-1, n_worlds), axis=0, return_inverse=True)
    return values_IW, rows.reshape(n_shoppers, n_events).astype(np.int32)


def dirichlet(prior_V: NDArray[np.float64], n_draws: int, *, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return draws from Dirichlet(prior), (n_draws, V), without the underflow of tiny parameters.

    A Gamma(a) variable is a Gamma(a + 1) times U^(1/a); in logarithms nothing becomes 0/0.

    Source
    ------
    Marsaglia and Tsang, A simple method for generating gamma variables, ACM TOMS 2000, section 6.
    """
    boosted = np.log(rng.standard_gamma(prior_V + 1, size=(n_draws, len(prior_V))))
    logs = boosted + np.log1p(-rng.random(boosted.shape)) / prior_V
    shares = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))
