"""The console's addresses, on the same application as the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import FastAPI, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from nicegui import ui

from huaxiang.console import items, models, overview, reviews, rules, search, shopper
from huaxiang.console.door import Door
from huaxiang.console.reading import photo
from huaxiang.console.session import COOKIE, HOME, Visit, language_of, sign_in, visit_of
from huaxiang.console.sign_in import sign_in_page
from huaxiang.serve.service import Service

_NO_PHOTO = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path fill="#e8e8ea" d="M0 0h8v8H0z"/></svg>'
)
"""Shown in place of a photo that an item does not have: a browser draws a missing one as broken."""


def attach(app: FastAPI, service: Service) -> None:
    """Add the console to the application."""
    _add_session_routes(app, service)
    _add_item_pages(service)

    @ui.page("/")
    def _overview(request: Request) -> Response | None:
        return _shown(service, request, overview.show_overview)

    @ui.page("/shoppers")
    def _shoppers(
        request: Request, shopper_id: Annotated[str, Query(alias="shopper")] = ""
    ) -> Response | None:
        if shopper_id.strip():
            return RedirectResponse(f"{HOME}{shopper.place_of(shopper_id.strip())}", status_code=303)
        return _shown(service, request, shopper.show_shoppers)

    @ui.page("/shoppers/{shopper_id:path}")
    def _shopper(request: Request, shopper_id: str) -> Response | None:
        return _shown(service, request, lambda visit: shopper.show_shopper(visit, shopper_id))

    @ui.page("/models")
    def _models(request: Request) -> Response | None:
        return _shown(service, request, models.show_models)

    @ui.page("/rules")
    def _rules(request: Request) -> Response | None:
        return _shown(service, request, rules.show_rules)

    ui.run_with(app, title="Huaxiang", mount_path=HOME, dark=None, show_welcome_message=False)


def _add_item_pages(service: Service) -> None:
    """Add the pages about items: found, shown, and what is said of them."""

    @ui.page("/items")
    def _items(request: Request, words: str = "") -> Response | None:
        return _shown(service, request, lambda visit: items.show_items(visit, words.strip()))

    @ui.page("/reviews/{item_id:path}")
    def _reviews(request: Request, item_id: str) -> Response | None:
        return _shown(service, request, lambda visit: reviews.show_reviews(visit, item_id))

    @ui.page("/items/{item_id:path}")
    def _item(request: Request, item_id: str) -> Response | None:
        return _shown(service, request, lambda visit: items.show_item(visit, item_id))

    @ui.page("/search")
    def _search(request: Request, words: str = "", shopper: str = "", narrow: str = "") -> Response | None:
        return _shown(service, request, lambda visit: search.show_search(visit, words, shopper, narrow))


def _shown(service: Service, request: Request, show: Callable[[Visit], None]) -> Response | None:
    visit = visit_of(service, request)
    if visit is None:
        return RedirectResponse(f"{HOME}/sign-in", status_code=303)
    show(visit)
    return None


def _add_session_routes(app: FastAPI, service: Service) -> None:
    door = Door(service.settings.limits.sign_ins_per_minute)

    @app.get(f"{HOME}/sign-in", include_in_schema=False)
    def _sign_in_page(request: Request) -> Response:
        return HTMLResponse(sign_in_page(language_of(request)))

    @app.post(f"{HOME}/sign-in", include_in_schema=False)
    async def _sign_in(request: Request, key: str = Form(max_length=500)) -> Response:
        address = request.client.host if request.client else ""
        door.check(address, now_s=service.now_s())
        opened = sign_in(service, key, is_secure=request.url.scheme == "https")
        if opened is None:
            door.refused(address, now_s=service.now_s())
            return HTMLResponse(sign_in_page(language_of(request), is_refused=True), status_code=401)
        return opened

    @app.get(f"{HOME}/sign-out", include_in_schema=False)
    def _sign_out() -> Response:
        answer = RedirectResponse(f"{HOME}/sign-in", status_code=303)
        answer.delete_cookie(COOKIE, path=HOME)
        return answer

    @app.get(f"{HOME}/photo/{{item_id:path}}", include_in_schema=False)
    def _photo(request: Request, item_id: str) -> Response:
        visit = visit_of(service, request)
        picture = None if visit is None else photo(visit.shop, item_id)
        if visit is None:
            return Response(status_code=404)
        if picture is None:
            return Response(_NO_PHOTO, media_type="image/svg+xml", headers={"Cache-Control": "no-cache"})
        return Response(picture, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=3600"})
