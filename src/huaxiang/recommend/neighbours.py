"""Items that go with what the shopper did: whoever bought this, bought that next.

The whole idea in four steps. Count, over all shoppers, how often item *b* came after item *a*, near pairs
more than far ones. Divide by how popular both are, or everything goes with the bestseller. Add up the rows of
what the shopper did, the newest most. The highest sums are the list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, identity

from huaxiang.errors import NotFittedError, SettingsError
from huaxiang.ranking.effects import Effects
from huaxiang.recommend.base import NO_ITEM, Histories, TrainingData
from huaxiang.recommend.histories import take_events
from huaxiang.recommend.linear import Linear
from huaxiang.recommend.look_alikes import content_look_alikes, more_stand_ins, stand_ins
from huaxiang.recommend.pairs import Baskets, PairTable, baskets_of, keep_largest, pair_sums, shared_out
from huaxiang.recommend.search_space import DAYS, Range, Space
from huaxiang.recommend.stored import (
    load_arrays,
    load_settings,
    save_arrays,
    sparse_from_arrays,
    sparse_to_arrays,
)
from huaxiang.recommend.weights import (
    check_positive,
    check_share,
    faded_weights,
    type_weights,
    weights_at_items,
)
from huaxiang.records import Matrix


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings of `Neighbours`; a *moment* is one event, or one basket where times are known.

    Parameters
    ----------
    distance_decay
        What a pair counts for each further moment between the two; in (0, 1].
    window
        Moments beyond which no pair is counted; ≥ 1.
    backward_share
        What the pair counts in the other direction, from the later item to the earlier; 0 to 1.
    basket_exponent
        How strongly a moment's size is divided out of its pairs, or long invoices drown the short; 0 to 1.
    source_exponent, target_exponent
        How strongly popularity of the item done, and of the item proposed, is divided out; 0 to 1. None for
        the latter is 0.1 where only an order is known and 0.5 where times are: baskets share bestsellers.
    history_decay
        What an event of the history counts for each moment since; in (0, 1].
    half_life_days
        Days until an event of the history counts half; > 0, or None. Not used where only an order is known.
    n_neighbours
        Neighbours kept per item at `fit`; ≥ 1.
    """

    distance_decay: float = 0.8
    window: int = 30
    backward_share: float = 0.2
    basket_exponent: float = 0.5
    source_exponent: float = 0.5
    target_exponent: float | None = None
    history_decay: float = 0.6
    half_life_days: float | None = 180.0
    n_neighbours: int = 500

    def __post_init__(self) -> None:
        check_share("neighbours.distance_decay", self.distance_decay)
        check_share("neighbours.history_decay", self.history_decay)
        check_positive("neighbours.half_life_days", self.half_life_days)
        if self.window < 1 or self.n_neighbours < 1:
            raise SettingsError(
                "out of range", column="neighbours", remedy="window and n_neighbours are at least 1"
            )

    def pair_weights(self, lag: int) -> tuple[float, float]:
        """Return what a pair `lag` moments apart counts, forward and backward; a basket has no direction."""
        if lag > self.window:
            return 0.0, 0.0
        near = self.distance_decay ** max(lag - 1, 0)
        return near, near if lag == 0 else near * self.backward_share


UNSET_TARGET_EXPONENT = (0.1, 0.5)
"""Where only an order is known, and where times are."""
SPACE: Space = {
    "distance_decay": Range(low=0.3, high=1.0),
    "backward_share": Range(low=0.0, high=1.0),
    "basket_exponent": Range(low=0.0, high=1.0, needs_times=True),
    "source_exponent": Range(low=0.0, high=1.0),
    "target_exponent": Range(low=0.0, high=1.0, unset=UNSET_TARGET_EXPONENT),
    "history_decay": Range(low=0.2, high=1.0),
    "half_life_days": DAYS,
}


class Neighbours(Linear):
    """Directed nearest neighbours among items; learns with each event.

    Items without behaviour stand in for the known items they look like. So do words and photos, which also
    ask for the items they resemble.

    Source
    ------
    Sarwar et al., Item-Based Collaborative Filtering, WWW 2001; Garg et al., Sequence and Time Aware
    Neighborhood for Session-Based Recommendations (STAN), SIGIR 2019, for the decays. Ours is directed,
    counts baskets as moments, and divides the two popularities out with different exponents.
    """

    name = "neighbours"
    space: Space = SPACE
    uses: tuple[str, ...] = ("ids", "order", "times", "text", "image")

    def __init__(self, config: Config | None = None) -> None:
        self.config = config or Config()
        self.pairs_: PairTable | None = None
        self.mass_I: NDArray[np.float64] = np.zeros(0)
        self.vectors_ID: Matrix = np.zeros((0, 0), dtype=np.float32)
        self.target_exponent_ = 0.0
        self._target_divisor_I: NDArray[np.float32] | None = None

    def fit(self, training: TrainingData) -> Self:
        """Start over: count which items went together and which came next."""
        by_kind = UNSET_TARGET_EXPONENT[0 if training.histories.order_only else 1]
        chosen = self.config.target_exponent
        self.target_exponent_ = by_kind if chosen is None else chosen
        baskets = baskets_of(training.histories, training.catalogue.n_items)
        self.mass_I = np.asarray(baskets.items_MI.sum(axis=0), dtype=np.float64).ravel()
        self._target_divisor_I = None
        shared = shared_out(baskets, self.config.basket_exponent)
        self.pairs_ = PairTable(self._largest(_counted(shared, self.config)))
        self._look_at(training.vectors["fused"])
        return self

    def learn(self, history: Histories) -> None:
        """Count the newest event of the only shopper in `history` with each event before it.

        Events taken in order leave the same counts as `fit`, but for baskets: a line counts by the size that
        its basket had when it came, and in `fit` by the size it reached.
        """
        is_liked_E = (type_weights(history) > 0) & (history.item_rows != NO_ITEM)
        if not is_liked_E[-1]:
            return
        liked = take_events(history, is_liked_E)  # as in `fit`, what was not liked is no step between
        liking_E, new = type_weights(liked), int(liked.item_rows[-1])
        self.mass_I[new] += float(liking_E[-1])
        if self._target_divisor_I is not None:
            self._target_divisor_I[new] = _divisor(self.mass_I[[new]], self.target_exponent_)[0]
        steps_E = liked.steps_back
        share_E = (
            liking_E / np.bincount(steps_E, liking_E)[steps_E].clip(1e-12) ** self.config.basket_exponent
        )
        forward_E, backward_E = self._pair_weights(steps_E)
        old_E = liked.item_rows.astype(np.int32)
        amount_E = share_E * share_E[-1] * ((old_E != new) | (steps_E > 0))
        rows = np.concatenate([old_E, np.full(len(old_E), new, dtype=np.int32)])
        columns = np.concatenate([np.full(len(old_E), new, dtype=np.int32), old_E])
        amounts = np.concatenate([amount_E * forward_E, amount_E * backward_E]).astype(np.float32)
        counts = amounts > 0
        self._fitted().add(rows[counts], columns[counts], amounts[counts])

    def fold(self, *, every: int | None = None) -> None:
        """Take in what was learnt; with `every`, from now on only once so many pairs wait, or here."""
        table = self._fitted()
        table.fold_every = every or table.fold_every
        table.fold()

    def _pair_weights(self, steps_E: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return what a pair counts forward and backward, by how many moments lie between, (E,) each."""
        lags, which_E = np.unique(steps_E, return_inverse=True)
        weights = np.array([self.config.pair_weights(int(lag)) for lag in lags]).reshape(-1, 2)
        return weights[which_E, 0], weights[which_E, 1]

    def events(self, histories: Histories) -> tuple[Effects, Effects]:
        """Return what was done and what was asked for in words or photos, each (E, I), weighted."""
        self._fitted()
        decay, half_life_days = self.config.history_decay, self.config.half_life_days
        weights_E = faded_weights(histories, step_decay=decay, half_life_days=half_life_days)
        asked = content_look_alikes(histories, weights_E, self.vectors_ID)
        done = weights_at_items(histories, weights_E, len(self.mass_I))
        stood_in = done.after(self._others_II)
        return Effects.joined((done, stood_in, asked), done.shape), asked.times(self.typical_row_)

    def proposed(self, done_XI: csr_matrix, asked_XI: csr_matrix) -> Matrix:
        """Return the scores that follow from sums of what was done and asked for, (X, I)."""
        sources_XI = done_XI.multiply(_divisor(self.mass_I, self.config.source_exponent)[None, :]).tocsr()
        next_XI = self._fitted().after(sources_XI)
        next_XI = next_XI.multiply(_divisor(self.mass_I, self.target_exponent_)[None, :]).tocsr()
        return np.asarray((next_XI @ self.stand_ins_II.T + asked_XI).toarray(), dtype=np.float32)

    def followed(self, done: Effects, asked: Effects) -> Effects:
        """Return what follows from each event of one shopper, (E, I)."""
        sources = done.times(_divisor(self.mass_I[done.items], self.config.source_exponent))
        next_ones = Effects.joined(
            (sources.after(table_II) for table_II in self._fitted().tables()), sources.shape
        )
        proposed = next_ones.scaled(self._target_divisor())
        stood_for = proposed.after(self._stood_for_II)
        return Effects.joined((proposed, stood_for, asked), proposed.shape)

    def scale_of(self, done: NDArray[np.integer], proposed: NDArray[np.integer]) -> NDArray[np.float64]:
        """Return what the pairs of items done (N) and proposed (K) are multiplied by, (N, K)."""
        source_N = _divisor(self.mass_I[done], self.config.source_exponent)
        return np.outer(source_N, _divisor(self.mass_I[proposed], self.target_exponent_)).astype(np.float64)

    def with_items(self, vectors: Mapping[str, Matrix]) -> Neighbours:
        """Return the same counts over a longer catalogue; new items look like the old ones they resemble."""
        longer, fused_ID = Neighbours(self.config), vectors["fused"]
        n_new = len(fused_ID) - len(self.mass_I)
        longer.pairs_ = self._fitted().longer(len(fused_ID))
        longer.target_exponent_ = self.target_exponent_
        longer.mass_I = np.concatenate([self.mass_I, np.zeros(n_new)])
        longer.vectors_ID = np.ascontiguousarray(fused_ID, dtype=np.float32)
        longer.stand_ins_II = more_stand_ins(
            self.stand_ins_II, longer.vectors_ID, is_known_I=longer.mass_I > 0
        )
        longer._look_beside()
        longer.typical_row_ = self.typical_row_
        return longer

    def save(self, folder: Path) -> None:
        """Write the counts, the item vectors and the settings."""
        arrays = sparse_to_arrays("pairs", self._fitted().whole())
        arrays |= {"mass": self.mass_I, "vectors": self.vectors_ID}
        more = {"target_exponent": self.target_exponent_, "typical_row": self.typical_row_}
        save_arrays(folder, name=self.name, config=self.config, arrays=arrays, more=more)

    @classmethod
    def from_pretrained(cls, folder: Path) -> Self:
        """Return what `save` wrote."""
        said = load_settings(folder, name=cls.name)
        loaded = cls(Config(**said["config"]))
        loaded.target_exponent_ = float(said["more"]["target_exponent"])
        arrays = load_arrays(folder)
        loaded.mass_I = arrays["mass"]
        loaded.pairs_ = PairTable(sparse_from_arrays("pairs", arrays))
        loaded._look_at(arrays["vectors"])
        loaded.typical_row_ = float(
            said["more"]["typical_row"]
        )  # as it was fitted, whatever was learnt since
        return loaded

    def _largest(self, pairs_II: csr_matrix) -> csr_matrix:
        """Return the pairs without those that no list would notice."""
        divided = pairs_II.multiply(_divisor(self.mass_I, self.target_exponent_)[None, :]).tocsr()
        kept = keep_largest(divided, self.config.n_neighbours)
        kept.data[:] = 1.0
        return csr_matrix(pairs_II.multiply(kept))

    def _look_at(self, vectors_ID: Matrix) -> None:
        """Prepare what depends on the item vectors and the counts."""
        self._target_divisor_I = None
        self.vectors_ID = np.ascontiguousarray(vectors_ID, dtype=np.float32)
        self.stand_ins_II = stand_ins(self.vectors_ID, is_known_I=self.mass_I > 0)
        self._look_beside()
        everything = csr_matrix(np.ones((1, len(self.mass_I)), dtype=np.float32))
        nothing = csr_matrix(everything.shape, dtype=np.float32)
        self.typical_row_ = float(self.proposed(everything, nothing).sum()) / max(len(self.mass_I), 1)

    def _look_beside(self) -> None:
        """Keep which others stand in for each item, and for which others it stands; new ones apart, none."""
        itself_II = identity(len(self.mass_I), dtype=np.float32, format="csr")
        self._others_II = csr_matrix(self.stand_ins_II - itself_II)
        self._others_II.eliminate_zeros()
        self._stood_for_II = csr_matrix(self._others_II.T)

    def _target_divisor(self) -> NDArray[np.float32]:
        """Return by what popularity of the item proposed is divided out, kept while events are learnt."""
        if self._target_divisor_I is None:
            self._target_divisor_I = _divisor(self.mass_I, self.target_exponent_)
        return self._target_divisor_I

    def _fitted(self) -> PairTable:
        if self.pairs_ is None:
            raise NotFittedError("neighbours was not fitted", remedy="call fit first")
        return self.pairs_


def _counted(baskets: Baskets, config: Config) -> csr_matrix:
    """Return how often each column's item came after, or with, each row's item, near pairs more."""
    n_items = baskets.items_MI.shape[1]
    pairs_II = csr_matrix((n_items, n_items), dtype=np.float32)
    for lag in range(min(config.window, int(baskets.n_left_M.max(initial=0))) + 1):
        sums_II = pair_sums(baskets, lag)
        forward, backward = config.pair_weights(lag)
        pairs_II = pairs_II + forward * sums_II + (0.0 if lag == 0 else backward) * sums_II.T
    return csr_matrix(pairs_II, dtype=np.float32)


def _divisor(mass_I: NDArray[np.float64], exponent: float) -> NDArray[np.float32]:
    """Return 1 / mass^exponent, 0 where nothing is known of the item."""
    return np.where(mass_I > 0, np.maximum(mass_I, 1e-12) ** -exponent, 0.0).astype(np.float32)
