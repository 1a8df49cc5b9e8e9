"""How many reviews a second are analysed: read, counted, and every item's insight made.

    python benchmarks/review_speed.py --reviews 100000

Reviews are drawn from the simulation's own sentences, English and Chinese, over 2,000 items. Wanted: 200 a
second. It is stopped half way and goes on, and then run once more to see what a finished reading costs. With
`--aspects FOLDER` a model of `benchmarks/review_aspects.py` reads them.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from huaxiang.reviews.base import Reader, Review
from huaxiang.reviews.book import ReviewBook
from huaxiang.reviews.bulk import read_all
from huaxiang.reviews.learnt import reader_of
from huaxiang.shop.simulate.sayings import ASPECTS, OPENINGS

N_ITEMS = 2_000
WORDS = {"material": "cotton", "shade": "navy", "noun": "thing"}


class Shelves:
    """Twenty categories."""

    def category(self, item_id: str) -> str | None:
        """Return the item's category."""
        return f"c{int(item_id) % 20}"

    def title(self, item_id: str, *, language: str) -> str:
        """Return the item's title."""
        return f"Item {item_id}"


def drawn(n: int, seed: int = 0) -> list[Review]:
    """Return reviews of one to four sentences."""
    rng, start = np.random.default_rng(seed), datetime(2025, 1, 1, tzinfo=UTC)
    found = []
    for number in range(n):
        language, mood = ("en", "zh")[number % 2], ("good", "poor")[int(rng.random() < 0.3)]
        aspects = ASPECTS[list(ASPECTS)[int(rng.integers(len(ASPECTS)))]][language]
        said = [str(rng.choice(OPENINGS[language][mood]))]
        said += [str(rng.choice(aspects[mood])) for _ in range(int(rng.integers(1, 4)))]
        text = (" " if language == "en" else "").join(said).format(**WORDS)
        found.append(
            Review(
                event_id=f"e{number}",
                shopper_id=f"s{int(rng.integers(n // 5))}",
                item_id=str(int(rng.integers(N_ITEMS))),
                position=number,
                rating=float(rng.integers(4, 6) if mood == "good" else rng.integers(1, 4)),
                text=text,
                occurred_at=start + timedelta(minutes=5 * number),
            )
        )
    return found


class StoppedError(Exception):
    """The reading was stopped on purpose."""


def timed(reviews: list[Review], reader: Reader, folder: Path, *, stop_at: int | None = None) -> float:
    """Return the seconds that it took to read, count and answer."""

    def look(done: int, total: int, note: str) -> None:
        if stop_at is not None and done >= stop_at:
            raise StoppedError

    started = time.perf_counter()
    try:
        readings = read_all([one.text or "" for one in reviews], reader, folder, progress=look)
    except StoppedError:
        return time.perf_counter() - started
    book = ReviewBook(Shelves(), reader)
    book.add(reviews, readings)
    for item_id in book.items():
        book.insight(item_id).as_json()
    return time.perf_counter() - started


def main() -> None:
    """Print seconds and reviews a second."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else None)
    asked.add_argument("--reviews", type=int, default=100_000)
    asked.add_argument("--aspects", default="")
    given = asked.parse_args()
    reviews, reader = drawn(given.reviews), reader_of(given.aspects)
    with tempfile.TemporaryDirectory() as home:
        cpu = time.process_time()
        first = timed(reviews, reader, Path(home), stop_at=given.reviews // 2)
        second = timed(reviews, reader, Path(home))
        cpu = time.process_time() - cpu
        again = timed(reviews, reader, Path(home))
    whole = first + second
    print(
        json.dumps(
            {
                "reader": reader.name,
                "reviews": len(reviews),
                "seconds": {"until stopped": first, "from there": second, "all read before": again},
                "reviews_per_s": len(reviews) / whole,
                "reviews_per_cpu_s": len(reviews) / cpu,
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
