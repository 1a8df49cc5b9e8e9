"""The console's door, and what its pages make of ids and titles that are meant to be programs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from huaxiang.serve.key_making import end_key, make_key
from huaxiang.serve.process import Process
from serve.processes import KEY, Served
from serve.talking import event

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Chromium"),
    pytest.mark.filterwarnings("default"),
]
PROGRAMS = (
    "<script>window.broken=1</script>",
    '"><img src=x onerror="window.broken=1">',
    "'-(window.broken=1)-'",
    "javascript:window.broken=1",
    "{{constructor.constructor('window.broken=1')()}}",
    "${window.broken=1}`+(window.broken=1)+`",
    "</textarea><svg onload=window.broken=1>",
    "../../../etc/passwd",
    "\u202eevil\0",
)
PAGES = ("shoppers/{}", "items/{}", "items?words={}", "{}", "sign-in?next={}")


@pytest.fixture(scope="module")
def served(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(Path(shutil.copytree(small_run, tmp_path_factory.mktemp("hostile") / "run"))).start()
    yield served
    served.stop()


def home(served: Served) -> str:
    return f"http://127.0.0.1:{served.port}/console"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def page(served: Served, chromium: Any) -> Any:
    return signed_in(served, chromium, KEY)


def signed_in(served: Served, chromium: Any, key: str) -> Any:
    page = chromium.new_context(locale="en-US").new_page()
    page.goto(f"{home(served)}/sign-in")
    page.fill("#key", key)
    page.press("#key", "Enter")
    page.wait_for_url(f"{home(served)}**")
    return page


def test_the_cookie_is_hidden_from_scripts_and_stays_on_this_site(served: Served) -> None:
    opened = httpx.post(f"{home(served)}/sign-in", data={"key": KEY})
    cookie = opened.headers["set-cookie"].lower()
    assert opened.status_code == 303
    assert all(flag in cookie for flag in ("httponly", "samesite=strict", "path=/console", "max-age="))
    assert KEY not in cookie
    forwarded = httpx.post(
        f"{home(served)}/sign-in", data={"key": KEY}, headers={"X-Forwarded-Proto": "https"}
    )
    assert "secure" in forwarded.headers["set-cookie"].lower()
    assert opened.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("cookie", ["", "a.b", "eyJzdWIiOiJwcm9jZXNzIiwiZXhwIjo5OTk5OTk5OTk5fQ.AAAA", "\xff"])
def test_no_page_opens_with_a_cookie_that_was_made_up(served: Served, cookie: str) -> None:
    jar = {b"Cookie": b"huaxiang_console=" + cookie.encode("latin-1")}
    for page in ("", "/shoppers/s-1", "/items", "/items/p000-1", "/models"):
        answer = httpx.get(home(served) + page, headers=jar, follow_redirects=True)
        assert str(answer.url).endswith("/sign-in")
    assert httpx.get(f"{home(served)}/photo/p000-1", headers=jar).status_code == 404


@pytest.mark.parametrize(
    ("place", "click"),
    [
        ("/shoppers/s-1", "button[aria-label$=': dislikes']"),
        ("/shoppers/s-1", "[role=switch]"),
        ("/shoppers/s-1", "button:has-text('Erase')"),
        ("", ""),
    ],
    ids=["correct", "consent", "erase", "only watch"],
)
def test_a_page_that_is_open_does_nothing_more_once_its_key_is_revoked(
    served: Served, chromium: Any, place: str, click: str
) -> None:
    process = Process.of({}, run=served.run)
    made = make_key(process, shop_id="default", scopes=["admin"])
    page = signed_in(served, chromium, str(made["key"]))
    page.goto(home(served) + place)
    page.locator(click or "[role=heading]").first.wait_for()
    before = served.ask("GET", "/v1/shoppers/s-1/export")[1]
    end_key(process, shop_id="default", key_id=str(made["key_id"]))
    if click:
        page.locator(click).first.click()
    page.wait_for_url("**/sign-in")
    after = served.ask("GET", "/v1/shoppers/s-1/export")[1]
    assert (after["events"], after["consent"]) == (before["events"], before["consent"])


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_id_becomes_a_program(served: Served, page: Any, program: str) -> None:
    searched = event(program.replace("\0", ""), "search", query=program.replace("\0", " "))
    assert served.ask("POST", "/v1/events", {"events": [searched]})[0] == 200
    for place in PAGES:
        answer = page.goto(f"{home(served)}/{place.format(quote(program, safe=''))}")
        page.wait_for_load_state()
        assert answer.status < 500, place
        assert page.evaluate("window.broken") is None, place
    page.goto(f"{home(served)}/shoppers/{quote(program.replace(chr(0), ''), safe='')}")
    page.get_by_role("heading", name="Portrait").first.wait_for()
    assert page.evaluate("window.broken") is None


def test_the_door_shuts_for_a_while_after_too_many_wrong_keys(served: Served) -> None:
    wrong = {"key": "hx_wrong_" + "k" * 43}
    codes = [httpx.post(f"{home(served)}/sign-in", data=wrong).status_code for _ in range(12)]
    assert codes == [401] * 10 + [429] * 2
    shut = httpx.post(f"{home(served)}/sign-in", data={"key": KEY})
    assert shut.status_code == 429
    assert int(shut.headers["retry-after"]) > 0
