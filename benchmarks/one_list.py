"""What one list costs: CPU time with reasons as they are served, and with each of them checked by removal."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Literal

import huaxiang as hx
from huaxiang.evaluate.hardware import hardware
from huaxiang.model import Known, Model
from service.shop import synthetic_run

N_LISTS, N_ROUNDS = 200, 5


def milliseconds(model: Model, shoppers: list[str], explain: Literal["quick", "full"]) -> float:
    """Return the CPU time of one list, as the service makes it."""
    known = [Known(state=model.states.state(one), contents=model.contents) for one in shoppers]
    started = time.thread_time()
    for shopper_id, state in zip(shoppers, known, strict=True):
        asked = model.derive_asked(state, shopper_id=shopper_id, now=model.newest, position=1, consent={})
        model.recommend(asked, k=10, explain=explain)
    return (time.thread_time() - started) / len(shoppers) * 1000


def main() -> None:
    """Measure both ways in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, help="where a drawn run is kept; made if it is not there")
    given = parser.parse_args()
    print(hardware())
    with tempfile.TemporaryDirectory() as home:
        run, _ = synthetic_run(given.run or Path(home) / "run", n_shoppers=1000, n_items=12_000)
        model = hx.load(run)
    shoppers = sorted(model.states.shopper_ids)[:N_LISTS]
    milliseconds(model, shoppers[:20], "full")
    quick, full = [], []
    for _ in range(N_ROUNDS):
        quick.append(milliseconds(model, shoppers, "quick"))
        full.append(milliseconds(model, shoppers, "full"))
    for name, taken in (("quick", quick), ("full", full)):
        print(f"explain={name:<6} {statistics.median(taken):5.2f} ms  [{min(taken):.2f}, {max(taken):.2f}]")


if __name__ == "__main__":
    main()
