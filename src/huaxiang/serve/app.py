"""The HTTP service: routes, errors, documentation, and what happens at its start and end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException

from huaxiang import __version__
from huaxiang.errors import HuaxiangError
from huaxiang.serve.description import describe
from huaxiang.serve.origins import Origins
from huaxiang.serve.outside import Outside
from huaxiang.serve.plain import Plain
from huaxiang.serve.problems import answer_of, answer_of_http, problem
from huaxiang.serve.routes import (
    aggregates,
    audit,
    events,
    graph,
    items,
    letters,
    lists,
    models,
    operations,
    privacy,
    profiles,
    reviews,
    rules,
    search,
    segment,
)
from huaxiang.serve.service import Service

DESCRIPTION = """
A live profile of each shopper, and everything a shop reads from it.

Send events; the very next list knows them. Every statement of a profile names its evidence.
"""


def create_app(
    service: Service, *, running: Callable[[], AbstractAsyncContextManager[None]] | None = None
) -> FastAPI:
    """Return the application of one process.

    Parameters
    ----------
    running
        Entered when the process starts to serve, left when it stops: what goes on in the background.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if running is None:
            yield
            return
        async with running():
            yield

    app = FastAPIOffline(
        title="Huaxiang",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        openapi_url="/openapi.json",
        docs_url="/docs",  # its script comes from here too, not from a public server
        redoc_url=None,
    )
    app.state.service = service
    app.add_middleware(Plain, routes=[*lists.router.routes, *profiles.router.routes, *events.router.routes])
    app.add_middleware(Origins, listed=service.origins)
    app.add_middleware(Outside, metrics=service.metrics, limits=service.settings.limits)
    for part in (
        events,
        segment,
        profiles,
        lists,
        search,
        reviews,
        graph,
        items,
        letters,
        privacy,
        aggregates,
        audit,
        models,
        rules,
        operations,
    ):
        app.include_router(part.router)
    describe(app)
    app.add_exception_handler(HuaxiangError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    return app


async def _on_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HuaxiangError)
    return answer_of(error)


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return problem(
        422,
        str(first["msg"]).lower(),
        code="invalid",
        field=".".join(str(part) for part in first["loc"]),
        value=str(first.get("input"))[:200],
        remedy="see /docs",
    )


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return answer_of_http(error)
