"""What a model's catalogue is joined to: the product graph, and the shelf that lists are made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from huaxiang.knowledge.graph import Graph, Together
from huaxiang.ranking.base import Shelf

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
