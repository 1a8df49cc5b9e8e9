"""Claim: 20,000 products are searched by words within 5 ms; by meaning and for a shopper, 30 ms are aimed at.

Titles and queries are those of `home_depot`; shoppers are simulated, each looking at products that were
judged for a few of its queries. Times are of one process with one thread, of each query once, in random
order. Beside ours, in the same run and over the same terms, stands SQLite's FTS5.

Beyond the titles that there are, others are made of two of them, and their vectors of the two vectors: MiniLM
needs hours for a million. `--parts` leaves the rest of a shop aside: words and meaning alone, put together
as a search does.

    python benchmarks/search_latency.py [--items 20000] [--lexical-only]
    python benchmarks/search_latency.py --items 1000000 --parts
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

import huaxiang as hx
from huaxiang.config import read_settings
from huaxiang.encoders.cache import CachedEncoder
from huaxiang.encoders.hashed import unit_rows
from huaxiang.encoders.named import text_encoder
from huaxiang.evaluate.hardware import hardware
from huaxiang.model import Model
from huaxiang.recommend.similar import SimilarItems
from huaxiang.records import Text
from huaxiang.search.base import Query
from huaxiang.search.lexical import LexicalIndex
from huaxiang.search.match import Asked, Config, Sight, found_items
from huaxiang.search.tokens import terms

DATA = Path(__file__).parents[1].parent / "shared" / "data" / "home_depot" / "relevance.csv.gz"
SETTINGS = (
    "image.encoder=none",
    "recommend.members=['popular','own_frequency','neighbours','closed_form']",
    "recommend.closed_form.n_exact=5000",
)
N_BEST = 200


def main() -> None:
    """Print the times of each way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--lexical-only", action="store_true")
    parser.add_argument("--parts", action="store_true")
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    if not DATA.exists():
        sys.exit(f"skipped: {DATA} is absent")
    rng = np.random.default_rng(asked.seed)
    titles, made_of, judged = _judged(asked.items, rng)
    queries = [str(query) for query in rng.permutation(list(judged))[: asked.queries]]
    print(f"{hardware()}; {len(titles):,} products, {len(queries):,} queries", flush=True)
    index = _words_alone(titles, queries)
    if asked.parts:
        _put_together(index, titles, made_of, queries, asked.cache)
    elif not asked.lexical_only:
        model = _model(titles, judged, asked, rng)
        _whole(model, queries, rng)
    print(f"most memory of the process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GiB")


def _judged(
    n_items: int, rng: np.random.Generator
) -> tuple[list[str], NDArray[np.int64], dict[str, list[int]]]:
    """Return titles, of which two of the first each is made, (N, 2), and query → what was judged for it."""
    with gzip.open(DATA, "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    known = list(dict.fromkeys(row["product_title"] for row in rows))[:n_items]
    made_of = np.tile(np.arange(n_items)[:, None] % len(known), 2)
    made_of[len(known) :, 1] = rng.integers(len(known), size=n_items - len(known))
    further = [f"{known[first]} {known[second]}" for first, second in made_of[len(known) :].tolist()]
    row_of = {title: row for row, title in enumerate(known)}
    judged: dict[str, list[int]] = {}
    for row in rows:
        if row["product_title"] in row_of:
            judged.setdefault(row["query"], []).append(row_of[row["product_title"]])
    return known + further, made_of, judged


def _words_alone(titles: Sequence[str], queries: Sequence[str]) -> LexicalIndex:
    """Time words alone, beside FTS5; return the index."""
    started = time.perf_counter()
    documents = [terms(title) for title in titles]
    cut_s = time.perf_counter() - started
    index = LexicalIndex.of(documents)
    index.scores(["warm"])
    print(f"cut into terms {cut_s:.1f} s, indexed {time.perf_counter() - started - cut_s:.1f} s", flush=True)

    def ours(query: str) -> None:
        scores_I = index.scores(terms(query))
        best = np.argpartition(-scores_I, min(N_BEST, len(scores_I) - 1))[:N_BEST]
        best[np.argsort(-scores_I[best])]

    started = time.perf_counter()
    database = sqlite3.connect(":memory:")
    database.execute("create virtual table items using fts5(terms, content='', tokenize='unicode61')")
    database.executemany(
        "insert into items(rowid, terms) values (?, ?)",
        ((row, " ".join(said)) for row, said in enumerate(documents)),
    )
    print(f"FTS5 indexed {time.perf_counter() - started:.1f} s", flush=True)

    def fts5(query: str) -> None:
        wanted = " OR ".join('"{}"'.format(term.replace('"', "")) for term in terms(query))
        asked = "select rowid, bm25(items) from items where items match ? order by rank limit ?"
        database.execute(asked, (wanted, N_BEST)).fetchall()

    _show("words alone", ours, queries)
    _show("words alone, SQLite FTS5", fts5, queries)
    return index


def _put_together(
    index: LexicalIndex,
    titles: Sequence[str],
    made_of: NDArray[np.int64],
    queries: Sequence[str],
    cache: Path,
) -> None:
    """Time words and meaning together, for nobody, over everything."""
    print(f"memory before the vectors: {_memory_gib():.1f} GiB", flush=True)
    encoder = CachedEncoder(text_encoder("minilm", cache_folder=cache), cache / "vectors")
    known_ID = encoder.encode(list(titles[: int(made_of.max()) + 1])).vectors_ID
    vectors_ID = unit_rows(known_ID[made_of[:, 0]] + known_ID[made_of[:, 1]])
    print(f"with them: {_memory_gib():.1f} GiB", flush=True)
    started, busy = time.perf_counter(), time.process_time()
    nearest = SimilarItems.of(vectors_ID)
    took_s, busy_s = time.perf_counter() - started, time.process_time() - busy
    print(
        f"index of meaning {took_s:.0f} s ({busy_s:.0f} s of processor); {_memory_gib():.1f} GiB", flush=True
    )
    everything_I, config = np.ones(len(titles), dtype=np.bool_), Config()

    def answer(query: str) -> None:
        vector = np.asarray(encoder.encoder.encode([query]).vectors_ID[0], dtype=np.float32)
        sight = Sight(vector=vector, index=nearest, vectors_ID=vectors_ID)
        found_items(Asked(lexical_I=index.scores(terms(query)), words=sight), everything_I, config)

    _show("words and meaning, encoding included", answer, queries)


def _memory_gib() -> float:
    """Return how much memory the process holds now."""
    return float(psutil.Process().memory_info().rss / 2**30)


def _model(
    titles: Sequence[str], judged: dict[str, list[int]], asked: argparse.Namespace, rng: np.random.Generator
) -> Model:
    """Return a model of the shop with simulated shoppers."""
    lists = [rows for rows in judged.values() if len(rows) >= 3]
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        with (folder / "items.jsonl").open("w", encoding="utf-8") as file:
            for row, title in enumerate(titles):
                file.write(json.dumps({"item_id": f"p{row}", "title": title, "price": 5 + row % 300}) + "\n")
        with (folder / "events.csv").open("w", encoding="utf-8") as file:
            file.write("shopper_id,item_id,type,timestamp\n")
            for shopper in range(3_000):
                rows = [row for at in rng.integers(len(lists), size=4) for row in lists[at][:4]]
                for minute, row in enumerate(rows):
                    kind = "purchase" if minute % 4 == 3 else "view_item"
                    file.write(
                        f"s{shopper},p{row},{kind},2026-01-{1 + minute % 27:02d}T12:{minute:02d}:00Z\n"
                    )
        shop = hx.read_shop(folder)
    model = hx.fit(shop, read_settings(changes=[*SETTINGS, f"seed={asked.seed}"]), cache=asked.cache)
    started = time.perf_counter()
    model.__dict__.pop("search_index", None)
    made = model.search_index
    took_s, n_phrases = time.perf_counter() - started, made.completions.n_phrases
    print(f"index of words, spelling and completions {took_s:.1f} s, {n_phrases:,} phrases", flush=True)
    model.search("warm 保暖")
    return model


def _whole(model: Model, queries: Sequence[str], rng: np.random.Generator) -> None:
    shoppers = model.states.table()["shopper_id"].to_list()
    whom = {query: shoppers[int(rng.integers(len(shoppers)))] for query in queries}
    profiles = {query: model.profile(shopper) for query, shopper in whom.items()}
    _show("whole search, for nobody", lambda query: model.search(query), queries)
    _show(
        "whole search, for a shopper, with reasons",
        lambda query: model.search(query, shopper=profiles[query]),
        queries,
    )
    _show(
        "whole search, for a shopper, 50 items",
        lambda query: model.search(Query(text=query, k=50), shopper=profiles[query]),
        queries,
    )
    _show("finish a query", lambda query: model.suggest(query[: 1 + len(query) // 2]), queries)
    item = model.shop.items.row(0, named=True)
    lamp = hx.Item(item_id="new", texts={"en": Text(title="Zyzzyva lamp")}, price_minor=100)
    changed = [replace(lamp, item_id=f"new-{number}") for number in range(20)]
    assert item["item_id"] == "p0"

    def join(number: str) -> None:
        more = model.with_items([changed[int(number)]])
        assert more.search("zyzzyva", k=1).items[0].item_id == f"new-{number}"

    _show("an item joins and is found", join, [str(number) for number in range(20)])


def _show(name: str, answer: Callable[[str], object], queries: Sequence[str]) -> None:
    for query in queries[:20]:
        answer(query)
    wall, cpu = [], []
    for query in queries:
        started, busy = time.perf_counter(), time.process_time()
        answer(query)
        wall.append(1e3 * (time.perf_counter() - started))
        cpu.append(1e3 * (time.process_time() - busy))
    said = [
        f"{label} p50 {np.median(ms):.2f}, p99 {np.quantile(ms, 0.99):.2f}"
        for label, ms in (("clock", wall), ("processor", cpu))
    ]
    print(f"{name}: {'; '.join(said)} ms", flush=True)


if __name__ == "__main__":
    main()
