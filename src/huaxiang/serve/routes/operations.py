"""Whether the service lives, whether it is ready, and what it counted."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from huaxiang.serve.answers import json_answer
from huaxiang.serve.problems import problem
from huaxiang.serve.service import service_of

router = APIRouter(tags=["operations"])


@router.get("/healthz", summary="Whether the process lives")
async def healthz() -> Response:
    """Answer while the process can answer at all."""
    return json_answer({"status": "ok"})


@router.get("/readyz", summary="Whether requests can be served")
async def readyz(request: Request) -> Response:
    """Answer 200 once models and states are there and the log can be reached, else 503.

    Nobody shows a key here: it says how many shops are served, and names neither them nor their models, which
    `/metrics` and `/v1/models` do.
    """
    service = service_of(request)
    if not service.is_ready:
        return problem(503, "still starting", code="starting", headers={"Retry-After": "1"})
    service.store.check()
    return json_answer({"status": "ready", "shops": len(service.shops)})


@router.get("/metrics", summary="Counters, as Prometheus reads them")
async def metrics(request: Request) -> Response:
    """Answer with the counters of this process, of other shops none; needs the scope admin."""
    service = service_of(request)
    caller = service.caller(request, "admin")
    service.metrics.model.clear()  # of a version that is served no longer nothing is shown
    service.metrics.model.labels(caller.shop_id, service.shop(caller).serving.model.name).set(1)
    service.metrics.waiting.set(service.writer.n_waiting)
    service.metrics.rebuilt.labels(caller.shop_id).set(service.shop(caller).states.counts.rebuilt)
    service.metrics.behind_s.labels(caller.shop_id).set(service.shop(caller).lag_s)
    others = [f'shop="{shop_id}"' for shop_id in service.shops if shop_id != caller.shop_id]
    lines = generate_latest(service.metrics.registry).decode().splitlines(keepends=True)
    own = [line for line in lines if not any(other in line for other in others)]
    return Response("".join(own), media_type=CONTENT_TYPE_LATEST)
