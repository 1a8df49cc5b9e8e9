"""What building a product graph costs: CPU seconds and memory, for a catalogue of 92,331 items.

python benchmarks/graph_size.py [--data ../shared/data/complete_journey]
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path

import numpy as np

from huaxiang.evaluate.hardware import hardware
from huaxiang.knowledge.graph import Config, Graph, count_together, learn_view, tree_of
from huaxiang.shop.catalogue import build_catalogue
from huaxiang.shop.read import read_shop

DATA = Path(__file__).parents[1].parent / "shared" / "data" / "complete_journey"


def main() -> None:
    """Print the costs part by part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    asked = parser.parse_args()
    if not asked.data.exists():
        sys.exit(f"skipped: {asked.data} is absent")
    shop = read_shop(asked.data)
    catalogue = build_catalogue(shop)
    print(f"{hardware()}; {catalogue.n_items:,} items; {memory_mib():.0f} MiB before")
    started = time.process_time()
    tree = tree_of(catalogue)
    started = told(f"{tree.n_families} families of {len(tree.categories):,} categories", started)
    together = count_together(shop)
    started = told(f"{together.shoppers_II.nnz // 2:,} pairs", started)
    nothing_ID = np.zeros((catalogue.n_items, 1), np.float32)
    graph = Graph(catalogue=catalogue, together=together, vectors_ID=nothing_ID)
    graph.neighbours(catalogue.item_ids[0])
    started = told("the first question", started)
    graph.neighbours(catalogue.item_ids[1])
    started = told("the next question", started)
    view = learn_view(catalogue, tree, Config().vectors)
    assert view is not None
    view.vectors(catalogue, tree)
    told("the view in fusion, where it is wanted", started)


def told(what: str, started: float) -> float:
    """Print what was done since, and return the moment."""
    now = time.process_time()
    print(f"{what}: {now - started:.3f} CPU s, {memory_mib():.0f} MiB at most", flush=True)
    return time.process_time()


def memory_mib() -> float:
    """Return the most memory that this process had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
