"""The console in a real browser, against a real process."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Chromium"),
    pytest.mark.filterwarnings("default"),
]
KEY = "hx_console_" + "k" * 43
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    PORT = int(free.getsockname()[1])
HOME = f"http://127.0.0.1:{PORT}/console"


@pytest.fixture(scope="module")
def served(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    run = Path(shutil.copytree(small_run, tmp_path_factory.mktemp("console") / "run"))
    command = [
        str(Path(sys.executable).with_name("huaxiang")),
        "serve",
        "--run",
        str(run),
        "--port",
        str(PORT),
    ]
    process = subprocess.Popen(command, env={**os.environ, "HUAXIANG_ADMIN_KEY": KEY})
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/readyz", timeout=1).close()
                break
            except OSError:
                time.sleep(0.2)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) in (0, -signal.SIGTERM)


@pytest.fixture
def browser() -> Iterator[object]:
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield chromium
        chromium.close()


def signed_in(browser: object, *, language: str, width: int = 1280) -> object:
    page = browser.new_context(locale=language, viewport={"width": width, "height": 900}).new_page()  # type: ignore[attr-defined]
    page.goto(f"{HOME}/sign-in")
    page.fill("#key", KEY)
    page.press("#key", "Enter")
    page.wait_for_url(f"{HOME}**")
    return page


def test_nobody_gets_in_without_an_admin_key(served: None, browser: object) -> None:
    page = browser.new_page()  # type: ignore[attr-defined]
    page.goto(f"{HOME}/shoppers/s-1")
    assert page.url.endswith("/sign-in")
    page.fill("#key", "hx_wrong_" + "k" * 43)
    page.press("#key", "Enter")
    assert page.get_by_role("alert").is_visible()


@pytest.mark.parametrize(
    ("language", "portrait", "liked"), [("en-US", "Portrait", "likes"), ("zh-CN", "画像", "喜欢")]
)
@pytest.mark.parametrize("width", [1280, 390])
def test_a_correction_changes_the_facets_at_once(
    served: None, browser: object, language: str, portrait: str, liked: str, width: int
) -> None:
    page = signed_in(browser, language=language, width=width)
    page.goto(f"{HOME}/shoppers/s-1")  # type: ignore[attr-defined]
    page.get_by_role("heading", name=portrait).first.wait_for()  # type: ignore[attr-defined]
    page.get_by_role("button", name=f": {liked}").last.click()  # type: ignore[attr-defined]
    said = {"en-US": "corrected", "zh-CN": "已更正"}[language]
    page.get_by_text(f"{liked} · {said}").first.wait_for()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("language", "shopper_id", "purpose", "note"),
    [
        ("en-US", "s-2", "recommendations", "no consent for recommend; popular items"),
        ("zh-CN", "s-3", "推荐", "顾客未授权用于推荐，列出热门商品"),
    ],
)
def test_what_a_list_lacks_is_said_in_the_readers_language(
    served: None, browser: object, language: str, shopper_id: str, purpose: str, note: str
) -> None:
    page = signed_in(browser, language=language)
    page.goto(f"{HOME}/shoppers/{shopper_id}")  # type: ignore[attr-defined]
    page.get_by_role("switch", name=purpose).click()  # type: ignore[attr-defined]
    page.get_by_text(note).wait_for()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("language", "heading", "watched"),
    [("en-US", "Whether shoppers have changed", "event type"), ("zh-CN", "顾客是否变化", "事件类型")],
)
def test_the_overview_says_whether_shoppers_have_changed(
    served: None, browser: object, language: str, heading: str, watched: str
) -> None:
    page = signed_in(browser, language=language)
    page.get_by_role("heading", name=heading).wait_for()  # type: ignore[attr-defined]
    page.get_by_role("cell", name=watched).wait_for()  # type: ignore[attr-defined]


def test_items_and_models_are_found_by_keyboard(served: None, browser: object) -> None:
    page = signed_in(browser, language="en-US")
    page.goto(f"{HOME}/items")  # type: ignore[attr-defined]
    box = page.get_by_label("Item's id or words of its title")  # type: ignore[attr-defined]
    box.fill(" p000-1 ")  # as it is pasted
    box.press("Enter")
    page.wait_for_url("**words=+p000-1+")  # type: ignore[attr-defined]
    page.locator("a[href$='/items/p000-1']").wait_for()  # type: ignore[attr-defined]
    page.goto(f"{HOME}/models")  # type: ignore[attr-defined]
    page.get_by_text("serving").first.wait_for()  # type: ignore[attr-defined]


@pytest.mark.parametrize(("page_name", "place"), [("Shoppers", "/shoppers"), ("Items", "/items")])
def test_every_page_is_reached_from_the_first(
    served: None, browser: object, page_name: str, place: str
) -> None:
    page = signed_in(browser, language="en-US")
    page.get_by_role("link", name=page_name).click()  # type: ignore[attr-defined]
    page.wait_for_url(f"{HOME}{place}")  # type: ignore[attr-defined]
    page.get_by_role("button", name="Show").first.wait_for()  # type: ignore[attr-defined]


def test_a_phone_has_the_pages_in_a_menu(served: None, browser: object) -> None:
    page = signed_in(browser, language="en-US", width=390)
    page.get_by_role("button", name="Menu").click()  # type: ignore[attr-defined]
    page.locator(".q-menu").get_by_text("Models").click()  # type: ignore[attr-defined]
    page.wait_for_url(f"{HOME}/models")  # type: ignore[attr-defined]


def test_a_listed_item_leads_to_its_page(served: None, browser: object) -> None:
    page = signed_in(browser, language="en-US")
    page.goto(f"{HOME}/shoppers/s-1")  # type: ignore[attr-defined]
    page.locator("a[href*='/items/']").first.click()  # type: ignore[attr-defined]
    page.wait_for_url(f"{HOME}/items/*")  # type: ignore[attr-defined]
    page.get_by_role("heading", level=1).wait_for()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("language", "link", "heading"),
    [("en-US", "What its reviews say", "What to improve"), ("zh-CN", "评价洞察", "改进建议")],
)
def test_the_reviews_of_an_item_are_shown_as_text_never_as_markup(
    served: None, browser: object, language: str, link: str, heading: str
) -> None:
    page = signed_in(browser, language=language)
    item = "p000-1"
    said = "<b>It runs small.</b> <script>document.title='hacked'</script>"
    event = {
        "event_id": f"hostile-{language}",
        "shopper_id": "rita",
        "type": "review",
        "item_id": item,
        "text": said,
        "value": {"rating": 1},
        "occurred_at": datetime.now(UTC).isoformat(),
    }
    asked = urllib.request.Request(
        f"http://127.0.0.1:{PORT}/v1/events",
        data=json.dumps({"events": [event]}).encode(),
        headers={"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
    )
    urllib.request.urlopen(asked, timeout=10).close()
    page.goto(f"{HOME}/items/{item}")  # type: ignore[attr-defined]
    page.get_by_text(link).click()  # type: ignore[attr-defined]
    page.get_by_text(heading).first.wait_for()  # type: ignore[attr-defined]
    page.get_by_text("<b>It runs small.</b>").first.wait_for()  # type: ignore[attr-defined]
    assert page.title() != "hacked"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("language", "words_box", "shopper_box", "theirs"),
    [
        ("en-US", "What is looked for", "For shopper (id)", "in this shopper's order"),
        ("zh-CN", "要找什么", "为哪位顾客（编号）", "按这位顾客的喜好排序"),
    ],
)
def test_a_search_is_finished_answered_and_narrowed(
    served: None, browser: object, language: str, words_box: str, shopper_box: str, theirs: str
) -> None:
    page = signed_in(browser, language=language)
    page.goto(f"{HOME}/search")  # type: ignore[attr-defined]
    page.get_by_label(words_box).press_sequentially("dre")  # type: ignore[attr-defined]
    page.locator(".q-chip").first.wait_for()  # type: ignore[attr-defined]
    page.get_by_label(words_box).fill("dress")  # type: ignore[attr-defined]
    page.get_by_label(shopper_box).fill("s-1")  # type: ignore[attr-defined]
    page.get_by_label(shopper_box).press("Enter")  # type: ignore[attr-defined]
    page.wait_for_url("**/search?words=dress&shopper=s-1")  # type: ignore[attr-defined]
    page.get_by_text(theirs).wait_for()  # type: ignore[attr-defined]
    page.locator("a[href*='/items/']").first.wait_for()  # type: ignore[attr-defined]
    page.locator(".q-chip").first.click()  # type: ignore[attr-defined]
    page.wait_for_url("**narrow=*")  # type: ignore[attr-defined]
    page.locator("a[href*='/items/']").first.wait_for()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("language", "box", "check", "run", "none"),
    [
        ("en-US", "Rules, as YAML", "Check", "Try on the shoppers last seen", "No file of rules was given"),
        ("zh-CN", "规则（YAML）", "检查", "在最近到访的顾客上试用", "未指定规则文件"),
    ],
)
def test_rules_are_tried_before_they_are_in_force(
    served: None, browser: object, language: str, box: str, check: str, run: str, none: str
) -> None:
    page = signed_in(browser, language=language)
    page.goto(f"{HOME}/rules")  # type: ignore[attr-defined]
    page.get_by_text(none).wait_for()  # type: ignore[attr-defined]
    page.get_by_label(box).fill("version: 1\nrules: 7\n")  # type: ignore[attr-defined]
    page.get_by_role("button", name=check, exact=True).click()  # type: ignore[attr-defined]
    assert "rules" in page.get_by_role("alert").inner_text()  # type: ignore[attr-defined]
    page.get_by_label(box).fill(
        "version: 1\nrules:\n- name: first-things\n  items: {in_stock: true}\n  boost: 0.5\n"
    )  # type: ignore[attr-defined]
    page.get_by_role("button", name=run).click()  # type: ignore[attr-defined]
    page.get_by_role("cell", name="first-things").first.wait_for()  # type: ignore[attr-defined]
