"""Who is signed in: an admin key, once, becomes a cookie for half a day.

The cookie names the key and is signed; it is unreadable to scripts and is sent to this site alone. Every page
looks the key up again, and so does an open page before it does or renews anything: a key that was revoked
opens nothing and does nothing more.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from huaxiang.errors import HuaxiangError
from huaxiang.serve.auth import Caller, read_token, sign_token
from huaxiang.serve.live import LiveShop
from huaxiang.serve.service import Service

COOKIE = "huaxiang_console"
LANGUAGE_COOKIE = "huaxiang_language"
HOME = "/console"
_VALID_S = 12 * 3600


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One page view of somebody who is signed in.

    Parameters
    ----------
    token
        What the cookie said when the page was opened.
    """

    service: Service
    caller: Caller
    language: str
    token: str

    @property
    def shop(self) -> LiveShop:
        """The shop of the key."""
        return self.service.shop(self.caller)

    def is_over(self) -> bool:
        """Return whether the key was revoked since, or the half day has passed."""
        return _caller(self.service, self.token) is None


def visit_of(service: Service, request: Request) -> Visit | None:
    """Return the visit, None where nobody is signed in or the key no longer works."""
    token = request.cookies.get(COOKIE, "")
    caller = _caller(service, token)
    if caller is None:
        return None
    return Visit(service=service, caller=caller, language=language_of(request), token=token)


def _caller(service: Service, token: str) -> Caller | None:
    """Return the holder of the admin key that a cookie names, None where it no longer works."""
    try:
        caller = service.gate.caller_of(read_token(_secret(service), token, now_s=time.time()))
        caller.may("admin")
    except HuaxiangError:
        return None
    return caller


def language_of(request: Request) -> str:
    """Return the language that was chosen, else the browser's, else English."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in ("en", "zh"):
        return chosen
    return "zh" if request.headers.get("accept-language", "").lower().startswith("zh") else "en"


def sign_in(service: Service, key: str, *, is_secure: bool) -> Response | None:
    """Return the answer that opens the console, None where the key may not."""
    try:
        caller = service.gate.caller({"authorization": f"Bearer {key.strip()}"})
        caller.may("admin")
    except HuaxiangError:
        return None
    answer = RedirectResponse(HOME, status_code=303)
    token = sign_token(_secret(service), caller.key_id, expires_s=int(time.time()) + _VALID_S)
    answer.set_cookie(
        COOKIE, token, max_age=_VALID_S, httponly=True, samesite="strict", secure=is_secure, path=HOME
    )
    return answer


def _secret(service: Service) -> str:
    return service.gate.secret("console")
