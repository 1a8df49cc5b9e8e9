"""What comes next, foretold by a causal transformer over a shopper's events, words and photos included.

Each event is a vector: its item's content and id together, or the content alone of words and photos, plus
what kind of event it was and how long after the one before. Where the sequence leads is compared with the
same item vectors. Fitting needs PyTorch; a loaded model needs NumPy and ONNX Runtime.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from huaxiang import training as loop
from huaxiang.errors import ArtefactError, NotFittedError, SettingsError
from huaxiang.recommend.base import Contributions, Histories, TrainingData
from huaxiang.recommend.histories import repeated, take_events
from huaxiang.recommend.sequence_content import Spaces
from huaxiang.recommend.sequence_outlook import Outlooks, encode_with, session_of
from huaxiang.recommend.sequence_start import Start
from huaxiang.recommend.stored import Arrays, load_arrays, load_settings, save_arrays
from huaxiang.records import Matrix

ALL_ITEMS_UP_TO, MANY_NEGATIVES = 50_000, 4096
"""Items up to which a target is told apart from all, and how many are drawn for each batch beyond."""
GRAPH = "encoder.onnx"
WEIGHTS = "weights.safetensors"


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings of `SequenceRecommender`.

    Parameters
    ----------
    dimensions
        Width of the network and of its item vectors; a multiple of `heads`, 4 to 1024.
    layers, heads
        1 to 12, 1 to 16.
    max_events
        Newest events that are read; 1 to 512. Longer histories are learnt from in pieces.
    dropout
        Share of features left out in training; 0 to below 1.
    id_dropout
        Share of items that go without their id vector in each batch, half of them with no more content than
        words have; 0 to below 1. Higher serves new items and words better.
    temperature
        What cosines are divided by to give logits; > 0. Smaller is surer.
    smoothing
        Share of each target spread over all items; 0 to below 1.
    n_negatives
        Items drawn for each batch that its targets are told apart from, without smoothing; ≥ 0. 0 takes all
        items that were seen, or `MANY_NEGATIVES` drawn where they are more than `ALL_ITEMS_UP_TO`.
    spaces
        Item vectors that are the content, beside each other. The first must be there, and is where words and
        photos of shoppers lie; the others are read where the shop has them. None at all: ids alone.
    training
        The loop's own settings.
    """

    dimensions: int = 64
    layers: int = 2
    heads: int = 2
    max_events: int = 50
    dropout: float = 0.35
    id_dropout: float = 0.2
    temperature: float = 0.07
    smoothing: float = 0.0
    n_negatives: int = 0
    spaces: tuple[str, ...] = ("fused", "text")
    training: loop.Config = field(default_factory=loop.Config)

    def __post_init__(self) -> None:
        if isinstance(self.training, Mapping):  # a table of a settings file, or of what was saved
            object.__setattr__(self, "training", loop.Config(**self.training))
        object.__setattr__(self, "spaces", tuple(self.spaces))
        _in_range("layers", self.layers, 1 <= self.layers <= 12, "1 to 12")
        _in_range("heads", self.heads, 1 <= self.heads <= 16, "1 to 16")
        fits = 4 <= self.dimensions <= 1024 and self.dimensions % self.heads == 0
        _in_range("dimensions", self.dimensions, fits, "a multiple of heads, 4 to 1024")
        _in_range("max_events", self.max_events, 1 <= self.max_events <= 512, "1 to 512")
        for name in ("dropout", "id_dropout", "smoothing"):
            share = getattr(self, name)
            _in_range(name, share, 0 <= share < 1, "0 to below 1")
        _in_range("temperature", self.temperature, self.temperature > 0, "above 0")
        _in_range("n_negatives", self.n_negatives, self.n_negatives >= 0, "0 or more")
        _in_range(
            "smoothing", self.smoothing, not (self.smoothing and self.n_negatives), "0 with n_negatives"
        )

    def negatives_of(self, n_items: int) -> int:
        """Return how many items are drawn for each batch where so many were seen; 0 for all of them."""
        return self.n_negatives or (MANY_NEGATIVES if n_items > ALL_ITEMS_UP_TO else 0)


class SequenceRecommender:
    """A causal transformer over event vectors with a softmax over all items; waits for the next retraining.

    Of a large catalogue the softmax is over items drawn anew for each batch, see `sampled_softmax`.

    A new item is read and proposed by its content from the moment it has any, and a new shopper is served
    from the first event or the first words. With no event at all, the outlook is where histories usually
    begin. Events of a kind not met in training are read like any other, without what is particular to it.

    Parameters
    ----------
    device
        Where to fit, as PyTorch names it: "cpu", "cuda". Scores are always computed on the CPU.

    Source
    ------
    Kang and McAuley, Self-Attentive Sequential Recommendation, ICDM 2018; Klenitskiy and Vasilev, Turning
    Dross Into Gold Loss, RecSys 2023, for the full softmax; Borisyuk et al., LiGR, 2025, for gated layers.
    Ours ties items to their content, drops id vectors at random, and reads words and photos as events.
    """

    name = "sequence"

    def __init__(self, config: Config | None = None, *, device: str = "cpu") -> None:
        self.config = config or Config()
        content = ("text", "image") if self.config.spaces else ()
        self.uses: tuple[str, ...] = ("ids", "order", "times", *content)
        self.device = device
        self.outlooks_: Outlooks | None = None
        self.export_: Callable[[], bytes] = bytes
        self.weights_: Callable[[], Arrays] = dict
        self.start_: Start | None = None
        self.trained_ = loop.Trained()
        self.stop_after_: int | None = None

    def fit(self, training: TrainingData) -> Self:
        """Start over on `training`; resumes from `training.checkpoint` if that is of this very fit.

        After `going_on` it starts from weights that were learnt before, and makes fewer steps.

        The same seed gives the same model on the same machine and number of threads. With
        `training.validation` the best epoch is kept, without it the last; see `as_long_as`.

        Raises
        ------
        MissingExtraError
            Without torch.
        SettingsError
            `training.vectors` lacks the first of `config.spaces`.
        """
        loop.require("torch")
        from huaxiang.recommend.sequence_fit import fit_network

        fitted = fit_network(
            training, self.config, device=self.device, start=self.start_, stop_after=self.stop_after_
        )
        self.outlooks_, self.export_, self.trained_ = fitted.outlooks, fitted.export, fitted.trained
        self.weights_ = fitted.weights
        return self

    def as_long_as(self, validated: Self) -> Self:
        """Return a recommender whose fit stops after the epoch that was best in a fit with validation.

        What has few events for many items is learnt by heart long before the last epoch.
        """
        next_one = type(self)(self.config, device=self.device)
        next_one.stop_after_ = validated.trained_.best_epoch or None
        return next_one

    def going_on(self) -> Self:
        """Return a recommender whose fit starts from this one's weights, with a share of the steps.

        It makes no more epochs than this one made, which may have been stopped before it learnt by heart.
        Items that joined since begin as their content; the content is counted from the same mean as before.
        """
        next_one = type(self)(self.config, device=self.device)
        next_one.start_ = Start(weights=self.weights_(), spaces=self._fitted().spaces)
        next_one.stop_after_ = len(self.trained_.epochs) or None
        return next_one

    def score(self, histories: Histories) -> Matrix:
        """Return logits, (U, I): the cosine of outlook and item over the temperature. Nothing is masked."""
        outlooks = self._fitted()
        surer_UD = outlooks.of(histories) / np.float32(self.config.temperature)
        return np.asarray(surer_UD @ outlooks.items_ID.T, dtype=np.float32)

    def contributions(self, histories: Histories, item_row: int) -> Contributions:
        """Return how much lower the item's score would be without each event; `rest` is the score with none.

        Each event is really left out, in one batch of as many histories as there are events, so the values
        are an attribution and need not sum to the score.
        """
        outlooks = self._fitted()
        scores = outlooks.of(_each_left_out(histories, self.config.max_events)) @ outlooks.items_ID[item_row]
        scores = np.asarray(scores / self.config.temperature, dtype=np.float32)
        values = np.zeros(len(histories.event_keys), dtype=np.float32)
        values[len(values) - len(scores[2:]) :] = scores[0] - scores[2:]
        return Contributions(
            event_keys=histories.event_keys, values=values, rest=float(scores[1]), is_exact=False
        )

    def with_items(self, vectors: Mapping[str, Matrix]) -> Self:
        """Return the same model over a longer catalogue, whose new items are known by their content alone."""
        longer = type(self)(self.config, device=self.device)
        longer.export_, longer.trained_, longer.weights_ = self.export_, self.trained_, self.weights_
        longer.outlooks_ = self._fitted().with_new_items(vectors)
        return longer

    def save(self, folder: Path) -> None:
        """Write the item vectors and weights (safetensors), the encoder (ONNX) and the settings (JSON).

        Raises
        ------
        MissingExtraError
            The model was just fitted, and onnxscript is missing.
        """
        outlooks = self._fitted()
        arrays = {"items": outlooks.items_ID, "weight": outlooks.weight_DC}
        arrays |= {f"mean.{space}": mean for space, mean in outlooks.spaces.means.items()}
        more = {"trained": asdict(self.trained_)}
        save_arrays(folder, name=self.name, config=self.config, arrays=arrays, more=more)
        (folder / GRAPH).write_bytes(self.export_())
        save_file(self.weights_(), folder / WEIGHTS)

    @classmethod
    def from_pretrained(cls, folder: Path) -> Self:
        """Return what `save` wrote; needs no torch.

        Raises
        ------
        ArtefactError
            A file is missing, truncated or of a newer version.
        """
        said = load_settings(folder, name=cls.name)
        loaded = cls(Config(**said["config"]))
        loaded.trained_ = loop.Trained.from_json(said["more"]["trained"])
        arrays = load_arrays(folder)
        stored = [name for name in loaded.config.spaces if f"mean.{name}" in arrays]
        try:
            graph = (folder / GRAPH).read_bytes()
            loaded.outlooks_ = Outlooks(
                items_ID=arrays["items"],
                weight_DC=arrays["weight"],
                spaces=Spaces(means={name: arrays[f"mean.{name}"] for name in stored}),
                encode=encode_with(session_of(graph)),
                max_events=loaded.config.max_events,
            )
            loaded.export_ = lambda: graph
            loaded.weights_ = partial(_read_weights, folder / WEIGHTS)
        except Exception as error:  # ONNX Runtime raises classes of its own for each kind of damage
            remedy = "build the run again"
            raise ArtefactError("encoder can't be read", file=str(folder / GRAPH), remedy=remedy) from error
        return loaded

    def _fitted(self) -> Outlooks:
        if self.outlooks_ is None:
            raise NotFittedError("the sequence recommender knows nothing yet", remedy="call fit first")
        return self.outlooks_


def _read_weights(file: Path) -> Arrays:
    """Return the weights that another fit may start from; serving never reads them."""
    try:
        return dict(load_file(file))
    except (OSError, SafetensorError) as error:
        remedy = "build the run again"
        raise ArtefactError("weights can't be read", file=str(file), remedy=remedy) from error


def _each_left_out(history: Histories, max_events: int) -> Histories:
    """Return the history whole, without any event, then without each of its newest `max_events` in turn."""
    n_events = len(history.item_rows)
    n_read = min(n_events, max_events)
    keep_XE = np.ones((2 + n_read, n_events), dtype=bool)
    keep_XE[1] = False
    keep_XE[np.arange(2, 2 + n_read), np.arange(n_events - n_read, n_events)] = False
    return take_events(repeated(history, len(keep_XE)), keep_XE.ravel())


def _in_range(name: str, value: float, is_allowed: bool, allowed: str) -> None:
    if not is_allowed or not math.isfinite(value):
        raise SettingsError(
            "setting is out of range", column=f"sequence.{name}", value=str(value), remedy=f"give {allowed}"
        )
