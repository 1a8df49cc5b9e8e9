"""What a language model gains by the shop's own texts, and by what its shoppers do.

    python benchmarks/language_gains.py [--steps 2000] [--seeds 0,1,2] [--limit N] [--work runs/gains]
        [--ways none,texts,behaviour,both] [--parts search,lists] [--objective mlm+contrastive]

MiniLM as it comes, pretrained on the texts, tuned on what shoppers do, and both. Measured on

search
    `home_depot`: judged products of queries that nobody learnt from, ranked by cosine; the share of the
    possible gain over a random order (NDCG@10, exponential gain, queries with five judged products or more).
    Texts are the product titles, behaviour is the judged pairs of the other queries (`finetune match`). BM25
    beside it.
lists
    `amazon_beauty`: Recall@10 of the next item among all items by the decayed mean of the titles had before,
    nothing else; for all items and for a tenth of them that is withheld from all pairs (cold). Behaviour is
    what reviewers had one after the other, without their last two items.

Prints a Markdown table: mean over the seeds, the 95 % bootstrap interval of the first seed over queries or
shoppers, and the paired interval of its gain over MiniLM as it comes. What was made is kept under `--work`
and is not made again: name another place for other settings. With `--steps 20 --limit 300` it takes minutes.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from huaxiang.config import changed
from huaxiang.encoders.bundled import bundled_folder
from huaxiang.encoders.finetuning.behaviour import BehaviourConfig, tune_on_behaviour
from huaxiang.encoders.finetuning.judged import Judged
from huaxiang.encoders.finetuning.lexical import bm25_scores
from huaxiang.encoders.finetuning.match import PairParts, finetune_match
from huaxiang.encoders.finetuning.match_lesson import MatchConfig
from huaxiang.encoders.finetuning.next_item import find_next
from huaxiang.encoders.finetuning.pairs import Pairs, read_pairs, split_pairs, without_queries
from huaxiang.encoders.finetuning.relevance import ranked, share_of_gain
from huaxiang.encoders.finetuning.together import Together
from huaxiang.encoders.pretraining.corpus import Corpus, corpus_of
from huaxiang.encoders.pretraining.text import TextConfig, pretrain_text
from huaxiang.encoders.text import OnnxTextEncoder
from huaxiang.evaluate.hardware import hardware
from huaxiang.evaluate.together import together_of
from huaxiang.metrics import bootstrap_statistic
from huaxiang.shop.read import read_shop

WAYS = ("none", "texts", "behaviour", "both")
COLD = 0.1
Floats = NDArray[np.float64]
Measured = Mapping[str, tuple[Floats, Floats]]
"""Figure → each query's or shopper's value, and what luck has (zeros where nothing is taken off)."""


@dataclass(frozen=True)
class Asked:
    """What the command line says."""

    data: Path
    work: Path
    steps: int
    limit: int | None
    objective: str
    match: tuple[str, ...]
    behaviour: tuple[str, ...]
    texts: tuple[str, ...]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--work", type=Path, default=Path("runs/gains"))
    parser.add_argument("--steps", type=int, default=2000, help="of each fit")
    parser.add_argument("--limit", type=int, help="queries, shoppers and texts, for a quick look")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--parts", default="search,lists")
    parser.add_argument("--objective", default="contrastive", help="of pretraining")
    parser.add_argument("--match", action="append", default=[], help="a setting of finetune match")
    parser.add_argument("--behaviour", action="append", default=[], help="a setting of finetune behaviour")
    parser.add_argument("--texts", action="append", default=[], help="a setting of pretrain text")
    said = vars(parser.parse_args())
    seeds, ways, parts = ([*said.pop(name).split(",")] for name in ("seeds", "ways", "parts"))
    settings = {name: tuple(said.pop(name)) for name in ("match", "behaviour", "texts")}
    asked = Asked(**said, **settings)
    if not asked.data.exists():
        sys.exit(f"needs the public data in {asked.data}")
    print(f"{hardware()}; {asked.steps} steps a fit, seeds {', '.join(seeds)}\n")
    for part in parts:
        made = {"search": Search, "lists": Lists}[part](asked)
        rows = {way: [made.measured(way, int(seed)) for seed in seeds] for way in ways}
        print_table(part, {**made.beside(), **rows}, against=ways[0])


def print_table(part: str, rows: Mapping[str, Sequence[Measured]], *, against: str) -> None:
    """Print one row per way and figure."""
    print(f"| {part} | figure | mean | 95 % | gain over {against} | 95 % |")
    print("| --- | --- | --- | --- | --- | --- |")
    for way, per_seed in rows.items():
        for figure, (values, luck) in per_seed[0].items():
            base, _ = rows[against][0][figure]
            means = [share_of_gain(*measured[figure]) for measured in per_seed]
            low, high = _interval(share_of_gain, values, luck)
            gain = float(np.mean(means)) - float(
                np.mean([share_of_gain(*measured[figure]) for measured in rows[against]])
            )
            first, last = _interval(_gain, values, base, luck)
            spread = f" ± {np.std(means, ddof=1):.4f}" if len(means) > 1 else ""
            print(
                f"| {way} | {figure} | {np.mean(means):.4f}{spread} | {low:.4f}, {high:.4f} | "
                f"{gain:+.4f} | {first:+.4f}, {last:+.4f} |",
                flush=True,
            )
    print()


def _gain(ours: Floats, theirs: Floats, luck: Floats) -> float:
    return share_of_gain(ours, luck) - share_of_gain(theirs, luck)


def _interval(statistic: Callable[..., float], *samples: Floats) -> tuple[float, float]:
    return bootstrap_statistic(statistic, *samples, rng=np.random.default_rng(0))


class Search:
    """Judged products of queries."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        file = asked.data / "home_depot" / "relevance.csv.gz"
        pairs = read_pairs(file, query="query", product="product_title", label="relevance")
        pairs = some_queries(pairs, asked.limit)
        rest, test = split_pairs(pairs, share=0.2, salt="test")
        train, validation = split_pairs(rest, share=0.1, salt="validation")
        self.parts = PairParts(train=without_queries(train, [test]), validation=validation, test=test)
        self.judged = Judged.of(test)
        titles = [(title,) for title in dict.fromkeys(pairs.products)]
        self.corpus = corpus_of(((title, "") for title in titles), name="home_depot")

    def measured(self, way: str, seed: int) -> Measured:
        """Return the figures of one way."""
        encoder = encoder_of(way, seed, "search", self.asked, corpus=self.corpus, tune=self._tune)
        queries, products = (
            encoder.encode_cleaned(part) for part in (self.judged.queries, self.judged.products)
        )
        return self._of((queries[self.judged.query_N] * products[self.judged.product_N]).sum(1))

    def beside(self) -> dict[str, Sequence[Measured]]:
        """Return what stands beside the encoders."""
        corpus = [*self.parts.train.products, *self.parts.test.products]
        scores = bm25_scores(self.judged.query_texts, self.judged.product_texts, corpus=corpus)
        return {"BM25": [self._of(scores)]}

    def _of(self, scores_N: Floats) -> Measured:
        found = ranked(self.judged.query_N, self.judged.relevance_N, scores_N)
        return {"share of the possible gain": (found.ndcg_Q, found.random_Q)}

    def _tune(self, source: Path, folder: Path, seed: int) -> None:
        changes = [f"training.steps={self.asked.steps}", *self.asked.match]
        config = changed(MatchConfig(), changes)
        checkpoint = folder / "checkpoint"
        finetune_match(
            self.parts,
            model=source,
            folder=folder,
            checkpoint=checkpoint,
            config=config,
            seed=seed,
            progress=told,
        )


class Lists:
    """The next item of a shopper, by titles alone."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        shop = read_shop(asked.data / "amazon_beauty", adapter="amazon")
        self.config = changed(BehaviourConfig(), [f"training.steps={asked.steps}", *asked.behaviour])
        self.together = some_shoppers(together_of(shop, self.config.pairs), asked.limit)
        n_items = self.together.n_items
        self.cold_I = np.random.default_rng(0).random(n_items) < COLD
        texts = [((text,), "") for text in self.together.texts_LI[0] if text][: asked.limit]
        self.corpus = corpus_of(texts, name="amazon_beauty")

    def measured(self, way: str, seed: int) -> Measured:
        """Return the figures of one way."""
        encoder = encoder_of(way, seed, "lists", self.asked, corpus=self.corpus, tune=self._tune)
        vectors_ID = encoder.encode(self.together.texts_LI[0]).vectors_ID
        asked = {
            "recall@10": self.together.test,
            "recall@10, cold items": self.together.test.only(self.cold_I),
        }
        found = {name: find_next(some, vectors_ID).recall_U for name, some in asked.items()}
        among_cold = find_next(asked["recall@10, cold items"], vectors_ID, allowed_I=self.cold_I).recall_U
        found["recall@10, cold among the cold"] = among_cold
        return {name: (values, np.zeros(len(values))) for name, values in found.items()}

    def beside(self) -> dict[str, Sequence[Measured]]:
        """Return nothing: what knows ids as well is in `benchmark amazon`."""
        return {}

    def _tune(self, source: Path, folder: Path, seed: int) -> None:
        tune_on_behaviour(
            self.together.without(np.flatnonzero(self.cold_I)),
            model=source,
            folder=folder,
            checkpoint=folder / "checkpoint",
            config=self.config,
            seed=seed,
            progress=told,
        )


def encoder_of(
    way: str,
    seed: int,
    part: str,
    asked: Asked,
    *,
    corpus: Corpus,
    tune: Callable[[Path, Path, int], None],
) -> OnnxTextEncoder:
    """Return the encoder of a way, making what isn't there yet."""
    folder = bundled_folder()
    if way in ("texts", "both"):
        folder = _made(
            asked.work / f"{part}-texts-{seed}", lambda to: _pretrain(folder, to, corpus, asked, seed)
        )
    if way in ("behaviour", "both"):
        source = folder
        folder = _made(asked.work / f"{part}-{way}-{seed}", lambda to: tune(source, to, seed))
    if way == "none":
        from huaxiang.encoders.named import text_encoder

        exported = text_encoder("minilm", cache_folder=asked.work / "cache")
        assert isinstance(exported, OnnxTextEncoder)
        return exported
    return OnnxTextEncoder(folder)


def _made(folder: Path, make: Callable[[Path], None]) -> Path:
    if not (folder / "text.json").is_file():
        make(folder)
        shutil.rmtree(folder / "checkpoint", ignore_errors=True)
    return folder


def _pretrain(source: Path, folder: Path, corpus: Corpus, asked: Asked, seed: int) -> None:
    going_on = ("training.learning_rate=3e-5", "max_tokens=48", "anchor=0.1", "training.batch_rows=128")
    changes = [f"objective={asked.objective}", *going_on, f"training.steps={asked.steps}", *asked.texts]
    config = changed(TextConfig(), changes)
    checkpoint = folder / "checkpoint"
    pretrain_text(
        corpus, config=config, folder=folder, checkpoint=checkpoint, source=source, seed=seed, progress=told
    )


def some_queries(pairs: Pairs, limit: int | None) -> Pairs:
    """Return the pairs of some queries, drawn once and for all."""
    if limit is None:
        return pairs
    numbers = np.random.default_rng(0).permutation(int(pairs.query_numbers.max()) + 1)[:limit]
    return pairs.take(np.flatnonzero(np.isin(pairs.query_numbers, numbers)))


def some_shoppers(together: Together, limit: int | None) -> Together:
    """Return what comes next for some shoppers, drawn once and for all; other items have no text then."""
    if limit is None:
        return together
    rows = np.sort(np.random.default_rng(0).permutation(len(together.test))[:limit])
    few = np.arange(min(limit // 4, len(together.validation)))
    test, validation = together.test.take(rows), together.validation.take(few)
    known = {*test.rows.tolist(), *validation.rows.tolist()}
    texts = [text if row in known else None for row, text in enumerate(together.texts_LI[0])]
    return replace(together, test=test, validation=validation, texts_LI=[texts])


def told(stage: str, done: int, total: int, note: str) -> None:
    """Show progress on stderr, ten times a stage."""
    if total and done % max(1, total // 10) == 0:
        sys.stderr.write(f"{stage}: {done} of {total} {note}\n")


if __name__ == "__main__":
    main()
