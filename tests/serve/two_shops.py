"""Two shops served by one process, with the keys that a shop hands out."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from huaxiang.serve.auth import Gate
from huaxiang.serve.key_making import end_key, make_key
from huaxiang.serve.process import Process
from huaxiang.serve.pseudonyms import Pseudonyms
from serve.processes import Served

PAGE = "https://shop.example"
PSEUDONYM_KEY = "k" * 32


@dataclass(frozen=True)
class TwoShops:
    """A process that serves the shops north and south; `keys` are those of north but for `south`."""

    served: Served
    process: Process
    keys: Mapping[str, str]

    def client(self, key: str | None = "admin", **headers: str) -> httpx.Client:
        """Return a client with one of the keys, None for nobody's."""
        own = {} if key is None else {"Authorization": f"Bearer {self.keys[key]}"}
        url = f"http://127.0.0.1:{self.served.port}"
        return httpx.Client(base_url=url, headers={**own, **headers}, timeout=30)

    def token(self, shopper_id: str) -> str:
        """Return a token for a shopper of north, as its own server would sign it for the public key."""
        gate = Gate(lambda key_id: None, Pseudonyms(PSEUDONYM_KEY.encode()))
        return gate.token(self.keys["public"].split("_")[1], shopper_id)


@contextmanager
def two_shops(run: Path, home: Path, environment: Mapping[str, str] | None = None) -> Iterator[TwoShops]:
    """Yield two shops with copies of one run."""
    runs = {name: Path(shutil.copytree(run, home / name)) for name in ("north", "south")}
    named = Path(",".join(f"{name}={folder}" for name, folder in runs.items()))
    store = {"HUAXIANG_STORE": f"sqlite:///{home / 'live' / 'store.sqlite'}", **(environment or {})}
    variables = {**store, "HUAXIANG_PSEUDONYM_KEY": PSEUDONYM_KEY}
    served = Served(named, variables)
    process = Process.of({**os.environ, **variables}, run=named)
    served.start()
    try:
        yield TwoShops(served, process, _keys(process))
    finally:
        served.stop()


def _keys(process: Process) -> dict[str, str]:
    def made(shop_id: str = "north", **more: Any) -> str:
        return str(make_key(process, shop_id=shop_id, **{"scopes": ["admin"], **more})["key"])

    keys = {"admin": made(), "south": made("south"), "expired": made(valid_days=1e-9)}
    keys["public"] = made(scopes=["events:write"], is_public=True, origins=[PAGE])
    keys["revoked"] = made()
    end_key(process, shop_id="north", key_id=keys["revoked"].split("_")[1])
    time.sleep(0.01)
    return keys
