"""Whether profiles foretell: the shares that facets claim, as forecasts of what is bought next."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from huaxiang.metrics import accuracy, auc, log_loss
from huaxiang.profile.population import Population
from huaxiang.records import Profile
from huaxiang.shop.catalogue import Catalogue, Dimension

FEWEST_OUTCOMES = 50
Floats = NDArray[np.float64]


def forecasts(
    profiles: Sequence[Profile],
    bought: Sequence[NDArray[np.int32]],
    catalogue: Catalogue,
    population: Population,
) -> list[dict[str, float | str]]:
    """Return, per dimension, how well the profile and the population foretell the values of what is bought.

    A row has `dimension`, `n` (values of items bought), and, for the profile and as `population_…` for
    everybody's shares: `accuracy` of the likeliest value, `auc` (mean over shoppers: a value that is bought
    is thought likelier than one that is not) and `log_loss` in nats. Few outcomes make no row.

    Parameters
    ----------
    profiles
        Of shoppers as of a moment.
    bought
        Rows of the items that each of them took after it.
    population
        As known at that moment.
    """
    rows: list[dict[str, float | str]] = []
    shares_V = population.shares()
    first_D = population.values.first_D
    for name, dimension in catalogue.dimensions.items():
        outcomes = [_values(dimension, items) for items in bought]
        n_outcomes = sum(map(len, outcomes))
        if n_outcomes < FEWEST_OUTCOMES:
            continue
        first = first_D[population.values.dimensions.index(name)]
        common_V = shares_V[first : first + len(dimension.values)]  # after them come values of words alone
        claimed_UV = np.stack([_claimed(profile, dimension, common_V) for profile in profiles])
        common_UV = np.broadcast_to(common_V / common_V.sum(), claimed_UV.shape)
        figures, of_all = _figures(claimed_UV, outcomes), _figures(common_UV, outcomes)
        if np.isfinite(figures["auc"]):  # else nobody left a value unbought, so nothing could be foretold
            beside = {f"population_{key}": figure for key, figure in of_all.items()}
            rows.append({"dimension": name, "n": n_outcomes, **figures, **beside})
    return rows


def _values(dimension: Dimension, items: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the value of each item, once for each where an item has several."""
    own = [dimension.value_rows[dimension.offsets[row] : dimension.offsets[row + 1]] for row in items]
    return np.concatenate(own).astype(np.int64) if own else np.zeros(0, np.int64)


def _claimed(profile: Profile, dimension: Dimension, common_V: Floats) -> Floats:
    """Return the chance of each value: as facets claim, and what they leave as everybody shares it."""
    claimed_V = np.zeros(len(common_V))
    for facet in profile.facets:
        if facet.dimension == dimension.name and facet.side == "liked" and facet.value in dimension.row_of:
            claimed_V[dimension.row_of[facet.value]] = facet.share
    rest_V = np.where(claimed_V > 0, 0.0, common_V)
    left = max(1.0 - claimed_V.sum(), 0.0)
    chance_V = claimed_V + left * rest_V / max(rest_V.sum(), np.finfo(float).tiny)
    return np.asarray(chance_V / chance_V.sum())


def _figures(chance_UV: Floats, outcomes: Sequence[NDArray[np.int64]]) -> dict[str, float]:
    shopper_N = np.repeat(np.arange(len(outcomes)), [len(values) for values in outcomes])
    value_N = np.concatenate(outcomes)
    n_values = chance_UV.shape[1]
    each = [
        auc(chance_V, np.bincount(values, minlength=n_values) > 0)
        for chance_V, values in zip(chance_UV, outcomes, strict=True)
        if 0 < len(np.unique(values)) < n_values
    ]
    return {
        "accuracy": accuracy(chance_UV.argmax(axis=1)[shopper_N], value_N),
        "auc": float(np.mean(each)) if each else float("nan"),
        "log_loss": log_loss(chance_UV[shopper_N], value_N),
    }
