"""What shops and shoppers write is shown as they wrote it, and nothing of it runs: console and report."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import polars as pl
import pytest

from huaxiang.evaluate.report import report_html
from serve.processes import KEY, Served
from serve.talking import event

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Chromium"),
    pytest.mark.filterwarnings("default"),
]
PROGRAMS = (
    '<img src=x onerror="window.__pwned=1;alert(1)">',
    "<script>window.__pwned=1;alert(1)</script>",
    '" :title="window.__pwned=1" x="',
    '" onclick="window.__pwned=1" onmouseover="window.__pwned=1" x="',
    "{{constructor.constructor('window.__pwned=1')()}}",
    "$\\window.__pwned=1$ </text><svg onload=window.__pwned=1>",
)
SHOPPER = '<b onclick="window.__pwned=1">mallory</b><script>window.__pwned=1</script>'


@dataclass(frozen=True)
class Opened:
    """A page, and the dialogs that anything in it opened."""

    page: Any
    dialogs: list[str]

    def shows(self, *texts: str) -> None:
        """Fail unless these are there, letter by letter, and nothing has run."""
        for text in texts:
            self.page.get_by_text(text).first.wait_for(state="attached")
        assert self.page.evaluate("window.__pwned") is None
        assert self.dialogs == []


@pytest.fixture
def opened() -> Iterator[Opened]:
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        opened = Opened(chromium.new_context(locale="en-US").new_page(), [])
        opened.page.on("dialog", lambda dialog: (opened.dialogs.append(dialog.message), dialog.dismiss()))
        yield opened
        chromium.close()


@pytest.fixture(scope="module")
def served(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Yield a shop of which every title, brand and colour is a program, and whose shopper says some too."""
    run = Path(shutil.copytree(small_run, tmp_path_factory.mktemp("words") / "run"))
    ids = pl.read_parquet(run / "items.parquet")["item_id"].to_list()
    with Served(run) as served:
        items = [
            {
                "item_id": item_id,
                "texts": {"en": {"title": title_of(n)}},
                "category": ["Clothing", program_of(n).replace(">", "")],
                "brand": program_of(n),
                "attributes": {"colour": [program_of(n)]},
            }
            for n, item_id in enumerate(ids)
        ]
        status, said = served.ask("POST", "/v1/items", {"items": items})
        assert (status, said["accepted"]) == (200, len(ids)), said
        bought = [event(SHOPPER, "purchase", item_id=item_id) for item_id in ids[: len(PROGRAMS)]]
        asked = [event(SHOPPER, "search", query=program) for program in PROGRAMS]
        told = [event(SHOPPER, "state", text=f"I like {program}") for program in PROGRAMS]
        assert served.ask("POST", "/v1/events", {"events": [*bought, *asked, *told]})[0] == 200
        traits = {"plan": PROGRAMS[0], PROGRAMS[1]: PROGRAMS[2]}
        assert served.ask("POST", "/v1/identify", {"userId": SHOPPER, "traits": traits})[0] == 200
        for item_id in ids:
            while not served.ask("GET", f"/v1/items/{item_id}")[1]["is_served"]:
                pass
        yield served
        served.stop()


def program_of(number: int) -> str:
    return PROGRAMS[number % len(PROGRAMS)]


def title_of(number: int) -> str:
    return f"{program_of(number)} {number}"


def sign_in(opened: Opened, served: Served) -> str:
    home = f"http://127.0.0.1:{served.port}/console"
    opened.page.goto(f"{home}/sign-in")
    opened.page.fill("#key", KEY)
    opened.page.press("#key", "Enter")
    opened.page.wait_for_url(f"{home}**")
    return home


def test_titles_and_attributes_of_items_are_only_words(served: Served, opened: Opened) -> None:
    home = sign_in(opened, served)
    ids = pl.read_parquet(served.run / "items.parquet")["item_id"].to_list()
    for number, program in enumerate(PROGRAMS):
        opened.page.goto(f"{home}/items?words={quote(title_of(number), safe='')}")
        opened.shows(title_of(number))
        assert opened.page.locator("input").first.input_value() == title_of(number)
        opened.page.goto(f"{home}/items/{quote(ids[number], safe='')}")
        opened.shows(title_of(number), f"brand: {program}")


def test_a_shopper_of_programs_is_shown_and_clicked_and_nothing_runs(served: Served, opened: Opened) -> None:
    home = sign_in(opened, served)
    opened.page.goto(f"{home}/shoppers/{quote(SHOPPER, safe='')}")
    opened.page.get_by_role("heading", name="Portrait").first.wait_for()
    opened.shows(SHOPPER, *PROGRAMS, *map(title_of, range(len(PROGRAMS))))
    listed = opened.page.locator("a[href*='/items/']").all_text_contents()
    assert listed
    assert all(title.rpartition(" ")[0] in PROGRAMS for title in listed)
    for place in opened.page.locator("[tabindex='0']:visible").all()[:25]:
        place.hover()
    opened.page.locator("button[aria-label$=': likes']").last.click()
    opened.page.get_by_text("likes · corrected").first.wait_for()
    labels = [one.get_attribute("aria-label") for one in opened.page.locator("button[aria-label]").all()]
    assert any(program in label for label in labels for program in PROGRAMS[2:4])
    opened.shows(SHOPPER)
    for page in ("", "/shoppers", "/models"):
        opened.page.goto(home + page)
        opened.page.wait_for_load_state()
        opened.shows()


def test_a_report_of_programs_is_only_words(small_run: Path, opened: Opened, tmp_path: Path) -> None:
    facts = orjson.loads((small_run / "evaluation.json").read_bytes())
    facts["shop"], facts["guesses"] = PROGRAMS[0], list(PROGRAMS)
    facts["example"]["shopper_id"] = SHOPPER
    for n, said in enumerate(facts["example"]["portrait"]["en"]):
        said["text"], said["evidence"] = program_of(n), list(PROGRAMS)
    for n, ranked in enumerate(facts["example"]["slate"]["en"]):
        ranked["title"] = title_of(n)
        for reason in ranked["reasons"]:
            reason["text"] = program_of(n)
    for n, group in enumerate([*facts["map"]["groups"], *facts["map"]["interests"], *facts["by_category"]]):
        group["name"] = program_of(n)
        group["names"] = {"en": program_of(n), "zh": program_of(n + 1)}
    page = tmp_path / "report.html"
    page.write_text(report_html(facts), encoding="utf-8")
    opened.page.goto(page.as_uri())
    opened.shows(SHOPPER, title_of(0), title_of(1), *PROGRAMS[:2])
    opened.page.get_by_role("button").click()
    opened.shows()
