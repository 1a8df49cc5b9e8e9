"""What shoppers have in common, told by a deep belief network: a stack of restricted Boltzmann machines.

The lowest machine sees which items a shopper took, and its hidden units learn what is taken together. Each
machine above sees how likely the units below are on, and learns which of those go together. To recommend, a
history is carried up as probabilities, layer by layer, and down again to every item; on the way down a layer
believes half what it saw below and half what the layer above expects.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import expit, logit

from huaxiang.errors import NotFittedError, SettingsError
from huaxiang.recommend.attribution import contributions_of
from huaxiang.recommend.base import Contributions, Histories, TrainingData
from huaxiang.recommend.look_alikes import look_alikes
from huaxiang.recommend.stored import load_arrays, load_settings, save_arrays
from huaxiang.recommend.weights import (
    check_positive,
    check_share,
    faded_weights,
    item_weights,
    sum_by_shopper,
    taken_by_shopper,
)
from huaxiang.records import Matrix, Vector

if TYPE_CHECKING:
    from sklearn.neural_network import BernoulliRBM

FIRST_WEIGHTS = 0.1
"""Standard deviation of the weights at the start."""
FIRST_HIDDEN = -2.0
"""Bias of the hidden units at the start: one in eight is on, so that each may come to mean something."""
WARM_UP = 0.1
"""Share of the steps in which the step size rises."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings of `DeepBelief`.

    Parameters
    ----------
    units
        Hidden units of each layer, the lowest first; each ≥ 1.
    learning_rate
        Step size at its highest, after a tenth of the steps; > 0. In each layer it is divided by the root of
        the share of shoppers at which the average thing is seen: what few take would hardly be learnt.
    steps
        Steps of each layer; ≥ 1. Small shops go through their shoppers more often for it.
    batch_size
        Shoppers between two steps, and imagined ones that they are compared with; ≥ 1.
    history_decay
        What an event of the history counts for each moment since; in (0, 1].
    half_life_days
        Days until an event of the history counts half; > 0, or None. Not used where only an order is known.
    history_weight
        What the newest purchase counts, where 1 is having taken the item as in learning; > 0.
    max_items
        Larger catalogues are refused: a step costs as much as the catalogue is long, whatever was taken.
    """

    units: tuple[int, ...] = (128, 64)
    learning_rate: float = 0.5
    steps: int = 2700
    batch_size: int = 100
    history_decay: float = 0.7
    half_life_days: float | None = 180.0
    history_weight: float = 3.0
    max_items: int = 20_000

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", tuple(self.units))  # a list, where read from a file
        for n_units in self.units or (0,):
            check_positive("deep_belief.units", n_units)
        for name in ("learning_rate", "steps", "batch_size", "half_life_days", "history_weight", "max_items"):
            check_positive(f"deep_belief.{name}", getattr(self, name))
        check_share("deep_belief.history_decay", self.history_decay)


class Layer(NamedTuple):
    """One machine: weights between its hidden units (K) and what it sees (V), and the biases of both."""

    weights_KV: Matrix
    hidden_K: Vector
    visible_V: Vector

    def up(self, visible_UV: Matrix | csr_matrix) -> Matrix:
        """Return the log-odds that each hidden unit is on, given what is seen, (U, K)."""
        return np.asarray(visible_UV @ self.weights_KV.T + self.hidden_K, dtype=np.float32)

    def down(self, hidden_UK: Matrix) -> Matrix:
        """Return the log-odds of what is seen, given how likely the hidden units are on, (U, V)."""
        return np.asarray(hidden_UK @ self.weights_KV + self.visible_V, dtype=np.float32)

    @classmethod
    def of(cls, machine: BernoulliRBM) -> Self:
        """Return what a fitted machine learnt."""
        return cls(machine.components_, machine.intercept_hidden_, machine.intercept_visible_)


class DeepBelief:
    """A deep belief network, trained greedily layer by layer; learns at the next retraining.

    Its machines are scikit-learn's, which learn by persistent contrastive divergence.

    Source
    ------
    Hinton et al., A Fast Learning Algorithm for Deep Belief Nets, Neural Computation 2006;
    Salakhutdinov et al., Restricted Boltzmann Machines for Collaborative Filtering, ICML 2007;
    Hinton, A Practical Guide to Training Restricted Boltzmann Machines, 2010, section 8, for the biases at
    the start; Salakhutdinov and Hinton, Deep Boltzmann Machines, AISTATS 2009, for hearing both neighbours of
    a layer. Ours reads what was taken, not ratings, and the history fades.
    """

    name = "deep_belief"
    uses: tuple[str, ...] = ("ids", "order", "times")

    def __init__(self, config: Config | None = None) -> None:
        self.config = config or Config()
        self.layers_: tuple[Layer, ...] = ()

    @property
    def max_items(self) -> int:
        """The largest catalogue that `fit` takes."""
        return self.config.max_items

    def fit(self, training: TrainingData) -> Self:
        """Start over: each layer learns from what the one below makes of the shoppers.

        The same seed gives the same network on the same machine and number of threads.

        Raises
        ------
        SettingsError
            The catalogue is larger than `max_items`.
        """
        n_items, config = training.catalogue.n_items, self.config
        self._check_size(n_items)
        rng = np.random.default_rng(training.seed)
        told = training.progress or (lambda done, total, note: None)
        taken_UI = taken_by_shopper(training.histories, n_items)
        seen_UV: Matrix | csr_matrix = taken_UI[taken_UI.getnnz(axis=1) > 0]
        layers: list[Layer] = []
        for n_units in config.units:
            machine = _begun(seen_UV, n_units, config, rng)
            for step in _lessons(machine, seen_UV, config.steps, rng):
                n_done = len(layers) * config.steps + step
                told(n_done, len(config.units) * config.steps, f"deep belief: layer {len(layers) + 1}")
            layers.append(Layer.of(machine))
            seen_UV = expit(layers[-1].up(seen_UV))
        self.layers_ = tuple(layers)
        return self

    def score(self, histories: Histories) -> Matrix:
        """Return the log-odds that each item is taken, (U, I), given each shopper's faded history."""
        layers, config = self._fitted(), self.config
        weights_E = faded_weights(
            histories, step_decay=config.history_decay, half_life_days=config.half_life_days
        )
        weights_E = weights_E * np.float32(config.history_weight)
        likely = sum_by_shopper(histories, item_weights(histories, weights_E, len(layers[0].visible_V)))
        seen: list[Matrix] = []
        for layer in layers:
            seen.append(layer.up(likely))
            likely = expit(seen[-1])
        for layer, seen_UK in zip(layers[:0:-1], seen[-2::-1], strict=True):
            likely = expit((seen_UK + layer.down(likely)) / 2)
        return layers[0].down(likely)

    def contributions(self, histories: Histories, item_row: int) -> Contributions:
        """Return how much lower the item's score would be without each event of the only shopper."""
        return contributions_of(self, histories, item_row)

    def with_items(self, vectors: Mapping[str, Matrix]) -> Self:
        """Return the same over a longer catalogue; new items have the mean weights of those they resemble."""
        lowest, *above = self._fitted()
        n_known, fused_ID = len(lowest.visible_V), vectors["fused"]
        is_known_I = np.arange(len(fused_ID)) < n_known
        alike_NV = look_alikes(fused_ID[n_known:], fused_ID, among_I=is_known_I)[:, :n_known]
        is_like_N = np.asarray(alike_NV.sum(axis=1)).ravel() > 0
        bias_N = np.where(is_like_N, alike_NV @ lowest.visible_V, lowest.visible_V.min(initial=0))
        weights_KV = np.concatenate([lowest.weights_KV, (alike_NV @ lowest.weights_KV.T).T], axis=1)
        visible_V = np.concatenate([lowest.visible_V, bias_N.astype(np.float32)])
        longer = type(self)(self.config)
        longer.layers_ = (Layer(weights_KV, lowest.hidden_K, visible_V), *above)
        return longer

    def save(self, folder: Path) -> None:
        """Write the weights, the biases and the settings."""
        arrays = {
            f"{number}.{name}": array
            for number, layer in enumerate(self._fitted())
            for name, array in layer._asdict().items()
        }
        save_arrays(folder, name=self.name, config=self.config, arrays=arrays)

    @classmethod
    def from_pretrained(cls, folder: Path) -> Self:
        """Return what `save` wrote."""
        loaded, arrays = cls(Config(**load_settings(folder, name=cls.name)["config"])), load_arrays(folder)
        loaded.layers_ = tuple(
            Layer(**{name: arrays[f"{number}.{name}"] for name in Layer._fields})
            for number in range(len(loaded.config.units))
        )
        return loaded

    def _check_size(self, n_items: int) -> None:
        if n_items > self.config.max_items:
            raise SettingsError(
                "too many items for a deep belief network",
                column="deep_belief.max_items",
                value=str(n_items),
                remedy=f"use neighbours, or raise the limit of {self.config.max_items} where time allows",
            )

    def _fitted(self) -> tuple[Layer, ...]:
        if not self.layers_:
            raise NotFittedError("deep_belief was not fitted", remedy="call fit first")
        return self.layers_


def _begun(
    seen_UV: Matrix | csr_matrix, n_units: int, config: Config, rng: np.random.Generator
) -> BernoulliRBM:
    """Return a machine that knows how often each thing is seen, and nothing yet of what goes together.

    Set out from biases of 0, scikit-learn's would first learn that nearly everything is nearly never taken.
    """
    from sklearn.neural_network import BernoulliRBM

    n_rows, n_seen = seen_UV.shape
    batch_size = min(config.batch_size, n_rows)
    share_V = (np.asarray(seen_UV.sum(axis=0)).ravel() + 0.1) / (n_rows + 0.2)
    machine = BernoulliRBM(
        n_units,
        learning_rate=config.learning_rate / share_V.mean() ** 0.5,
        batch_size=batch_size,
        random_state=int(rng.integers(2**31)),
    )
    weights_KV = rng.normal(0, FIRST_WEIGHTS, (n_units, n_seen))
    machine.components_ = np.asarray(weights_KV, dtype=np.float32, order="F")
    machine.intercept_visible_ = logit(share_V).astype(np.float32)
    machine.intercept_hidden_ = np.full(n_units, FIRST_HIDDEN, dtype=np.float32)
    is_on_BK = rng.random((batch_size, n_units)) < expit(FIRST_HIDDEN)
    machine.h_samples_ = is_on_BK.astype(np.float32)
    return machine


def _lessons(
    machine: BernoulliRBM, seen_UV: Matrix | csr_matrix, steps: int, rng: np.random.Generator
) -> Iterator[int]:
    """Let a machine learn from shoppers in random order, step by step, and yield how many steps it made."""
    n_rows, left_U = seen_UV.shape[0], np.zeros(0, dtype=np.int64)
    highest = machine.learning_rate
    for step in range(steps if n_rows else 0):
        if len(left_U) < machine.batch_size:
            left_U = rng.permutation(n_rows)
        batch_B, left_U = np.split(left_U, [machine.batch_size])
        machine.learning_rate = highest * min((step + 1) / (WARM_UP * steps), 1 - step / steps)
        machine.partial_fit(seen_UV[batch_B])
        yield step + 1
