"""What retraining needs beside fitting: the incumbent brought up to date, and both measured alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from huaxiang.errors import SettingsError
from huaxiang.evaluate.holdout import Newest, Next, new_items_only
from huaxiang.evaluate.measure import Measurement, measure
from huaxiang.evaluate.trial import Ensembles, weighted
from huaxiang.feedback.decision import Decision, Rule, decide
from huaxiang.recommend.base import GoesOn, Histories, Recommender
from huaxiang.recommend.histories import newest, take_events, take_shoppers
from huaxiang.records import Matrix, Vector

Progress = Callable[[str, int, int, str], None]
PARTS = {"new": True, "all": False}
"""Kind of list → whether what was had before is left out; the first decides."""

DECIDED_ON = "ndcg@10"
READ = 256
"""Newest events of a shopper that are the context of one more, as many as a state holds."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a model is retrained.

    Parameters
    ----------
    since_ms
        Newest moment that the model in place has learnt from, milliseconds since 1970.
    start_over
        Carry no weights over, as when somebody who was learnt from has withdrawn.
    test_share
        Share of the purchases since then that both models are asked for; above 0, below 1.
    said
        Vectors of shoppers' words and photos that are known already, by the number of the content.
    photos
        Name → photo of an item, for names that the shop's own folder doesn't have.
    """

    since_ms: int
    start_over: bool = False
    test_share: float = 0.5
    rule: Rule = field(default_factory=Rule)
    said: Mapping[int, Vector] = field(default_factory=dict, repr=False)
    photos: Mapping[str, Path] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if not 0 < self.test_share < 1:
            raise SettingsError(
                "setting is out of range",
                column="retrain.test_share",
                value=str(self.test_share),
                remedy="give a share above 0 and below 1",
            )


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Both models on the same shoppers and the same later purchases.

    Parameters
    ----------
    split
        How the newest days were held out.
    parts
        "new" and "all" → "candidate" and "incumbent" → figures with their intervals.
    """

    split: str
    parts: Mapping[str, Any]
    decision: Decision

    def figure(self, name: str, metric: str) -> float:
        """Return the mean of a figure of "candidate" or "incumbent" in the part that decides; 0 of nobody."""
        found = self.parts[next(iter(PARTS))].get(name)
        return float(found[metric]["mean"]) if found else 0.0

    def as_json(self) -> dict[str, Any]:
        """Return the record that is kept with the run."""
        return {
            "split": self.split,
            "parts": {part: dict(found) for part, found in self.parts.items()},
            "decision": self.decision.as_json(),
        }


def next_members(
    members: Mapping[str, Recommender], in_place: Mapping[str, Recommender], *, start_over: bool
) -> dict[str, Recommender]:
    """Return members yet to be fitted: those that can, and may, go on from where the ones in place are.

    Parameters
    ----------
    members
        Name → a new one with the shop's settings.
    start_over
        Nothing may be carried over, as when somebody who was learnt from is to be forgotten.
    """
    return {
        name: before.going_on()
        if not start_over and isinstance(before := in_place.get(name), GoesOn)
        else member
        for name, member in members.items()
    }


def caught_up(
    incumbent: Ensembles, vectors: Mapping[str, Matrix], held_out: Newest, *, progress: Progress
) -> Ensembles:
    """Return the model in place as it serves on the first held-out day.

    It knows the items that joined since, and its popularity and neighbours have learnt from each event since,
    as a service lets them. The model that was passed in stays as it is.
    """
    members = dict(incumbent.new.with_items(vectors).members)
    ready = Ensembles(
        new=weighted(members, incumbent.new.weights_, exclude_had=True),
        all=weighted(members, incumbent.all.weights_, exclude_had=False),
    )
    known = held_out.known
    is_new_E = known.occurred_ms > held_out.since_ms
    with_new = np.unique(known.shopper_of_event[is_new_E])
    for number, shopper in enumerate(with_new.tolist()):
        if number % 100 == 0:
            progress("bring the old model up to date", number, len(with_new), "")
        _let_learn(ready, take_shoppers(known, np.array([shopper])), since_ms=held_out.since_ms)
    progress("bring the old model up to date", len(with_new), len(with_new), "")
    return ready


def _let_learn(ensembles: Ensembles, history: Histories, *, since_ms: int) -> None:
    places = np.arange(len(history.item_rows))
    for place in np.flatnonzero(history.occurred_ms > since_ms).tolist():
        ensembles.new.learn(newest(take_events(history, places <= place), READ))


def compare(
    candidate: Ensembles, incumbent: Ensembles, held_out: Newest, *, rule: Rule | None = None, seed: int
) -> Comparison:
    """Return how both did on the held-out days, and whether the candidate may take the incumbent's place."""
    measured = {
        part: {
            name: _measured(name, ensembles, held_out, part)
            for name, ensembles in (("candidate", candidate), ("incumbent", incumbent))
        }
        for part in PARTS
    }
    first = next(iter(PARTS))
    figures = [measured[first][name].per_shopper()[DECIDED_ON] for name in ("candidate", "incumbent")]
    return Comparison(
        split=held_out.description,
        parts={
            part: {
                "n_shoppers": len(both["candidate"].ndcg_U),
                **{name: one.figures(seed=seed) for name, one in both.items() if len(one.ndcg_U)},
            }
            for part, both in measured.items()
        },
        decision=decide(*figures, metric=f"{DECIDED_ON}, {first} items", seed=seed, rule=rule),
    )


def _measured(name: str, ensembles: Ensembles, held_out: Newest, part: str) -> Measurement:
    held: Next = new_items_only(held_out.test) if PARTS[part] else held_out.test
    model = ensembles.of(part)
    return measure(name, model.score, held.targets, uses=model.uses, exclude_had=PARTS[part], had=held.had)
