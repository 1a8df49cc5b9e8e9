"""How much of a shopper one vector tells: one small network, the same for all vectors and all tasks.

The protocol of the ACM RecSys Challenge 2025: every shopper's vector is frozen at a moment, and a network of
fixed size and fixed training learns each task from it. The vector of which more can be learnt is the better.
Where we differ: our shops have thousands of shoppers, not a million, so the network is narrower, each
shopper is tested once in turn (cross-fitting) by a network that learnt from other shoppers, and the epoch is
chosen on a part of these others and not on those who are tested.

Source
------
Synerise, RecSys Challenge 2025, Universal Behavioral Modeling, github.com/Synerise/recsys2025, README: tasks,
network (inverted bottlenecks with layer normalisation and residual connections), AUROC, novelty, diversity.
Bachmann, Anagnostidis, Hofmann, Scaling MLPs: a tale of inductive bias, NeurIPS 2023: the bottleneck.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from huaxiang.errors import SettingsError
from huaxiang.evaluate.representation_figures import (
    diversity,
    novelty,
    popularity,
    resamples,
    weighted_auc,
    weighted_macro_auc,
    weighted_spearman,
)
from huaxiang.evaluate.representation_tasks import Kind, Task
from huaxiang.records import Matrix
from huaxiang.training import Config as TrainingConfig
from huaxiang.training import require, train

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Progress = Callable[[str, int, int, str], None]

WIDEST = 512
"""Most numbers that a representation may have."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """The fixed network and how it is tested; the same for every representation.

    Parameters
    ----------
    thin, wide, n_blocks
        Width between the bottlenecks, width inside them, and how many there are; ≥ 1.
    dropout
        Share of the numbers after the first layer that are left out while learning; 0 to below 1.
    n_folds
        Parts of the shoppers that are tested in turn; ≥ 2.
    validation_share
        Part of the learning shoppers on whom the epoch is chosen; above 0, below 1.
    n_networks
        Networks, each from its own seed, whose mean is the prediction; ≥ 1.
    n_resamples
        Of the bootstrap over shoppers; ≥ 1.
    training
        Of the one loop that all training of the package goes through; a shopper is a sequence of one event.
    """

    thin: int = 32
    wide: int = 64
    n_blocks: int = 1
    dropout: float = 0.2
    n_folds: int = 4
    validation_share: float = 0.15
    n_networks: int = 1
    n_resamples: int = 500
    training: TrainingConfig = field(
        default_factory=lambda: TrainingConfig(
            steps=1,
            min_epochs=16,
            max_epochs=16,
            batch_events=256,
            learning_rate=3e-3,
            weight_decay=0.3,
            patience=3,
        )
    )

    def __post_init__(self) -> None:
        for name, is_fine, allowed in (
            ("thin", self.thin >= 1, "1 or more"),
            ("wide", self.wide >= 1, "1 or more"),
            ("n_blocks", self.n_blocks >= 1, "1 or more"),
            ("dropout", 0 <= self.dropout < 1, "0 to below 1"),
            ("n_folds", self.n_folds >= 2, "2 or more"),
            ("validation_share", 0 < self.validation_share < 1, "above 0 and below 1"),
            ("n_networks", self.n_networks >= 1, "1 or more"),
            ("n_resamples", self.n_resamples >= 1, "1 or more"),
        ):
            if not is_fine:
                raise SettingsError(
                    "setting is out of range",
                    column=f"representation.{name}",
                    value=str(getattr(self, name)),
                    remedy=f"give {allowed}",
                )


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one representation foretold in one task.

    Parameters
    ----------
    figure_B
        The task's figure (AUROC, or Spearman's correlation for amounts) of everybody, then of each resample.
    novelty, diversity
        Of labels, as the challenge defines them; NaN elsewhere.
    score
        The challenge's: .8 AUROC + .1 novelty + .1 diversity of labels, the figure itself elsewhere.
    """

    figure_B: Floats
    novelty: float
    diversity: float
    score: float

    @property
    def figure(self) -> float:
        """The figure of everybody."""
        return float(self.figure_B[0])


def measure(
    representations: Mapping[str, Matrix],
    tasks: Sequence[Task],
    shopper_ids: Sequence[str],
    *,
    config: Config | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, dict[str, Outcome]]:
    """Return, by task and representation, what a network that learnt from the vectors foretold.

    All representations see the same folds, the same validation parts and the same resamples of shoppers, so
    `figure_B` of two of them may be subtracted.

    Parameters
    ----------
    representations
        Name → float32, (U, D) with D ≤ 512, as of the moment at which the tasks begin.
    shopper_ids
        Whose the rows are; resamples are drawn by id.
    progress
        Called with (task, done, total, representation).

    Raises
    ------
    SettingsError
        When a representation has more than 512 numbers, or another number of shoppers than the tasks.
    MissingExtraError
        Without torch.
    """
    config = config or Config()
    _check(representations, tasks, shopper_ids)
    measured: dict[str, dict[str, Outcome]] = {task.name: {} for task in tasks}
    n_all = len(tasks) * len(representations)
    for task in tasks:
        known = np.flatnonzero(~np.isnan(task.targets_UO).any(axis=1))
        ids = [shopper_ids[row] for row in known.tolist()]
        weights_BU = resamples(ids, n_resamples=config.n_resamples, seed=seed)
        for name, vectors_UD in representations.items():
            if progress is not None:
                progress(task.name, sum(map(len, measured.values())), n_all, name)
            targets_UO = task.targets_UO[known]
            logits_UO, fold_U = cross_fitted(
                vectors_UD[known], targets_UO, task.kind, config=config, seed=seed
            )
            measured[task.name][name] = _outcome(task, targets_UO, logits_UO, fold_U, weights_BU)
    return measured


def cross_fitted(
    vectors_UD: Matrix, targets_UO: Floats, kind: Kind, *, config: Config, seed: int = 0
) -> tuple[Floats, Ints]:
    """Return what is foretold of each shopper by networks that learnt from others, (U, O), and folds, (U,).

    Logits, of which a higher one is likelier; amounts are in standard deviations of the learning shoppers.
    """
    foretold_UO, fold_U = np.zeros(targets_UO.shape), np.zeros(len(targets_UO), np.int64)
    for number, (learning, validation, tested) in enumerate(folds(len(vectors_UD), config, seed=seed)):
        vectors = _scaled(vectors_UD, learning)
        fold_U[tested] = number
        for network in range(config.n_networks):
            fitted = _fitted(
                (vectors[learning], targets_UO[learning]),
                (vectors[validation], targets_UO[validation]),
                kind,
                config=config,
                seed=seed + 1000 * network + number,
            )
            foretold_UO[tested] += fitted(vectors[tested]) / config.n_networks
    return foretold_UO, fold_U


def folds(n_shoppers: int, config: Config, *, seed: int) -> list[tuple[Ints, Ints, Ints]]:
    """Return rows to learn from, to choose the epoch on, and to test, such that each is tested once.

    Examples
    --------
    >>> parts = folds(20, Config(n_folds=2), seed=0)
    >>> [(len(learning), len(validation), len(tested)) for learning, validation, tested in parts]
    [(9, 1, 10), (9, 1, 10)]
    """
    shuffled = np.random.default_rng(seed).permutation(n_shoppers)
    parts = np.array_split(shuffled, config.n_folds)
    made = []
    for number, tested in enumerate(parts):
        others = np.concatenate([part for place, part in enumerate(parts) if place != number])
        n_validation = max(1, int(config.validation_share * len(others)))
        made.append((others[n_validation:], others[:n_validation], tested))
    return made


def _check(representations: Mapping[str, Matrix], tasks: Sequence[Task], shopper_ids: Sequence[str]) -> None:
    require("torch")
    n_shoppers = {len(task.targets_UO) for task in tasks} | {len(rows) for rows in representations.values()}
    n_shoppers.add(len(shopper_ids))
    widest = max((rows.shape[1] for rows in representations.values()), default=0)
    if len(n_shoppers) > 1 or widest > WIDEST:
        raise SettingsError(
            "representations can't be compared",
            column="representation",
            value=f"{sorted(n_shoppers)} shoppers, {widest} numbers",
            remedy=f"give one row for each shopper of the tasks, of at most {WIDEST} numbers",
        )


def _scaled(vectors_UD: Matrix, learning: Ints) -> Matrix:
    """Return the vectors about their mean, with one scale for all numbers: rows have length √D on average.

    So no representation wins by its unit, and how its numbers compare with one another stays its own.
    """
    centred_UD = vectors_UD - vectors_UD[learning].mean(axis=0)
    size = float(np.sqrt((centred_UD[learning] ** 2).mean()))
    return np.asarray(centred_UD / max(size, 1e-9), np.float32)


def _fitted(
    lesson: tuple[Matrix, Floats], exam: tuple[Matrix, Floats], kind: Kind, *, config: Config, seed: int
) -> Callable[[Matrix], Floats]:
    """Return the network after its best epoch on the exam, as a function of vectors."""
    import torch

    mean, scale = 0.0, 1.0
    if kind == "amount":
        mean, scale = float(lesson[1].mean()), max(float(lesson[1].std()), 1e-9)
    given, asked = (
        torch.from_numpy(np.ascontiguousarray(vectors, np.float32)) for vectors, _ in (lesson, exam)
    )
    wanted, right = (torch.from_numpy((targets - mean) / scale).float() for _, targets in (lesson, exam))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = _network(given.shape[1], _starting_logits(lesson[1], kind), config)
    loss = _loss(kind)
    train(
        network,
        lambda rows: loss(network(given[rows]), wanted[rows]),
        np.ones(len(given), np.int64),
        config=config.training,
        seed=seed,
        validate=lambda: -float(loss(network(asked), right)),
    )

    def foretell(vectors: Matrix) -> Floats:
        with torch.inference_mode():
            return np.asarray(network(torch.from_numpy(vectors)).numpy(), np.float64)

    return foretell


def _network(n_numbers: int, starting_O: Floats, config: Config) -> Module:
    """Return layer, normalisation, bottlenecks with residuals, normalisation, layer."""
    import torch
    from torch import nn

    class Bottleneck(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inside = nn.Sequential(
                nn.LayerNorm(config.thin),
                nn.Linear(config.thin, config.wide),
                nn.GELU(),
                nn.Linear(config.wide, config.thin),
            )

        def forward(self, thin: Tensor) -> Tensor:
            return thin + self.inside(thin)  # type: ignore[no-any-return]

    last = nn.Linear(config.thin, len(starting_O))
    with torch.no_grad():  # begin at what is true of everybody: rare labels need no steps to become unlikely
        last.weight.mul_(0.1)
        last.bias.copy_(torch.from_numpy(starting_O))
    return nn.Sequential(
        nn.Linear(n_numbers, config.thin),
        nn.LayerNorm(config.thin),
        nn.Dropout(config.dropout),
        *(Bottleneck() for _ in range(config.n_blocks)),
        nn.LayerNorm(config.thin),
        last,
    )


def _starting_logits(targets_UO: Floats, kind: Kind) -> Floats:
    if kind == "amount":
        return np.zeros(targets_UO.shape[1])
    share_O = (targets_UO.sum(axis=0) + 0.5) / (len(targets_UO) + 1)
    return np.asarray(np.log(share_O) if kind == "classes" else np.log(share_O / (1 - share_O)))


def _loss(kind: Kind) -> Callable[[Tensor, Tensor], Tensor]:
    from torch.nn import functional

    if kind == "amount":
        return functional.mse_loss
    if kind == "classes":
        return functional.cross_entropy
    return functional.binary_cross_entropy_with_logits


def _outcome(task: Task, targets_UO: Floats, logits_UO: Floats, fold_U: Ints, weights_BU: Floats) -> Outcome:
    if task.kind == "amount":
        figure_B = weighted_spearman(logits_UO[:, 0], targets_UO[:, 0], weights_BU, fold_U)
    elif task.kind == "yes_or_no":
        figure_B = weighted_auc(logits_UO[:, 0], targets_UO[:, 0], weights_BU, fold_U)
    else:
        figure_B = weighted_macro_auc(logits_UO, targets_UO, weights_BU, fold_U)
    new = varied = float("nan")
    score = float(figure_B[0])
    if task.popularity_O is not None:
        new = novelty(float(popularity(logits_UO, task.popularity_O).mean()))
        varied = float(diversity(logits_UO).mean())
        score = 0.8 * score + 0.1 * new + 0.1 * varied
    return Outcome(figure_B=figure_B, novelty=new, diversity=varied, score=score)


def described(config: Config) -> dict[str, Any]:
    """Return the settings as JSON has them."""
    return asdict(config)
