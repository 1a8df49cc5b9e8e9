"""What a causal model writes, and what the check against the facts lets through.

    python benchmarks/writing.py [--out runs/writing] [--epochs 40]

Two figures. **The check**: portraits of a simulated shop, in English and Chinese. Each true sentence is
also made untrue in one place (a number, a word of the shop's vocabulary, a negation); wanted is that every
true one passes and no untrue one does. **A small model**: a GPT from scratch on the shop's own texts writes
on from the titles of products and from portraits; how much of it passes is a figure, not a target.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from huaxiang.encoders.named import text_encoder
from huaxiang.evaluate.hardware import hardware
from huaxiang.model import Model, load
from huaxiang.writing.base import Subject
from huaxiang.writing.check import EvidenceCheck
from huaxiang.writing.subjects import portrait_subjects

_NUMBER = re.compile(r"\d+")


def main() -> None:
    """Print both figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/writing"))
    parser.add_argument("--epochs", type=float, default=40)
    parser.add_argument("--size", default="small")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--shoppers", type=int, default=200)
    asked = parser.parse_args()
    print(hardware())
    shop, run, gpt = asked.out / "shop", asked.out / "run", asked.out / "gpt"
    asked.out.mkdir(parents=True, exist_ok=True)
    if not shop.exists():
        call("simulate", "--seed", asked.seed, "--out", shop)
    if not run.exists():
        members = "recommend.members=['popular','own_frequency','neighbours','closed_form']"
        call("build", "--shop", shop, "--image", "none", "--set", members, "--out", run)
    model = load(run)
    encoder = text_encoder("default", cache_folder=asked.out / "cache")
    for language in ("en", "zh"):
        profiles = (model.profile(one) for one in model.states.shopper_ids[: asked.shoppers])
        subjects = portrait_subjects(profiles, language)
        for name, check in (
            ("words", EvidenceCheck()),
            ("words and meaning", EvidenceCheck(encoder=encoder)),
        ):
            print_check(language, name, check, subjects, model)
    if not gpt.exists():
        call(
            *("pretrain", "text", "--shop", shop, "--objective", "causal", "--from-scratch", asked.size),
            *("--set", f"training.epochs={asked.epochs}", "--set", "max_tokens=256", "--seed", asked.seed),
            *("--out", gpt),
        )
    metrics = json.loads((gpt / "metrics.json").read_text(encoding="utf-8"))
    print(f"GPT {asked.size}, perplexity {metrics['perplexity']:.1f}")
    for what, source in (("products", ("--shop", shop)), ("portraits", ("--run", run))):
        for language in ("en", "zh"):
            place = asked.out / f"{what}-{language}.csv"
            said = call(
                *("write", what, *source, "--model", gpt, "--language", language, "--seed", asked.seed),
                *("--most", asked.shoppers, "--out", place, "--sentences", place.with_suffix(".all.csv")),
                "--json",
            )
            counts = json.loads(said)["counts"]
            share = counts["passed"] / max(counts["sentences"], 1)
            print(f"{what}, {language}: {share:.1%} of {counts['sentences']} sentences pass; {counts}")


def print_check(
    language: str, name: str, check: EvidenceCheck, subjects: Sequence[Subject], model: Model
) -> None:
    """Print how many true and untrue sentences pass."""
    rng = np.random.default_rng(0)
    true = [(fact, one.facts) for one in subjects for fact in one.facts]
    print(f"{language}, {name}: {_passing(check, true)} true sentences pass", end="")
    values = sorted(
        {
            label
            for one in model.catalogue.dimensions.values()
            for label in one.labels.get(language, one.values)
        }
    )
    for kind, made in (
        ("number", list(other_numbers(subjects, rng))),
        ("word", list(other_words(subjects, values, rng))),
        ("negation", list(turned(subjects, language))),
    ):
        print(f"; another {kind}: {_passing(check, made)}", end="")
    print()


def other_numbers(
    subjects: Sequence[Subject], rng: np.random.Generator
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield sentences with one number that none of the subject's facts holds."""
    for one in subjects:
        known = set(_NUMBER.findall(" ".join(one.facts)))
        for fact in one.facts:
            found = list(_NUMBER.finditer(fact))
            if found:
                at = found[int(rng.integers(len(found)))]
                other = next(str(n) for n in rng.permutation(np.arange(2, 400)) if str(n) not in known)
                yield fact[: at.start()] + other + fact[at.end() :], one.facts


def other_words(
    subjects: Sequence[Subject], values: Sequence[str], rng: np.random.Generator
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield sentences whose value of the shop's vocabulary is one that no fact of the subject names."""
    for one in subjects:
        whole = " ".join(one.facts)
        unknown = [value for value in values if value not in whole]
        for fact in one.facts:
            named = max((value for value in values if value in fact), key=len, default="")
            if named and unknown:
                yield fact.replace(named, unknown[int(rng.integers(len(unknown)))]), one.facts


def turned(subjects: Sequence[Subject], language: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield sentences that say no where the fact says yes."""
    changes = {
        "en": [("Prefers", "Does not prefer"), ("Favours", "Does not favour"), ("Likes", "Does not like")],
        "zh": [("偏爱", "不偏爱"), ("喜欢", "不喜欢"), ("常选", "不常选")],
    }
    for one in subjects:
        for fact in one.facts:
            for before, after in changes[language]:
                if before in fact and after not in fact:
                    yield fact.replace(before, after, 1), one.facts
                    break


def _passing(check: EvidenceCheck, made: Sequence[tuple[str, tuple[str, ...]]]) -> str:
    alone = [True] * len(made)
    verdicts = check.verdicts([said for said, _ in made], [facts for _, facts in made], alone=alone)
    return f"{sum(one.refusal is None for one in verdicts)} of {len(made)}"


def call(*said: object) -> str:
    """Run a command of ours and return what it prints."""
    command = [sys.executable, "-m", "huaxiang", *map(str, said)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main()
