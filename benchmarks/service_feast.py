"""Claim: the p99 of a profile over HTTP is below Feast's online store's with the same facets; <= 2 ms.

Feast (SQLite and Redis) is installed in an environment of its own and filled with the facets that our
profiles show: what Feast reads was derived before, ours is derived from the events when it is asked, and has
evidence, interests, intent, activity and portrait besides. A profile is kept until the shopper's next event
or the next minute, so blocks of reads alone are mostly of kept ones. "After an event" each is derived anew:
an event of its shopper was acknowledged just before, whose own time doesn't count. Feast is asked over HTTP
(`feast serve`, one worker, not replaced after 1,000 requests as it would be by default) and in process
(`get_online_features`).
All take turns in blocks: one connection that asks as soon as it has an answer, then a fixed rate.
The load comes from this process.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from pathlib import Path
from secrets import token_hex

import numpy as np

from huaxiang.evaluate.hardware import hardware
from service.load import as_fast_as_possible, at_rate, request
from service.redis_server import redis_server, wait_for_port
from service.served import Served, free_port, served
from service.shop import linked_run

PEERS = Path(__file__).with_name("peers")
N_ROUNDS = 5
LISTED = ("dimension", "value", "side", "share", "lift", "confidence", "last_seen", "source")
FEATURES = [f"facets:{name}" for name in (*LISTED, "n_events")]
Block = Mapping[str, list[float]]
"""How asked → p50 and p99, milliseconds."""


@dataclass(frozen=True)
class Asked:
    """How much is asked of everyone in a block."""

    shopper_ids: Sequence[str]
    n_closed: int
    per_s: float
    seconds: float


def feast_python(venv: Path) -> Path:
    """Return the interpreter of Feast's environment, which is made where it is missing."""
    python = venv / "bin" / "python"
    if not (venv / "bin" / "feast").exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "-r", str(PEERS / "requirements_feast.txt")], check=True)
    return python.absolute()


def feast_environment() -> dict[str, str]:
    """Return an environment in which Feast finds its own packages and tells nobody what it does."""
    return {**{k: v for k, v in os.environ.items() if k != "PYTHONPATH"}, "FEAST_USAGE": "False"}


def profiles(live: Served, shopper_ids: Sequence[str]) -> list[dict[str, object]]:
    """Return the facets of shoppers as our service shows them, a row each."""
    asks = [request("GET", f"/v1/shoppers/{name}/profile", key=live.key) for name in shopper_ids]
    answers = asyncio.run(as_fast_as_possible(live.host, live.port, asks, n_connections=1))
    assert answers.n_failed() == 0, answers.bodies[:1]
    rows = []
    for body in answers.bodies:
        shown = json.loads(body)
        facets = {name: [facet[name] for facet in shown["facets"]] for name in LISTED}
        rows.append({"shopper_id": shown["shopper_id"], "n_events": shown["n_events"], **facets})
    return rows


def filled(python: Path, folder: Path, rows: Sequence[Mapping[str, object]], online: str) -> Path:
    """Return a Feast project whose online store has the rows."""
    folder.mkdir()
    (folder / "feature_store.yaml").write_text(
        "project: shop\nregistry: registry.db\nprovider: local\nentity_key_serialization_version: 3\n"
        f"online_store:\n{online}offline_store:\n  type: file\n"
    )
    (folder / "facets.json").write_text(json.dumps(list(rows)))
    command = [str(python), "-W", "ignore", str(PEERS / "feast_store.py"), "fill", str(folder)]
    subprocess.run(command, check=True, env=feast_environment(), stdout=subprocess.DEVNULL)
    return folder


@contextmanager
def feast_served(python: Path, folder: Path) -> Iterator[int]:
    """Yield the port on which `feast serve` answers."""
    port = free_port()
    command = [str(python.with_name("feast")), "-c", str(folder), "serve", "-p", str(port)]
    command += ["--no-access-log", "--max-requests", "0", "--registry_ttl_sec", "3600"]
    with ended(subprocess.Popen(command, env=feast_environment(), stdout=subprocess.DEVNULL)):
        wait_for_port(port, most_s=90)
        yield port


@contextmanager
def feast_in_process(python: Path, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Yield a process that reads with Feast's SDK and says how long it took."""
    command = [str(python), "-W", "ignore", str(PEERS / "feast_store.py"), "read", str(folder)]
    pipe = subprocess.PIPE
    with ended(subprocess.Popen(command, env=feast_environment(), stdin=pipe, stdout=pipe, text=True)) as one:
        yield one


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """Yield a process; stop it afterwards."""
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


def over_http(port: int, asks: Callable[[str], bytes], asked: Asked) -> Block:
    """Return how long answers took over HTTP: one connection, then a fixed rate."""
    each = [asks(name) for name in asked.shopper_ids]
    some = [one for one, _ in zip(cycle(each), range(asked.n_closed), strict=False)]
    closed = asyncio.run(as_fast_as_possible("127.0.0.1", port, some, n_connections=1))
    opened = asyncio.run(
        at_rate("127.0.0.1", port, cycle(each), per_s=asked.per_s, seconds=asked.seconds, n_connections=8)
    )
    assert closed.n_failed() == opened.n_failed() == 0, closed.bodies[:1]
    return {"one by one": closed.percentile_ms(50, 99), "at a rate": opened.percentile_ms(50, 99)}


def after_events(live: Served, item_id: str, asked: Asked) -> Block:
    """Return how long profiles took that had to be derived anew, each after an event of its shopper."""
    asks = []
    for name, _ in zip(cycle(asked.shopper_ids), range(asked.n_closed), strict=False):
        seen = {"event_id": token_hex(8), "shopper_id": name, "type": "view_item", "item_id": item_id}
        body = json.dumps({"events": [seen]}).encode()
        asks += [request("POST", "/v1/events", key=live.key, body=body), ours(live.key, name)]
    answers = asyncio.run(as_fast_as_possible(live.host, live.port, asks, n_connections=1))
    assert answers.n_failed() == 0, answers.bodies[:1]
    return {"one by one": (np.percentile(answers.latency_s[1::2], (50, 99)) * 1000).tolist()}


def by_sdk(process: subprocess.Popen[str], asked: Asked) -> Block:
    """Return how long reads took in Feast's process, one by one."""
    assert process.stdin is not None and process.stdout is not None
    some = [name for name, _ in zip(cycle(asked.shopper_ids), range(asked.n_closed), strict=False)]
    process.stdin.write(json.dumps(some) + "\n")
    process.stdin.flush()
    seconds = json.loads(process.stdout.readline())
    return {"one by one": (np.percentile(seconds, (50, 99)) * 1000).tolist()}


def ours(key: str, shopper_id: str) -> bytes:
    """Return a request for one of our profiles."""
    return request("GET", f"/v1/shoppers/{shopper_id}/profile", key=key)


def theirs(shopper_id: str) -> bytes:
    """Return a request for the same of Feast."""
    body = json.dumps({"features": FEATURES, "entities": {"shopper_id": [shopper_id]}}).encode()
    return request("POST", "/get-online-features", key="none", body=body)


def check_same(port: int, row: Mapping[str, object]) -> None:
    """Make sure that Feast serves what it was given."""
    one = asyncio.run(as_fast_as_possible("127.0.0.1", port, [theirs(str(row["shopper_id"]))]))
    answer = json.loads(one.bodies[0])
    names, results = answer["metadata"]["feature_names"], answer["results"]
    served_row = {name: result["values"][0] for name, result in zip(names, results, strict=True)}
    assert served_row["value"] == row["value"] and served_row["n_events"] == row["n_events"], served_row


def takers_of(stack: ExitStack, home: Path, given: argparse.Namespace) -> tuple[dict[str, object], list[str]]:
    """Start everyone; return who is asked how, and the shoppers."""
    takers: dict[str, Callable[[Asked], Block]] = {}
    (home / "memory").mkdir()
    run, item_ids = linked_run(home / "memory", given.run, n_shoppers=300, n_items=500)
    live = stack.enter_context(served(run))
    takers["ours, states in memory"] = partial(over_http, live.port, partial(ours, live.key))
    takers["ours, after an event"] = partial(after_events, live, item_ids[0])
    shopper_ids = [f"s-{number}" for number in range(given.shoppers)]
    rows = profiles(live, shopper_ids)
    n_facets = statistics.mean(len(row["value"]) for row in rows)  # type: ignore[arg-type]
    print(f"{len(rows):,} shoppers, {n_facets:.1f} facets each, {len(item_ids):,} items; SQLite FULL")
    online = {"SQLite": "  type: sqlite\n  path: online.db\n"}
    if shutil.which("redis-server") is None:
        print("Redis: skipped, there is no redis-server here")
    else:
        url = stack.enter_context(redis_server(home))
        (home / "redis").mkdir()
        linked = linked_run(home / "redis", run.resolve(), n_shoppers=0, n_items=0)[0]
        other = stack.enter_context(served(linked, environment={"HUAXIANG_STATE": url + "/0"}))
        takers["ours, states in Redis"] = partial(over_http, other.port, partial(ours, other.key))
        profiles(other, shopper_ids)  # Redis is empty until a shopper was asked for once
        address = url.removeprefix("redis://")
        online["Redis"] = f'  type: redis\n  connection_string: "{address},db=1"\n'
    python = feast_python(given.venv)
    for name, how in online.items():
        folder = filled(python, home / f"feast-{name}", rows, how)
        port = stack.enter_context(feast_served(python, folder))
        check_same(port, rows[0])
        takers[f"Feast, {name}, HTTP"] = partial(over_http, port, theirs)
        process = stack.enter_context(feast_in_process(python, folder))
        takers[f"Feast, {name}, in process"] = partial(by_sdk, process)
    return takers, shopper_ids  # type: ignore[return-value]


def print_rows(taken: Mapping[str, Sequence[Block]]) -> None:
    """Print everyone's latencies, and Feast's over ours."""
    for name, blocks in taken.items():
        for how in blocks[0]:
            p50, p99 = np.array([block[how] for block in blocks]).T
            print(
                f"{name:<26} {how:<11} p50 {np.median(p50):.2f} ms [{p50.min():.2f}, {p50.max():.2f}]   "
                f"p99 {np.median(p99):.2f} ms [{p99.min():.2f}, {p99.max():.2f}]"
            )
    for name, blocks in taken.items():
        if name.startswith("ours"):
            continue
        own = "ours, states in Redis" if "Redis" in name else "ours, states in memory"
        for how in blocks[0]:
            ratios = [b[how][1] / o[how][1] for b, o in zip(blocks, taken[own], strict=True)]
            print(
                f"p99 {name} / {own}, {how}: {statistics.median(ratios):.2f} "
                f"[{min(ratios):.2f}, {max(ratios):.2f}]"
            )


def main() -> None:
    """Let everyone take turns and print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, help="a drawn run that is there already; it is not written to")
    parser.add_argument("--venv", type=Path, default=Path("runs/feast"))
    parser.add_argument("--shoppers", type=int, default=300)
    parser.add_argument("--closed", type=int, default=1000, help="requests of one connection in a block")
    parser.add_argument("--per-s", type=float, default=100.0)
    parser.add_argument("--seconds", type=float, default=4.0, help="of the fixed rate in a block")
    parser.add_argument("--rounds", type=int, default=N_ROUNDS)
    given = parser.parse_args()
    print(hardware())
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        takers, shopper_ids = takers_of(stack, Path(folder), given)
        asked = Asked(shopper_ids, given.closed, given.per_s, given.seconds)
        warm = Asked(shopper_ids, 2 * len(shopper_ids), given.per_s, 1.0)
        taken: dict[str, list[Block]] = {name: [] for name in takers}
        for take in takers.values():
            take(warm)  # type: ignore[operator]
        for number in range(given.rounds):
            for name in list(takers)[:: 1 if number % 2 else -1]:
                taken[name].append(takers[name](asked))  # type: ignore[operator]
        print_rows(taken)


if __name__ == "__main__":
    main()
