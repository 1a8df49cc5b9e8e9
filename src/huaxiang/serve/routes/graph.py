"""The product graph of an item: what goes with it and what can take its place."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from huaxiang.errors import InputError
from huaxiang.serve.answers import json_answer
from huaxiang.serve.routes.lists import MOST_ALIKE
from huaxiang.serve.service import service_of
from huaxiang.serve.wire_fields import plain_id

router = APIRouter(tags=["lists"])

Length = Annotated[int, Query(description="Items of each kind of edge, at least 1.")]
Language = Annotated[str, Query(description="Language of names: en or zh.")]


@router.get("/v1/items/{item_id:path}/graph", summary="What goes with an item, and what can take its place")
async def item_graph(request: Request, item_id: str, k: Length = 10, language: Language = "en") -> Response:
    """Answer with the edges of an item: complements, substitutes, values, and the way up from its category.

    Things bought together are counted among shoppers when the model is made; a pair of fewer than the
    setting `graph.together.min_shoppers` is never kept.
    """
    service = service_of(request)
    shop = service.shop(service.caller(request, "recommend:read"))
    if k > MOST_ALIKE:
        raise InputError("not a length of a list", column="k", value=str(k), remedy=f"give 1 to {MOST_ALIKE}")
    graph, asked = shop.serving.model.graph, plain_id(item_id)
    edges = graph.neighbours(asked, k=k, language=language)
    by_kind: dict[str, list[object]] = {"complement": [], "substitute": [], "bought_together": []}
    said: list[object] = []
    for edge in edges:
        by_kind.get(edge.kind, said).append(edge.as_json())
    return json_answer(
        {
            "item_id": asked,
            "complements": by_kind["complement"],
            "substitutes": by_kind["substitute"],
            "bought_together": by_kind["bought_together"],
            "values": said,
            "up": [node.as_json() for node in graph.up(asked, language=language)],
        }
    )
