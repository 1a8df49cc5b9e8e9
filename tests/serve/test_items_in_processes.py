"""What one process is told of an item holds in another, and after it was killed."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from serve.processes import Served
from serve.talking import event
from store.servers import postgresql_server, redis_server

pytestmark = pytest.mark.slow
NEW: dict[str, Any] = {"item_id": "newcomer", "texts": {"en": {"title": "Red leather ankle boots"}}}


@pytest.fixture(scope="module")
def both(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Served]]:
    run = Path(shutil.copytree(small_run, tmp_path_factory.mktemp("two") / "run"))
    with postgresql_server() as database, redis_server() as redis:
        places = {"HUAXIANG_STORE": database, "HUAXIANG_STATE": redis, "HUAXIANG_PSEUDONYM_KEY": "k" * 32}
        served = (Served(run, places).start(), Served(run, places).start())
        yield served
        for one in served:
            one.stop()


def change(served: Served, *items: dict[str, Any]) -> Any:
    status, answer = served.ask("POST", "/v1/items", {"items": list(items)})
    assert status == 200, answer
    return answer


def listed(served: Served) -> list[str]:
    _, answer = served.ask("GET", "/v1/shoppers/s-1/recommendations?k=100&repeat=true")
    return [one["item_id"] for one in answer["items"]]


def soon(served: Served, item_id: str, *, is_listed: bool) -> bool:
    end = time.monotonic() + 30
    while (item_id in listed(served)) != is_listed:
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def test_an_item_of_one_process_is_taken_and_listed_by_the_other(both: tuple[Served, Served]) -> None:
    first, second = both
    change(first, NEW)
    status, answer = second.ask(
        "POST", "/v1/events", {"events": [event("z", "view_item", item_id="newcomer")]}
    )
    assert (status, answer["accepted"]) == (200, 1)
    assert soon(second, "newcomer", is_listed=True)
    change(second, {"action": "stock", "item_id": "newcomer", "in_stock": False})
    assert soon(first, "newcomer", is_listed=False)


def test_a_letter_of_one_process_is_taken_when_the_other_gets_the_item(both: tuple[Served, Served]) -> None:
    first, second = both
    early = event("early", "purchase", item_id="later")
    assert first.ask("POST", "/v1/events", {"events": [early]})[1]["rejected"][0]["kept"]
    change(second, {**NEW, "item_id": "later"})
    end = time.monotonic() + 30
    while second.ask("GET", "/v1/shoppers/early/profile")[0] != 200:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert first.ask("POST", "/v1/events", {"events": [early]})[1]["duplicates"] == 1
    assert second.ask("GET", "/v1/shoppers/early/profile")[1]["n_events"] == 1


def test_an_acknowledged_item_is_there_after_the_process_was_killed(small_run: Path, tmp_path: Path) -> None:
    served = Served(Path(shutil.copytree(small_run, tmp_path / "run"))).start()
    try:
        change(served, NEW)
        served.kill()
        served.start()
        assert served.ask("GET", "/v1/items/newcomer")[1]["is_served"]
        assert "newcomer" in listed(served)
    finally:
        served.stop()
