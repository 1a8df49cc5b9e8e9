"""How well Chinese reviews of one kind of goods are judged by what was learnt from nine other kinds.

    python benchmarks/chinese_sentiment.py --data ../shared/data/reviews --out chinese_sentiment.json

Each of the ten categories of `online_shopping_10_cats` in turn is the test; its reviews with the same words
elsewhere are left out of the training. What is compared:

rules       the reader that ships, which learns nothing; it judges by the sign of its score
characters  logistic regression on TF-IDF of runs of 1 to 3 characters: the baseline
words       linear SVM on TF-IDF of words and pairs of words (jieba)
both        linear SVM on characters, words, and what the shipped reader found in the text
nb          the same, weighted by how much each run tells the two sides apart (Wang and Manning, 2012)
mean        the mean of the standardised outputs of both and nb
adapted     both, taught again with the tenth category's own reviews, without their labels: the half it is
            surest of on each side, with the labels it gave them itself
all         the mean of the standardised outputs of both, nb, adapted and rules

Source: Wang and Manning, Baselines and Bigrams, ACL 2012 (nb); McClosky et al., 2006 (self-training).
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import logging
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from huaxiang.reviews.rules import RuleReader

SURE_SHARE = 0.5
ROUNDS = 2


def read(file: Path) -> tuple[list[str], NDArray[np.int64], list[str]]:
    """Return categories, labels and texts."""
    with gzip.open(file, "rt", encoding="utf-8-sig") as lines:
        rows = list(csv.DictReader(lines))
    texts = [(row["review"] or "").replace("\ufeff", "").strip() for row in rows]
    return [row["category"] for row in rows], np.array([int(row["label"]) for row in rows]), texts


def words_of(texts: list[str]) -> list[list[str]]:
    """Return the words and the pairs of neighbouring words of each text."""
    import jieba

    jieba.setLogLevel(logging.ERROR)
    found = []
    for text in texts:
        words = [word for word in jieba.lcut(text.lower()) if word.strip()]
        found.append([*words, *(f"{a} {b}" for a, b in zip(words[:-1], words[1:], strict=True))])
    return found


def lexical(texts: list[str]) -> tuple[NDArray[np.float64], Any]:
    """Return the shipped reader's score, and a table of what it found: sides praised and blamed."""
    readings = RuleReader().read(texts)
    scores = np.array([reading.score for reading in readings])
    found = [
        [f"{mention.aspect} {mention.polarity}" for mention in reading.mentions]
        + [f"score {round(4 * reading.score)}"] * 3
        for reading in readings
    ]
    return scores, CountVectorizer(analyzer=lambda said: said, min_df=20, dtype=np.float32).fit_transform(
        found
    )


def nb_weights(counts: Any, labels: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return log p(run | good) / p(run | bad) of each column."""
    present = (counts > 0).astype(np.float32)
    good, bad = (1 + np.asarray(present[labels == side].sum(0)).ravel() for side in (1, 0))
    return np.asarray(np.log((good / good.sum()) / (bad / bad.sum())), np.float32)


def taught(x: Any, y: NDArray[np.int64]) -> LinearSVC:
    """Return a linear SVM, with one setting for all categories."""
    return LinearSVC(C=0.2, tol=1e-2).fit(x, y)


def adapted(x: Any, y: NDArray[np.int64], own: Any) -> NDArray[np.float64]:
    """Return outputs for reviews whose labels nobody knows, after learning from the surest of them."""
    output = taught(x, y).decision_function(own)
    for _ in range(ROUNDS):
        sides = [np.flatnonzero(output > 0), np.flatnonzero(output <= 0)]
        surest = [side[np.argsort(-np.abs(output[side]))[: int(SURE_SHARE * len(side))]] for side in sides]
        sure = np.concatenate(surest)
        labels = np.concatenate([np.ones(len(surest[0]), np.int64), np.zeros(len(surest[1]), np.int64)])
        x_all, y_all = sparse.vstack([x, own[sure]]).tocsr(), np.concatenate([y, labels])
        weight = np.concatenate(
            [np.ones(len(y)), np.full(len(labels), max(1.0, 0.25 * len(y) / len(labels)))]
        )
        output = LinearSVC(C=0.2, tol=1e-2).fit(x_all, y_all, sample_weight=weight).decision_function(own)
    return np.asarray(output)


def tables_of(texts: list[str], tell: Any) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """Return the shipped reader's scores, and the tables of counts."""
    counted = CountVectorizer(analyzer="char", ngram_range=(1, 3), min_df=5, binary=True, dtype=np.float32)
    characters = counted.fit_transform(texts)
    tell(f"{characters.shape[1]:,} runs of characters")
    words = CountVectorizer(analyzer=lambda said: said, min_df=3, binary=True, dtype=np.float32)
    by_word = words.fit_transform(words_of(texts))
    tell(f"{by_word.shape[1]:,} words and pairs")
    scores, sides = lexical(texts)
    tell("read by rules")
    return scores, {"characters": characters, "words": by_word, "sides": sides}


def measure(data: Path, tell: Any) -> dict[str, Any]:
    """Return accuracy by category and way."""
    categories, labels, texts = read(data / "online_shopping_10_cats.csv.gz")
    which = np.array(categories)
    scores, tables = tables_of(texts, tell)
    found: dict[str, dict[str, float]] = {}
    for category in dict.fromkeys(categories):
        started = time.perf_counter()
        own = np.flatnonzero(which == category)
        same = {texts[row] for row in own}
        rest = np.array([row for row in np.flatnonzero(which != category) if texts[row] not in same])
        y, wanted = labels[rest], labels[own] == 1
        parts = {}
        for name, table in tables.items():
            scale = TfidfTransformer(sublinear_tf=True).fit(table[rest])
            parts[name] = (scale.transform(table[rest]), scale.transform(table[own]))
        both = [
            sparse.hstack([parts[n][side] for n in ("characters", "words", "sides")]).tocsr()
            for side in (0, 1)
        ]
        ratio = sparse.diags(nb_weights(both[0], y))
        weighted = [(part @ ratio).tocsr() for part in both]
        logistic = LogisticRegression(C=3.0, max_iter=60, tol=1e-3, solver="liblinear")
        outputs = {
            "rules": scores[own],
            "characters": logistic.fit(parts["characters"][0], y).decision_function(parts["characters"][1]),
            "words": taught(parts["words"][0], y).decision_function(parts["words"][1]),
            "both": taught(both[0], y).decision_function(both[1]),
            "nb": taught(weighted[0], y).decision_function(weighted[1]),
        }
        outputs["mean"] = outputs["both"] / outputs["both"].std() + outputs["nb"] / outputs["nb"].std()
        outputs["adapted"] = adapted(both[0], y, both[1])
        of_all = [outputs[name] / outputs[name].std() for name in ("both", "nb", "adapted", "rules")]
        outputs["all"] = np.sum(of_all, axis=0)
        found[category] = {name: float(((out > 0) == wanted).mean()) for name, out in outputs.items()}
        found[category]["n"] = len(own)
        shown = ", ".join(f"{name} {value:.3f}" for name, value in found[category].items())
        tell(f"{category}: {shown}; {time.perf_counter() - started:.0f} s")
    return found


def main() -> None:
    """Measure, print the table, write it."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else None)
    asked.add_argument("--data", type=Path, required=True)
    asked.add_argument("--out", type=Path, required=True)
    given = asked.parse_args()
    started, cpu = time.perf_counter(), time.process_time()
    found = measure(given.data, lambda note: print(note, flush=True))
    ways = [name for name in next(iter(found.values())) if name != "n"]
    means = {way: float(np.mean([row[way] for row in found.values()])) for way in ways}
    print("mean: " + ", ".join(f"{way} {value:.4f}" for way, value in means.items()))
    spent = {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - cpu}
    result = {"categories": found, "mean": means, **spent}
    given.out.write_text(json.dumps(result, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
