"""What a model is read through: the product graph, the shelf of lists, and itself with nobody in it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from huaxiang.knowledge.graph import Graph, Together
from huaxiang.model.items import SEARCHABLE
from huaxiang.profile.contents import Contents
from huaxiang.profile.states import States
from huaxiang.ranking.base import Shelf
from huaxiang.records import EventType, Vector

if TYPE_CHECKING:
    from huaxiang.model.whole import Model


def graph_of(model: Model) -> Graph:
    """Return the product graph of a model's catalogue; see `Model.graph`."""
    return Graph(
        catalogue=model.catalogue,
        together=model.together or Together.nothing(model.catalogue.n_items),
        vectors_ID=model.vectors["fused"],
        config=model.settings.graph,
    )


def shelf_of(model: Model) -> Shelf:
    """Return what ranking reads of the catalogue, and of the graph where reasons speak of it."""
    return Shelf(
        catalogue=model.catalogue,
        vectors_ID=model.vectors["fused"],
        popularity_I=model.popularity,
        relate=model.graph.relation if model.settings.graph.explain else None,
    )


def popularity_of(events: pl.DataFrame, n_items: int) -> Vector:
    """Return how often each item was bought, 1 for the one bought most, (I,)."""
    bought = events.filter(pl.col("type") == EventType.PURCHASE.code)["item_row"]
    counts_I = np.bincount(bought.to_numpy(), minlength=n_items)
    return np.asarray(counts_I / max(int(counts_I.max(initial=0)), 1), dtype=np.float32)


def without_shoppers(model: Model) -> Model:
    """Return the model with nobody's events, states and words in it; see `Model.without_shoppers`."""
    shop = replace(model.shop, events=model.shop.events.clear(), quarantine=model.shop.quarantine.clear())
    nobody = replace(
        model,
        shop=shop,
        states=States.of({}, order_only=model.catalogue.order_only),
        contents=Contents(),
        trial=None,
    )
    made = {name: model.__dict__[name] for name in SEARCHABLE if name in model.__dict__}
    return nobody.knowing(popularity=model.popularity, **made)
