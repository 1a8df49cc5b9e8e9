"""How well relevance learnt from judged pairs orders and finds the products of other queries.

    python benchmarks/home_depot.py [--data ../shared/data/home_depot/relevance.csv.gz]
        [--work runs/home_depot] [--query query --product product_title --label relevance]
        [--good 2.33] [--set seeds=1]

A fifth of the queries, by a hash of their text, is asked; the rest is learnt from. Settings were chosen by
cross-validation within the rest (see docs/decisions/0024). Two questions, in one run for all ways:

judged lists
    The judged products of a query in order: the share of the possible gain over a random order (NDCG@10,
    gains 2^relevance − 1, queries with five judged products or more).
whole catalogue
    Recall@10 and @100 of products judged `--good` or better among all titles. What nobody judged counts as no
    answer, though it may be one: the figures are low, and the judged products themselves were chosen by
    another search, which none of the ways here is.

Beside the learnt relevance: BM25 of words as they are written, BM25 of stems after misspelt words were
mended, MiniLM's cosine, and the reciprocal rank fusion of the latter two. The intervals are bootstrap
intervals over queries (95 %), those of gains paired. Vectors and the features of the pairs that are learnt
from are kept under `--work`: name another place for another table.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from huaxiang.config import changed
from huaxiang.encoders.finetuning.judged import Judged
from huaxiang.encoders.finetuning.pairs import read_pairs, split_pairs
from huaxiang.encoders.finetuning.relevance import ranked, share_of_gain
from huaxiang.encoders.named import text_encoder
from huaxiang.evaluate.hardware import hardware
from huaxiang.metrics import bootstrap_statistic
from huaxiang.records import Matrix
from huaxiang.search.learnt.lesson import Classroom, Config, Lesson, lesson_of, taught_by
from huaxiang.search.learnt.measured import catalogue_recall, judged_scores
from huaxiang.search.learnt.neighbours import Neighbours
from huaxiang.search.learnt.surroundings import Offered
from huaxiang.search.learnt.titles import Lexicon

LEARNT = "learnt"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/home_depot/relevance.csv.gz"))
    parser.add_argument("--work", type=Path, default=Path("runs/home_depot"))
    for name, column in (("query", "query"), ("product", "product_title"), ("label", "relevance")):
        parser.add_argument(f"--{name}", default=column, help="column")
    parser.add_argument("--good", type=float, default=2.33)
    parser.add_argument("--set", action="append", default=[], help="a setting of finetune search")
    said = parser.parse_args()
    if not said.data.exists():
        sys.exit(f"needs {said.data}")
    said.work.mkdir(parents=True, exist_ok=True)
    pairs = read_pairs(said.data, query=said.query, product=said.product, label=said.label)
    rest, test = (Judged.of(part) for part in split_pairs(pairs, share=0.2, salt="test"))
    print(f"{hardware()}; {len(rest.query_N):,} pairs to learn from, {len(test.query_N):,} asked\n")
    measure(
        rest,
        test,
        sorted(set(pairs.products)),
        work=said.work,
        good=said.good,
        config=changed(Config(), said.set),
    )


def measure(
    rest: Judged, test: Judged, titles: Sequence[str], *, work: Path, good: float, config: Config
) -> None:
    """Learn from some pairs, ask others, and print both tables."""
    vectors = Vectors(work)
    told("read titles")
    lexicon = Lexicon.of(titles, dimensions=config.senses)
    offered = Offered.of(titles, vectors(titles), lexicon)
    taught, asked = (Classroom.of(judged, offered, titles, encode=vectors) for judged in (rest, test))
    neighbours = Neighbours.of(rest, taught.queries_QD, offered.vectors_ID[taught.product_rows])
    lesson = kept_lesson(
        work / f"lesson-{config.n_unjudged}.npz", lambda: lesson_of(taught, neighbours, config=config)
    )
    told("grow trees")
    relevance = taught_by(lesson, lexicon, neighbours, folder=work / "model", config=config).relevance
    told("compare")
    asking = changed(config, ["n_unjudged=0"])
    compared = lesson_of(asked, neighbours, config=asking, is_taught=False)
    print_judged(test, judged_scores(relevance, asked, compared))
    began = time.process_time()
    print_recall(catalogue_recall(relevance, asked, good=good, progress=said_progress))
    each_ms = 1e3 * (time.process_time() - began) / len(test.queries)
    print(f"\nall four searches of a query: {each_ms:.1f} ms of CPU")


class Vectors:
    """MiniLM's vectors of texts, each made once and kept."""

    def __init__(self, work: Path) -> None:
        self.file = work / "vectors.npz"
        self.cache = work / "encoders"
        self.row_of: dict[str, int] = {}
        self.vectors_ID: Matrix = np.zeros((0, 384), np.float16)
        if self.file.exists():
            kept = np.load(self.file)
            self.row_of = {text: row for row, text in enumerate(kept["texts"].tolist())}
            self.vectors_ID = kept["vectors"]

    def __call__(self, texts: Sequence[str]) -> Matrix:
        """Return the vectors, rows of unit length."""
        missing = [text for text in dict.fromkeys(texts) if text not in self.row_of]
        if missing:
            told(f"encode {len(missing)} texts")
            encoder = text_encoder("minilm", cache_folder=self.cache)
            new = encoder.encode(missing).vectors_ID.astype(np.float16)
            self.row_of |= {text: len(self.row_of) + row for row, text in enumerate(missing)}
            self.vectors_ID = np.concatenate([self.vectors_ID, new])
            np.savez(self.file, texts=np.array(list(self.row_of)), vectors=self.vectors_ID)
        found = self.vectors_ID[[self.row_of[text] for text in texts]].astype(np.float32)
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-6)


def kept_lesson(file: Path, make: Callable[[], Lesson]) -> Lesson:
    """Return the features of what is learnt from, made once."""
    if not file.exists():
        told("compare what is learnt from")
        made = make()
        np.savez(
            file,
            names=np.array(made.names),
            features=made.features_NF,
            worth=made.worth_N,
            queries=made.query_N,
            n_judged=made.n_judged,
        )
    kept = np.load(file)
    return Lesson(
        names=tuple(kept["names"].tolist()),
        features_NF=kept["features"],
        worth_N=kept["worth"],
        query_N=kept["queries"],
        n_judged=int(kept["n_judged"]),
    )


def print_judged(judged: Judged, scores: Mapping[str, NDArray[np.float64]]) -> None:
    """Print each way's share of the possible gain, and what the learnt relevance gains over it."""
    found = {way: ranked(judged.query_N, judged.relevance_N, one) for way, one in scores.items()}
    ours, luck = found[LEARNT].ndcg_Q, found[LEARNT].random_Q
    print(f"judged lists, {len(luck):,} queries\n")
    print(
        "| way | NDCG@10 | share | 95 % | gain of the learnt | 95 % |\n| --- | --- | --- | --- | --- | --- |"
    )
    for way, one in found.items():
        share, (low, high) = share_of_gain(one.ndcg_Q, luck), _interval(share_of_gain, one.ndcg_Q, luck)
        gain, (first, last) = _gain(ours, one.ndcg_Q, luck), _interval(_gain, ours, one.ndcg_Q, luck)
        print(
            f"| {way} | {one.ndcg_Q.mean():.4f} | {share:.4f} | {low:.4f}, {high:.4f} | {gain:+.4f} | "
            f"{first:+.4f}, {last:+.4f} |"
        )
    print(f"| random | {luck.mean():.4f} | 0 | | | |\n", flush=True)


def print_recall(recall: Mapping[str, NDArray[np.float64]]) -> None:
    """Print how much each way finds, and what the learnt relevance gains over it."""
    n_queries = len(next(iter(recall.values())))
    print(f"whole catalogue, {n_queries:,} queries with a good product\n")
    print("| way | recall | mean | 95 % | gain of the learnt | 95 % |\n| --- | --- | --- | --- | --- | --- |")
    for name, values_Q in recall.items():
        way, depth = name.rsplit("@", 1)
        ours_Q = recall[f"{LEARNT}@{depth}"]
        low, high = _interval(_mean, values_Q)
        first, last = _interval(_mean, ours_Q - values_Q)
        print(
            f"| {way} | @{depth} | {values_Q.mean():.4f} | {low:.4f}, {high:.4f} | "
            f"{(ours_Q - values_Q).mean():+.4f} | {first:+.4f}, {last:+.4f} |"
        )


def _gain(ours_Q: NDArray[np.float64], theirs_Q: NDArray[np.float64], luck_Q: NDArray[np.float64]) -> float:
    return share_of_gain(ours_Q, luck_Q) - share_of_gain(theirs_Q, luck_Q)


def _mean(values_Q: NDArray[np.float64]) -> float:
    return float(values_Q.mean())


def _interval(statistic: Callable[..., float], *samples: NDArray[np.float64]) -> tuple[float, float]:
    return bootstrap_statistic(statistic, *samples, rng=np.random.default_rng(0))


def said_progress(done: int, total: int) -> None:
    """Tell how far the search is, ten times."""
    if done % max(50, total // 10) < 50:
        told(f"search: {done} of {total}")


def told(stage: str) -> None:
    """Show progress on stderr."""
    sys.stderr.write(f"{stage}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
