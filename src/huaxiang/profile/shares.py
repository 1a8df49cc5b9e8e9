"""The inferred share of every value of every dimension, those never met included."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from huaxiang.profile.acts import LIKED, acts_of
from huaxiang.profile.contents import Contents
from huaxiang.profile.derive import count, now_in_ms
from huaxiang.profile.population import Population
from huaxiang.profile.said import hear
from huaxiang.profile.sensitive import without_sensitive
from huaxiang.profile.state import ProfileState
from huaxiang.profile.weights import Config


def share_of_values(
    state: ProfileState,
    population: Population,
    *,
    contents: Contents,
    now: datetime | None,
    config: Config | None = None,
) -> Mapping[str, NDArray[np.float64]]:
    """Return, by dimension, the posterior mean of the shopper's liking share of each of its values, (V,).

    What a facet's `share` is for the values shown, for all of them: for calibrating lists, and for comparing
    shoppers. Values follow the catalogue's order, then the lexicon's.
    """
    config, values = config or Config(), population.values
    n_items = values.catalogue.n_items
    state = without_sensitive(state, values.sensitive(config), contents)
    acts = acts_of(state, n_items=n_items, now_ms=now_in_ms(state, now), config=config)
    no_looks_ID = np.zeros((0, 0), np.float32)
    heard = hear(acts, values, contents, item_vectors_ID=no_looks_ID, config=config)
    counted = count(acts, heard, population, now=now, config=config)
    liked = (counted.code_K & 1) == LIKED
    alpha_D = population.alpha(config)
    strength_D = alpha_D.copy()
    strength_D[counted.group_K[liked] >> 1] = counted.strength_K[liked]
    prior_V = population.shares(None if now is None else now_in_ms(state, now) // 86_400_000)
    share_V = prior_V * (alpha_D / strength_D)[values.dimension_V]
    share_V[counted.code_K[liked] >> 1] = counted.share_K[liked]
    return {
        name: share_V[first:last]
        for name, first, last in zip(values.dimensions, values.first_D[:-1], values.first_D[1:], strict=True)
    }
