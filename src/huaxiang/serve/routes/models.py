"""The versions of the model: which there are, which one is served, and the way to another."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from huaxiang.serve.answers import json_answer
from huaxiang.serve.service import service_of

router = APIRouter(tags=["models"])


@router.get("/v1/models", summary="Versions of the model")
async def list_models(request: Request) -> Response:
    """Answer with every version, the newest first, and which one is served."""
    service = service_of(request)
    shop = service.shop(service.caller(request, "models:manage"))
    versions = [version.as_json() for version in service.models.versions(shop)]
    return json_answer({"serving": shop.serving.model.name, "versions": versions})


@router.post("/v1/models/{name}/promote", summary="Serve a version")
async def promote(request: Request, name: str) -> Response:
    """Load a version beside the one that is served and swap them; also the way to roll back."""
    service = service_of(request)
    shop = service.shop(service.caller(request, "models:manage"))
    await service.models.promote(shop, name)
    return json_answer({"serving": shop.serving.model.name})


@router.get("/v1/outcomes", summary="What came of the lists")
async def outcomes(request: Request) -> Response:
    """Answer with click-through and conversion by model version and placement, of this process."""
    service = service_of(request)
    shop = service.shop(service.caller(request, "models:manage"))
    return json_answer(shop.outcomes.as_json())


@router.get("/v1/drift", summary="Whether shoppers have changed")
async def drift(request: Request) -> Response:
    """Answer with how far events, facets, prices and scores have moved since the model was made.

    It is looked for every few minutes (`serve.drift_s`); `compared_at` is null until then, and where the run
    has nothing to compare with.
    """
    service = service_of(request)
    shop = service.shop(service.caller(request, "models:manage"))
    if shop.drift is not None:
        return json_answer(shop.drift.as_json())
    return json_answer({"compared_at": None, "since": None, "model": shop.serving.model.name, "drift": []})
