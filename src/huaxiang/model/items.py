"""The model of a shop of which some items changed: nothing is learnt anew, and what is known is kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from huaxiang.encoders.base import ImageInput
from huaxiang.fusion.base import Parts
from huaxiang.fusion.renewed import Readers, renewed_vectors
from huaxiang.knowledge.graph.tree import tree_of
from huaxiang.records import Item, Matrix
from huaxiang.shop.base import Shop
from huaxiang.shop.catalogue import Catalogue, build_catalogue, restocked
from huaxiang.shop.changed import changed_items, out_of_stock
from huaxiang.shop.infer.base import with_claims
from huaxiang.shop.infer.nearest import nearest_claims

if TYPE_CHECKING:
    from huaxiang.model.whole import Model


SEARCHABLE = ("search_index", "text_index", "image_index", "relevance")
"""What of a model finds items by words and photos: made when it is first needed."""


def with_items(
    model: Model,
    items: Sequence[Item],
    *,
    removed: Collection[str],
    photos: Mapping[str, ImageInput],
    readers: Readers | None,
) -> Model:
    """Return the model with items changed, added and removed; see `Model.with_items`."""
    change = changed_items(model.shop, items)
    gone = _gone(model, change.shop, items, removed)
    shop = out_of_stock(change.shop, gone)
    if not len(change.described):
        return _restocked(model, shop, gone)
    vectors = renewed_vectors(model.vectors, change, readers or model.readers, photos)
    n_learnt = model.catalogue.n_items if model.n_learnt is None else model.n_learnt
    unsaid, was_learnt_I = change.unsaid.tolist(), np.arange(len(shop.items)) < n_learnt
    claims = nearest_claims(shop, unsaid, text_vectors_ID=vectors["text"], among_I=was_learnt_I)
    shop = with_claims(shop, claims)
    catalogue = build_catalogue(shop, removed=gone)
    vectors = _seen_in_graph(model, vectors, catalogue, change.described)
    changed = replace(
        model,
        shop=shop,
        catalogue=catalogue,
        population=model.population.with_catalogue(catalogue),
        vectors=vectors,
        recommenders=model.recommenders.with_items(vectors),
        n_learnt=n_learnt,
        together=None if model.together is None else model.together.with_items(catalogue.n_items),
    )
    n_new = catalogue.n_items - model.catalogue.n_items
    popularity = np.concatenate([model.popularity, np.zeros(n_new, dtype=np.float32)])
    is_changed = any(
        rows.min(initial=len(vectors["fused"])) < len(model.index) for rows in (change.worded, change.shown)
    )
    index = model.index.with_items(vectors["fused"], is_changed=is_changed)
    changed.knowing(popularity=popularity, index=index, space=model.space)
    return changed.knowing(**_searchable(model, changed, change.described.tolist(), is_changed=is_changed))


def _searchable(model: Model, changed: Model, rows: Sequence[int], *, is_changed: bool) -> dict[str, object]:
    """Return what finds items, as far as it was made already, with the changed ones in it."""
    made = model.__dict__
    known: dict[str, object] = {
        name: made[name].with_items(changed.vectors[modality], is_changed=is_changed)
        for name, modality in (("text_index", "text"), ("image_index", "image"))
        if name in made
    }
    if "relevance" in made:  # of items that changed it knows the former titles until the next build
        known["relevance"] = made["relevance"]
    if "search_index" in made:
        known["search_index"] = model.search_index.with_items(changed.shop, changed.catalogue, rows)
    return known


def _seen_in_graph(
    model: Model, vectors: dict[str, Matrix], catalogue: Catalogue, rows: NDArray[np.int64]
) -> dict[str, Matrix]:
    """Return the vectors with those of some rows seen in the graph again, from their edges alone."""
    if model.graph_view is None:
        return vectors
    seen_ID = vectors["graph"].copy()
    seen_ID[rows] = model.graph_view.vectors(catalogue, tree_of(catalogue))[rows]
    parts = {name: vectors[name][rows] for name in vectors if name not in ("fused", "graph")}
    fused_ID = vectors["fused"].copy()
    fused_ID[rows] = model.fusion.fuse(Parts.of({**parts, "graph": seen_ID[rows]}))
    return {**vectors, "graph": seen_ID, "fused": fused_ID}


def _restocked(model: Model, shop: Shop, gone: NDArray[np.bool_]) -> Model:
    """Return the model with other stock and prices: everything else is shared."""
    catalogue = restocked(model.catalogue, shop, removed=gone)
    same_bands = catalogue.dimensions.get("price_band") is model.catalogue.dimensions.get("price_band")
    population = model.population if same_bands else model.population.with_catalogue(catalogue)
    changed = replace(model, shop=shop, catalogue=catalogue, population=population)
    made = {name: model.__dict__[name] for name in SEARCHABLE if name in model.__dict__}
    return changed.knowing(popularity=model.popularity, index=model.index, space=model.space, **made)


def _gone(model: Model, shop: Shop, items: Sequence[Item], removed: Collection[str]) -> NDArray[np.bool_]:
    gone = np.zeros(len(shop.items), dtype=np.bool_)
    gone[: model.catalogue.n_items] = model.catalogue.gone
    row_of = model.catalogue.row_of
    gone[[row_of[item.item_id] for item in items if item.item_id in row_of]] = False
    new = {item_id: row + len(row_of) for row, item_id in enumerate(shop.items["item_id"][len(row_of) :])}
    rows = (row_of.get(item_id, new.get(item_id)) for item_id in removed)
    gone[[row for row in rows if row is not None]] = True
    return gone
