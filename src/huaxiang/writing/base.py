"""What is written about, who writes, and what comes of it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np

from huaxiang.encoders.drafts import Drafts
from huaxiang.encoders.pretraining.corpus import sentences_of
from huaxiang.writing.check import EvidenceCheck, Refusal

Progress = Callable[[int, int, str], None]
_AT_ONCE = 32


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Something to write about.

    Parameters
    ----------
    key
        Its id: of an item, of a shopper.
    kind
        product, portrait or reviews.
    language
        en or zh.
    facts
        What is known of it, a sentence each, in that language.
    start
        What a model that only goes on with a text is given.
    keeps_facts
        Whether each fact stands for itself: a sentence says one alone; what none says the fact says.
    plain
        What is shown where no sentence passes; "" shows the facts.
    """

    key: str
    kind: str
    language: str
    facts: tuple[str, ...]
    start: str
    keeps_facts: bool
    plain: str = ""


class Writer(Protocol):
    """Subjects in, texts out. What it writes is not to be believed."""

    @property
    def name(self) -> str:
        """Which model it is: with another one, other texts are written."""
        ...

    @property
    def failed(self) -> Counter[str]:
        """Why nothing was written so far, counted."""
        ...

    def write(self, subjects: Sequence[Subject], rng: np.random.Generator) -> list[str | None]:
        """Return a text for each; None where nothing was written, which is counted."""
        ...


def fingerprint(subjects: Sequence[Subject], writer: str, seed: int) -> str:
    """Return a hash of what is written about, by whom, and from which seed."""
    total = hashlib.blake2b(f"{writer}\0{seed}".encode(), digest_size=8)
    for one in subjects:
        total.update("\0".join((one.key, one.kind, one.language, one.start, *one.facts)).encode() + b"\1")
    return total.hexdigest()


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A sentence that was written, the row of its fact (-1: none), and why it is not used (None: it is)."""

    text: str
    fact: int
    refusal: Refusal | None


@dataclass(frozen=True, kw_only=True)
class Written:
    """What was written about a subject, and the text that can be shown."""

    subject: Subject
    sentences: tuple[Judged, ...]
    text: str

    @property
    def n_passed(self) -> int:
        """How many of the sentences are used."""
        return sum(one.refusal is None for one in self.sentences)


def write_about(
    subjects: Sequence[Subject],
    writer: Writer,
    check: EvidenceCheck,
    *,
    seed: int = 0,
    drafts: Drafts | None = None,
    progress: Progress | None = None,
) -> list[Written]:
    """Let a model write about each subject, and keep the sentences that say only what is known.

    Where none passes, the facts themselves are the text: it is plain, and true.

    Parameters
    ----------
    drafts
        What was written before the same call was stopped; it counts why nothing was.
    """
    drafts = drafts or Drafts(None, of="")
    found: list[Written] = []
    for number, start in enumerate(range(0, len(subjects), _AT_ONCE)):
        part = subjects[start : start + _AT_ONCE]
        draft = drafts.part(
            number,
            write=partial(writer.write, part, np.random.default_rng((seed, number))),
            counted=lambda: writer.failed,
        )
        found += _judged(part, draft.texts, check)
        if progress:
            passed = sum(one.n_passed for one in found)
            of = sum(len(one.sentences) for one in found)
            progress(len(found), len(subjects), f"{passed} of {of} sentences pass")
    return found


def _judged(subjects: Sequence[Subject], texts: Sequence[str | None], check: EvidenceCheck) -> list[Written]:
    split = [sentences_of(text) for text in texts]
    of = [one for one, said in zip(subjects, split, strict=True) for _ in said]
    verdicts = iter(
        check.verdicts(
            [sentence for said in split for sentence in said],
            [one.facts for one in of],
            alone=[one.keeps_facts for one in of],
        )
    )
    found: list[Written] = []
    for subject, said in zip(subjects, split, strict=True):
        judged = [Judged(text=one, fact=v.fact, refusal=v.refusal) for one, v in zip(said, verdicts)]  # noqa: B905 - the verdicts of all
        found.append(Written(subject=subject, sentences=tuple(judged), text=_shown(subject, judged)))
    return found


def _shown(subject: Subject, judged: Sequence[Judged]) -> str:
    """Return what passed, in the facts' order where each has to be said, without what was said before."""
    passed = [one for one in judged if one.refusal is None]
    if not passed and subject.plain:
        return subject.plain
    if subject.keeps_facts:
        by_fact = {one.fact: one.text for one in reversed(passed)}
        said = [by_fact.get(row, fact) for row, fact in enumerate(subject.facts)]
    else:
        said = [one.text for one in passed] or list(subject.facts)
    between = "" if subject.language == "zh" else " "
    return between.join(dict.fromkeys(said))


def counts_of(written: Sequence[Written]) -> dict[str, int]:
    """Return how many sentences were written, how many passed, and how many were refused for what."""
    said = [one for text in written for one in text.sentences]
    refused = Counter(str(one.refusal) for one in said if one.refusal is not None)
    word_for_word = sum(
        one.refusal is None and one.text == text.subject.facts[one.fact]
        for text in written
        for one in text.sentences
    )
    return {
        "subjects": len(written),
        "sentences": len(said),
        "passed": len(said) - refused.total(),
        "word_for_word": word_for_word,
        **dict(sorted(refused.items())),
    }
