"""The best linear item-to-item weights, solved at once: EASE, or a directed ridge that reads texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import numpy as np
from scipy.sparse import csr_matrix, identity, vstack

from huaxiang.errors import NotFittedError, SettingsError
from huaxiang.ranking.effects import Effects
from huaxiang.recommend.base import Histories, TrainingData
from huaxiang.recommend.linear import Linear
from huaxiang.recommend.look_alikes import content_look_alikes, look_alikes
from huaxiang.recommend.pairs import baskets_of
from huaxiang.recommend.ridge import (
    Solution,
    centred_unit,
    directed_weights,
    largest_of_rows,
    source_gram,
    source_target,
    symmetric_weights,
)
from huaxiang.recommend.ridge_by_parts import directed_parts
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
    taken_by_shopper,
    weights_at_items,
)
from huaxiang.records import Matrix


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings of `ClosedForm`; a *moment* is one event, or one basket where times are known.

    Parameters
    ----------
    way
        "directed": what comes after, from what came before. "symmetric": what goes together (EASE).
    source_decay, target_decay
        What a moment counts for each step before, and after, the split; in (0, 1]. Directed only.
    ridge
        λ: how strongly weights are held near zero; > 0.
    text_weight
        α: what the likeness of two texts counts beside behaviour; ≥ 0, 0 reads no text.
    diagonal_factor
        How much more an item's own mass counts, so that it explains others, not itself; ≥ 1. Directed only.
    history_decay
        What an event of the history counts for each moment since; in (0, 1].
    half_life_days
        Days until an event of the history counts half; > 0, or None. Not used where only an order is known.
    zero_diagonal
        An item never proposes itself again.
    n_kept
        Weights kept per item to serve from, those farthest from 0; ≥ 1.
    n_exact
        Items up to which everything is solved exactly: memory grows with their square, time with their cube.
        The symmetric way takes no more.
    n_head
        Of a larger catalogue, the most popular items, which are solved exactly, and the others by what they
        have to do with those: see `ridge_by_parts`.
    max_items
        Larger catalogues are refused.
    """

    way: Literal["directed", "symmetric"] = "directed"
    source_decay: float = 0.5
    target_decay: float = 0.3
    ridge: float = 100.0
    text_weight: float = 40.0
    diagonal_factor: float = 1.5
    history_decay: float = 0.6
    half_life_days: float | None = 180.0
    zero_diagonal: bool = False
    n_kept: int = 200
    n_exact: int = 20_000
    n_head: int = 4_096
    max_items: int = 1_000_000

    def __post_init__(self) -> None:
        for name in ("source_decay", "target_decay", "history_decay"):
            check_share(f"closed_form.{name}", getattr(self, name))
        for name in ("ridge", "half_life_days", "n_kept", "n_exact", "n_head", "max_items"):
            check_positive(f"closed_form.{name}", getattr(self, name))
        if self.way not in ("directed", "symmetric"):
            raise SettingsError("unknown way", column="closed_form.way", value=self.way, remedy="see Config")
        if self.text_weight < 0 or self.diagonal_factor < 1:
            remedy = "text_weight is at least 0, diagonal_factor at least 1"
            raise SettingsError("out of range", column="closed_form", remedy=remedy)


EASE_SPACE: Space = {
    "ridge": Range(low=10.0, high=3000.0, log=True),
    "text_weight": Range(low=2.0, high=400.0, log=True),
    "history_decay": Range(low=0.2, high=1.0, is_read_late=True),
    "half_life_days": DAYS,
}
SPACE: Space = {
    **EASE_SPACE,
    "ridge": Range(low=10.0, high=1000.0, log=True),
    "source_decay": Range(low=0.2, high=0.9),
    "target_decay": Range(low=0.05, high=0.9),
    "diagonal_factor": Range(low=1.0, high=3.0),
}


class ClosedForm(Linear):
    """One linear map from what was done to what comes next; learns at the next retraining.

    An item without behaviour has its place in the map through its text. One that joins after `fit` is read as
    the fitted items it resembles, and so are words and photos.
    """

    name = "closed_form"
    space: Space = SPACE

    def __init__(self, config: Config | None = None) -> None:
        self.config = config or Config()
        text = ("text",) if self.config.text_weight else ()
        self.uses: tuple[str, ...] = ("ids", "order", "times", *text)
        self.weights_II: csr_matrix | None = None
        self.stand_ins_IK: csr_matrix | None = None
        self.vectors_ID: Matrix = np.zeros((0, 0), dtype=np.float32)
        self.typical_row_ = 0.0

    @property
    def max_items(self) -> int:
        """The largest catalogue that `fit` takes."""
        if self.config.way == "symmetric":
            return min(self.config.max_items, self.config.n_exact)
        return self.config.max_items

    def fit(self, training: TrainingData) -> Self:
        """Start over: solve for the weights. Two I × I float32 matrices stand in memory meanwhile.

        Of more than `Config.n_exact` items, two of the square of `n_head`, and four times the item vectors.
        """
        self._check_size(training.catalogue.n_items)
        if training.catalogue.n_items > self.config.n_exact:
            self._keep(self._solved_by_parts(training), training.vectors["fused"])
        else:
            self.fit_whole(training)
        return self

    def fit_whole(self, training: TrainingData) -> Solution | None:
        """Start over, and return the solution whole, of which `fit` keeps the largest; directed only.

        At any size: two I × I matrices stand in memory.
        """
        tell = training.progress or (lambda done, total, note: None)
        tell(0, 2, "closed form: solving")
        weights_II, solution = self._solved(training)
        if self.config.zero_diagonal:
            np.fill_diagonal(weights_II, 0.0)
        tell(1, 2, "closed form: keeping the largest weights")
        self._keep(largest_of_rows(weights_II, self.config.n_kept), training.vectors["fused"])
        tell(2, 2, "closed form")
        return solution

    def events(self, histories: Histories) -> tuple[Effects, Effects]:
        """Return what was done and what was asked for in words or photos, each (E, I), weighted."""
        self._fitted()
        config = self.config
        weights_E = faded_weights(
            histories, step_decay=config.history_decay, half_life_days=config.half_life_days
        )
        asked = content_look_alikes(histories, weights_E, self.vectors_ID)
        done = weights_at_items(histories, weights_E, len(self.vectors_ID))
        return Effects.joined((done, asked), done.shape), asked.times(self.typical_row_)

    def proposed(self, done_XI: csr_matrix, asked_XI: csr_matrix) -> Matrix:
        """Return the scores that follow from sums of what was done and asked for, (X, I)."""
        if self.stand_ins_IK is None:
            next_XI = done_XI @ self._fitted()
        else:
            next_XI = (done_XI @ self.stand_ins_IK @ self._fitted()) @ self.stand_ins_IK.T
        if asked_XI.nnz:
            next_XI = next_XI + asked_XI
        return np.asarray(next_XI.toarray(), dtype=np.float32)

    def followed(self, done: Effects, asked: Effects) -> Effects:
        """Return what follows from each event of one shopper, (E, I)."""
        if self.stand_ins_IK is None:
            return Effects.joined((done.after(self._fitted()), asked), done.shape)
        next_ones = done.after(self.stand_ins_IK).after(self._fitted())
        new_ones = next_ones.after(self._standing_for_KI)
        return Effects.joined((next_ones, new_ones, asked), done.shape)

    def with_items(self, vectors: Mapping[str, Matrix]) -> Self:
        """Return the same weights over a longer catalogue; new items stand for the old ones they resemble.

        Only what the new ones resemble is worked out: the weights stay those of the fitted items, and what
        an item brings and takes goes through those for which it stands.
        """
        fused_ID, n_learnt = vectors["fused"], self._fitted().shape[0]
        n_old = len(self.vectors_ID)
        was_learnt_I = np.arange(len(fused_ID)) < n_learnt
        alike_NK = look_alikes(fused_ID[n_old:], fused_ID, among_I=was_learnt_I)[:, :n_learnt]
        before = self.stand_ins_IK
        if before is None:
            before = identity(n_learnt, dtype=np.float32, format="csr")
        longer = type(self)(self.config)
        longer.weights_II, longer.typical_row_ = self.weights_II, self.typical_row_
        longer.vectors_ID = np.ascontiguousarray(fused_ID, dtype=np.float32)
        longer._stand_for(vstack([before, alike_NK], format="csr"))
        return longer

    def save(self, folder: Path) -> None:
        """Write the kept weights, the item vectors and the settings."""
        weights_II, stand_ins_IK = self._fitted(), self.stand_ins_IK
        if stand_ins_IK is not None:
            weights_II = csr_matrix(stand_ins_IK @ weights_II @ stand_ins_IK.T)
        arrays = sparse_to_arrays("weights", weights_II) | {"vectors": self.vectors_ID}
        more = {"typical_row": self.typical_row_}
        save_arrays(folder, name=self.name, config=self.config, arrays=arrays, more=more)

    @classmethod
    def from_pretrained(cls, folder: Path) -> Self:
        """Return what `save` wrote."""
        said = load_settings(folder, name=cls.name)
        loaded = cls(Config(**said["config"]))
        arrays = load_arrays(folder)
        loaded._keep(sparse_from_arrays("weights", arrays), arrays["vectors"])
        loaded.typical_row_ = said["more"].get("typical_row", loaded.typical_row_)  # of the fitted items
        return loaded

    def _solved(self, training: TrainingData) -> tuple[Matrix, Solution | None]:
        config, n_items = self.config, training.catalogue.n_items
        if config.way == "symmetric":
            together_II = _together(training.histories, n_items)
            return symmetric_weights(together_II, self._kernel(training), ridge=config.ridge), None
        solution = directed_weights(
            *self._sums(training),
            self._kernel(training),
            diagonal_factor=config.diagonal_factor,
            ridge=config.ridge,
        )
        return solution.weights_II, solution

    def _solved_by_parts(self, training: TrainingData) -> csr_matrix:
        config = self.config
        tell = training.progress or (lambda done, total, note: None)
        tell(0, 1, "closed form: solving")
        parts = directed_parts(
            *self._sums(training),
            self._kernel(training),
            diagonal_factor=config.diagonal_factor,
            ridge=config.ridge,
            n_head=config.n_head,
            n_kept=config.n_kept,
        )
        weights_II = parts.largest(
            config.n_kept,
            tell=lambda done, total: tell(done, total, "closed form: keeping the largest weights"),
        )
        if config.zero_diagonal:
            weights_II.setdiag(0.0)
            weights_II.eliminate_zeros()
        return weights_II

    def _sums(self, training: TrainingData) -> tuple[csr_matrix, csr_matrix]:
        config = self.config
        baskets = baskets_of(training.histories, training.catalogue.n_items)
        return (
            source_gram(baskets, decay=config.source_decay),
            source_target(baskets, source_decay=config.source_decay, target_decay=config.target_decay),
        )

    def _kernel(self, training: TrainingData) -> Matrix:
        texts_ID = training.vectors.get("text", training.vectors["fused"])
        return np.asarray(centred_unit(texts_ID) * np.float32(self.config.text_weight**0.5))

    def _keep(self, weights_II: csr_matrix, vectors_ID: Matrix) -> None:
        self.weights_II = weights_II
        self.stand_ins_IK = None
        self.vectors_ID = np.ascontiguousarray(vectors_ID, dtype=np.float32)
        self.typical_row_ = float(np.abs(weights_II.data).sum()) / max(weights_II.shape[0], 1)

    def _stand_for(self, stand_ins_IK: csr_matrix) -> None:
        """Let each item stand for fitted ones (K), itself where it is one of them."""
        self.stand_ins_IK = csr_matrix(stand_ins_IK)
        n_learnt = self.stand_ins_IK.shape[1]
        nothing_KK = csr_matrix((n_learnt, n_learnt), dtype=np.float32)
        self._standing_for_KI = csr_matrix(vstack([nothing_KK, self.stand_ins_IK[n_learnt:]]).T)

    def _check_size(self, n_items: int) -> None:
        if n_items > self.max_items:
            raise SettingsError(
                "too many items for a closed form",
                column="closed_form.max_items" if self.config.way == "directed" else "closed_form.n_exact",
                value=str(n_items),
                remedy=f"use neighbours, or raise the limit of {self.max_items} where memory allows",
            )

    def _fitted(self) -> csr_matrix:
        if self.weights_II is None:
            raise NotFittedError("closed_form was not fitted", remedy="call fit first")
        return self.weights_II


EASE = Config(way="symmetric", ridge=300.0, history_decay=0.9, half_life_days=3650.0)


class Ease(ClosedForm):
    """What goes together whatever the order: a linear autoencoder with the text kernel beside it.

    For shops with baskets, where the order within a visit says nothing. Its settings were not tuned.

    Source
    ------
    Steck, Embarrassingly Shallow Autoencoders for Sparse Data, WWW 2019; the kernel is ours.
    """

    name = "ease"
    space: Space = EASE_SPACE

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config or EASE)


def _together(histories: Histories, n_items: int) -> csr_matrix:
    """Return how many shoppers liked both the row's and the column's item, sparse (I, I)."""
    liking_UI = taken_by_shopper(histories, n_items)
    return csr_matrix(liking_UI.T @ liking_UI)
