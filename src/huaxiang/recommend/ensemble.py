"""Several recommenders as one: their scores on one scale, weighted as validation says, and added."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

import numpy as np

from huaxiang.errors import NotFittedError, SettingsError
from huaxiang.notes import Note, note
from huaxiang.ranking.effects import Effects
from huaxiang.recommend.attribution import scores_by_event
from huaxiang.recommend.base import (
    Contributions,
    FoldsLater,
    Histories,
    LearnsEvents,
    Recommender,
    TakesNewItems,
    Targets,
    TrainingData,
)
from huaxiang.recommend.blend import Pool, choose_weights, joined, pool_of, scale_of
from huaxiang.recommend.histories import histories_of
from huaxiang.recommend.longer import Longer
from huaxiang.recommend.stored import load_settings, save_settings
from huaxiang.recommend.ways import load_recommender, make_recommender
from huaxiang.records import Matrix, Vector

logger = logging.getLogger(__name__)
_NOBODY = histories_of([[]])


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings of `Ensemble`.

    Parameters
    ----------
    members
        Names of the ways it joins, from the simplest.
    weights
        Member → weight; empty to choose them on validation, alike where there is none.
    exclude_had
        Choose for lists that leave out what the shopper had.
    n_shoppers
        Validation shoppers that the weights are chosen on, at most; ≥ 1.
    """

    members: tuple[str, ...] = ("popular", "own_frequency", "neighbours", "closed_form")
    weights: Mapping[str, float] = field(default_factory=dict)
    exclude_had: bool = False
    n_shoppers: int = 4000

    def __post_init__(self) -> None:
        unknown = set(self.weights) - set(self.members)
        if unknown or not self.members or self.n_shoppers < 1:
            value = ", ".join(sorted(unknown)) or str(self.n_shoppers)
            remedy = f"members are {', '.join(self.members) or 'missing'}"
            raise SettingsError("not an ensemble", column="ensemble", value=value, remedy=remedy)


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """Members that were fitted before an earlier stretch of the log, and what came next in it."""

    members: Mapping[str, Recommender]
    targets: Targets
    had: Histories | None = None


class Ensemble:
    """A weighted sum of members' scores, each brought to mean 0 and length 1 within the shopper.

    A member whose catalogue limit is exceeded is left out, and `degraded_` says so.

    Parameters
    ----------
    members
        Name → recommender, for members with settings of their own; None makes the configured ones.
    """

    name = "ensemble"

    def __init__(
        self, config: Config | None = None, *, members: Mapping[str, Recommender] | None = None
    ) -> None:
        self.config = config or (Config(members=tuple(members)) if members else Config())
        self.members = dict(members or {name: make_recommender(name) for name in self.config.members})
        self.weights_: dict[str, float] = {}
        self.degraded_: tuple[Note, ...] = ()

    @property
    def uses(self) -> tuple[str, ...]:
        """Everything that a member with weight reads."""
        used = [name for name in self.members if self.weights_.get(name, 1) != 0]
        return tuple(dict.fromkeys(part for name in used for part in self.members[name].uses))

    def fit(self, training: TrainingData) -> Self:
        """Start over: fit each member, then choose the weights where there is something to choose them on."""
        self.members, self.degraded_ = within_limits(self.members, training.catalogue.n_items)
        for member in self.members.values():
            member.fit(training)
        alike = dict.fromkeys(self.members, 1.0)
        self.weights_ = (
            {name: self.config.weights.get(name, 0.0) for name in alike} if self.config.weights else alike
        )
        if training.validation is not None and not self.config.weights:
            self.choose(training.validation, seed=training.seed)
        return self

    def choose(
        self,
        validation: Targets,
        *,
        had: Histories | None = None,
        seed: int = 0,
        earlier: Sequence[Earlier] = (),
    ) -> Self:
        """Choose the weights for the best NDCG@10 on `validation`, which no member may have seen.

        Parameters
        ----------
        earlier
            The same members as they were before earlier stretches, and what came next there: the weights hold
            for all of them, so that one season's fashion doesn't decide. Members that are not among those
            are weighed last, on `validation` alone.
        """
        names = list(self.members)
        quick = [name for name in names if all(name in one.members for one in earlier)]
        newest = self._pool(self.members, validation, had, seed)
        if not earlier or not quick:
            self.weights_ = dict(zip(names, choose_weights(newest), strict=True))
            return self
        pools = [self._pool({name: self.members[name] for name in quick}, validation, had, seed)]
        for one in earlier:
            pools.append(self._pool({name: one.members[name] for name in quick}, one.targets, one.had, seed))
        found = dict(zip(quick, choose_weights(joined(pools)), strict=True))
        start = [found.get(name, 0.0) for name in names]
        others = [place for place, name in enumerate(names) if name not in found]
        self.weights_ = dict(zip(names, choose_weights(newest, start=start, changing=others), strict=True))
        return self

    def _pool(
        self, members: Mapping[str, Recommender], targets: Targets, had: Histories | None, seed: int
    ) -> Pool:
        return pool_of(
            {name: member.score for name, member in members.items()},
            targets,
            had=had,
            exclude_had=self.config.exclude_had,
            n_shoppers=self.config.n_shoppers,
            rng=np.random.default_rng(seed),
        )

    def learn(self, history: Histories) -> None:
        """Let the members that can learn from the newest event of the only shopper in `history`."""
        for member in self.members.values():
            if isinstance(member, LearnsEvents):
                member.learn(history)

    def fold(self, *, every: int | None = None) -> None:
        """Let the members take in what they learnt; see `PairTable`."""
        for member in self.members.values():
            if isinstance(member, FoldsLater):
                member.fold(every=every)

    def score(self, histories: Histories) -> Matrix:
        """Return the weighted sum of standard scores, (U, I)."""
        total_UI: Matrix | None = None
        for name, weight in self._weights().items():
            scores_UI = self.members[name].score(histories)
            mean_U1, length_U1 = scale_of(scores_UI)
            scores_UI = (scores_UI - mean_U1) * (np.float32(weight) / length_U1)
            total_UI = scores_UI if total_UI is None else total_UI + scores_UI
        assert total_UI is not None
        return total_UI

    def scores_by_event(self, history: Histories) -> tuple[Vector, Effects]:
        """Return the scores of the only shopper, (I,), and what each event adds to them."""
        return self.scores_with_members(history)[:2]

    def scores_with_members(self, history: Histories) -> tuple[Vector, Effects, dict[str, Vector]]:
        """Return the same as `scores_by_event`, and each weighted member's own scores, (I,)."""
        total_I: Vector | None = None
        parts, own = [], {}
        for name, weight in self._weights().items():
            own[name], effects = scores_by_event(self.members[name], history)
            scaled_I, factor = _scaled(own[name], weight)
            total_I = scaled_I if total_I is None else total_I + scaled_I
            parts.append(effects.times(factor))
        assert total_I is not None
        return total_I, Effects.joined(parts, (len(history.item_rows), len(total_I))), own

    def score_beside(self, history: Histories, own: Mapping[str, Vector]) -> Vector:
        """Return the scores of the only shopper, (I,).

        Parameters
        ----------
        own
            Scores of members that are known already, from an ensemble of the same members; see
            `scores_with_members`.
        """
        total_I: Vector | None = None
        for name, weight in self._weights().items():
            scores_I = own[name] if name in own else self.members[name].score(history)[0]
            scaled_I, _ = _scaled(scores_I, weight)
            total_I = scaled_I if total_I is None else total_I + scaled_I
        assert total_I is not None
        return total_I

    def contributions(self, histories: Histories, item_row: int) -> Contributions:
        """Return the members' contributions, weighted and on the scale of the score."""
        values, rest, is_exact = np.zeros(len(histories.event_keys)), 0.0, True
        for name, weight in self._weights().items():
            mean_11, length_11 = (float(part[0, 0]) for part in scale_of(self.members[name].score(histories)))
            part = self.members[name].contributions(histories, item_row)
            values += part.values * (weight / length_11)
            rest += (part.rest - mean_11) * (weight / length_11)
            is_exact &= part.is_exact
        return Contributions(
            event_keys=histories.event_keys, values=values.astype(np.float32), rest=rest, is_exact=is_exact
        )

    def with_items(self, vectors: Mapping[str, Matrix]) -> Ensemble:
        """Return the same ensemble over a longer catalogue.

        A member that takes no new items scores them as those they look like, and `degraded_` says so.
        """
        longer: dict[str, Recommender] = {}
        notes = list(self.degraded_)
        for name, member in self.members.items():
            if isinstance(member, TakesNewItems):
                longer[name] = member.with_items(vectors)
                continue
            n_known = member.score(_NOBODY).shape[1]
            longer[name] = Longer(member, vectors["fused"], n_known=n_known)
            notes.append(note("no_new_items", name=name))
            logger.warning(notes[-1])
        return self.over(longer, degraded=notes)

    def over(self, members: Mapping[str, Recommender], *, degraded: Sequence[Note] = ()) -> Ensemble:
        """Return an ensemble with the same weights over other members of the same names."""
        joined = Ensemble(self.config, members=members)
        joined.weights_, joined.degraded_ = dict(self.weights_), tuple(degraded)
        return joined

    def save(self, folder: Path) -> None:
        """Write each member into a folder of its name, and the weights."""
        more = {"weights": self._weights(), "names": list(self.members), "degraded": self.degraded_}
        for name, member in self.members.items():
            member.save(folder / name)
        save_settings(folder, name=self.name, config=asdict(self.config), more=more)

    @classmethod
    def from_pretrained(cls, folder: Path) -> Self:
        """Return what `save` wrote."""
        said = load_settings(folder, name=cls.name)
        config = Config(**{**said["config"], "members": tuple(said["config"]["members"])})
        loaded = cls(
            config, members={name: load_recommender(folder / name) for name in said["more"]["names"]}
        )
        loaded.weights_ = {name: float(weight) for name, weight in said["more"]["weights"].items()}
        loaded.degraded_ = tuple(said["more"]["degraded"])
        return loaded

    def _weights(self) -> dict[str, float]:
        if not self.weights_:
            raise NotFittedError("ensemble was not fitted", remedy="call fit first")
        return {name: weight for name, weight in self.weights_.items() if weight != 0}


def _scaled(scores_I: Vector, weight: float) -> tuple[Vector, float]:
    """Return one shopper's scores at mean 0 and length `weight`, and what they were multiplied by."""
    mean_11, length_11 = scale_of(scores_I[None])
    factor = float(weight / length_11[0, 0])
    return (scores_I - mean_11[0, 0]) * np.float32(factor), factor


def within_limits(
    members: Mapping[str, Recommender], n_items: int
) -> tuple[dict[str, Recommender], tuple[Note, ...]]:
    """Return the members that can take a catalogue of `n_items`, and a note on each that can't.

    The last one stays, so that it may say itself what is wrong.
    """
    kept = dict(members)
    notes: list[Note] = []
    for name, member in members.items():
        limit = getattr(member, "max_items", n_items)
        if n_items > limit and len(kept) > 1:
            del kept[name]
            notes.append(note("left_out", name=name, n_items=n_items, limit=limit))
            logger.warning(notes[-1])
    return kept, tuple(notes)
