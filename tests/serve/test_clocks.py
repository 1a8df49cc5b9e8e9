"""The machine's clock is set back while it serves: nothing is refused, reordered or staler for it."""

from __future__ import annotations

import shutil
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from huaxiang.serve.auth import Gate
from huaxiang.serve.key_making import end_key, make_key
from huaxiang.serve.process import Process
from huaxiang.serve.pseudonyms import Pseudonyms
from serve.power_cut import built_library
from serve.processes import Served
from serve.talking import event

pytestmark = pytest.mark.slow
HOUR_S, DAY_S = 3600, 86_400
SECRET = {"HUAXIANG_PSEUDONYM_KEY": "k" * 32}


@dataclass(frozen=True)
class Timed:
    """A service with a clock that can be set."""

    served: Served
    shift: Path

    def set_by(self, seconds: int) -> None:
        """Set the clock to so many seconds from what it should be."""
        with self.shift.open("r+b") as file:
            file.write(struct.pack("q", seconds))

    def listed(self, shopper_id: str) -> list[str]:
        status, answer = self.served.ask("GET", f"/v1/shoppers/{shopper_id}/recommendations?k=20")
        assert status == 200, answer
        return [one["item_id"] for one in answer["items"]]

    def sent(self, *events: dict[str, object]) -> int:
        """Send events; return the newest position."""
        status, said = self.served.ask("POST", "/v1/events", {"events": events})
        assert (status, said["accepted"]) == (200, len(events)), said
        return int(said["position"])


@pytest.fixture(scope="module")
def timed(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Timed]:
    home = tmp_path_factory.mktemp("clock")
    run = Path(shutil.copytree(small_run, home / "run"))
    library = built_library(Path(__file__).with_name("set_clock.c"), home)
    shift = home / "shift"
    shift.write_bytes(struct.pack("q", 0))
    preloaded = {"LD_PRELOAD": str(library), "CLOCK_SHIFT": str(shift), **SECRET}
    with Served(run, preloaded) as served:
        yield Timed(served, shift)
        assert served.stop() == 0


@pytest.fixture(autouse=True)
def set_right(timed: Timed) -> Iterator[None]:
    yield
    timed.set_by(0)


@pytest.mark.parametrize("back_s", [HOUR_S, 3 * DAY_S, 400 * DAY_S])
def test_events_are_taken_in_their_order_and_known_at_once(timed: Timed, back_s: int) -> None:
    shopper_id = f"back-{back_s}"
    positions, bought = [], []
    for shift_s in (0, -back_s, 0, -back_s):
        timed.set_by(shift_s)
        item_id = timed.listed(shopper_id)[0]
        of_now = event(shopper_id, "purchase", item_id=item_id)
        del of_now["occurred_at"]  # as of its arrival, by the clock that is set
        positions += [timed.sent(of_now), timed.sent(event(shopper_id, "search", query="red"))]
        bought.append(item_id)
        assert not set(bought) & set(timed.listed(shopper_id))
        profile = timed.served.ask("GET", f"/v1/shoppers/{shopper_id}/profile")[1]
        assert (profile["n_events"], profile["version"]["position"]) == (len(positions), positions[-1])
    assert positions == sorted(set(positions))
    told = timed.served.ask("GET", f"/v1/shoppers/{shopper_id}/export")[1]["events"]
    assert sorted(one["position"] for one in told) == positions


def test_a_revoked_key_does_not_come_back_with_the_time_before(timed: Timed) -> None:
    run = timed.served.run
    process = Process.of(SECRET, run=run)
    made = make_key(process, scopes=["recommend:read"])
    headers = {"Authorization": f"Bearer {made['key']}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{timed.served.port}", headers=headers) as client:
        assert client.get("/v1/recommendations").status_code == 200
        timed.set_by(-HOUR_S)
        assert client.get("/v1/recommendations").status_code == 200
        end_key(process, shop_id="default", key_id=str(made["key_id"]))
        time.sleep(1.5)  # as long as a key is remembered
        assert client.get("/v1/recommendations").status_code == 401


def test_a_token_is_never_good_for_longer_than_a_day(timed: Timed) -> None:
    process = Process.of(SECRET, run=timed.served.run)
    made = make_key(process, scopes=["events:write"], is_public=True)
    gate = Gate(lambda key_id: None, Pseudonyms(SECRET["HUAXIANG_PSEUDONYM_KEY"].encode()))
    token = gate.token(str(made["key_id"]), "tom", valid_s=600)
    headers = {"Authorization": f"Bearer {made['key']}", "X-Huaxiang-Shopper-Token": token}
    with httpx.Client(base_url=f"http://127.0.0.1:{timed.served.port}", headers=headers) as client:
        codes = {}
        for shift_s in (0, -HOUR_S, -2 * DAY_S, HOUR_S):
            timed.set_by(shift_s)
            codes[shift_s] = client.get("/v1/shoppers/tom/recommendations").status_code
    assert codes == {0: 200, -HOUR_S: 200, -2 * DAY_S: 401, HOUR_S: 401}
