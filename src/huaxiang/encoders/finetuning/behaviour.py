"""Text and image encoders learn from what shoppers do: what was had together lies close, and so does a query.

Source
------
Yi et al., Sampling-bias-corrected neural modeling for large corpus item recommendations, RecSys 2019: among
the other pairs of a batch popular items come up as negatives more often, which is taken back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from huaxiang.encoders.finetuning.next_item import Found, NextItems, find_next
from huaxiang.encoders.finetuning.together import PairsConfig, Together
from huaxiang.encoders.hashed import unit_rows
from huaxiang.encoders.learning.base import Learnt, TrainerConfig, in_range
from huaxiang.records import Matrix
from huaxiang.shop.clean import clean_text, has_words
from huaxiang.training import require

if TYPE_CHECKING:
    from torch import Tensor

    from huaxiang.encoders.finetuning.bi_encoder import BiEncoder

Progress = Callable[[str, int, int, str], None]
Rows = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class BehaviourConfig:
    """How encoders are tuned on what shoppers do.

    Parameters
    ----------
    max_tokens
        Longer texts are cut while learning, marks included; ≥ 8.
    sharpness
        What cosines are multiplied by; > 0.
    popularity
        How much of the chance that an item comes up as a negative is taken back; 0 to 1.
    anchor
        Pull towards the vectors of the encoder as it came, which keeps what it knew; ≥ 0.
    most_items
        Items that are ranked at each validation, those that are asked for among them; ≥ 10.
    pairs
        Which acts make a pair.
    """

    max_tokens: int = 48
    sharpness: float = 20.0
    popularity: float = 1.0
    anchor: float = 0.1
    most_items: int = 8192
    pairs: PairsConfig = field(default_factory=PairsConfig)
    training: TrainerConfig = field(
        default_factory=lambda: TrainerConfig(
            epochs=2, batch_rows=128, batch_tokens=16384, learning_rate=5e-5, validations=8, patience=3
        )
    )

    def __post_init__(self) -> None:
        in_range("max_tokens", self.max_tokens, self.max_tokens >= 8, "8 or more")
        in_range("sharpness", self.sharpness, self.sharpness > 0, "a number above 0")
        in_range("popularity", self.popularity, 0 <= self.popularity <= 1, "0 to 1")
        in_range("anchor", self.anchor, self.anchor >= 0, "0 or more")
        in_range("most_items", self.most_items, self.most_items >= 10, "10 or more")


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """How it went.

    Parameters
    ----------
    before, test
        Recall@10 and NDCG@10 of the next item by the encoder alone, on the test part: as it came, and tuned.
        `unseen_…` asks only for items that are in no pair of the training part.
    """

    before: Mapping[str, float]
    test: Mapping[str, float]
    learnt: Learnt
    n_parameters: int
    n_pairs: int


def tune_on_behaviour(
    together: Together,
    *,
    model: Path,
    folder: Path,
    checkpoint: Path,
    config: BehaviourConfig | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Tuned:
    """Tune the text encoder of a folder on what shoppers do, and write it into another one.

    Parameters
    ----------
    model
        Folder of the encoder to start from.
    checkpoint
        Folder in which a stopped fit leaves what the next call goes on from.

    Raises
    ------
    MissingExtraError
        torch, transformers or accelerate is not installed.
    EncoderError
        `model` holds no text encoder, or another one's tokenizer.
    ShopError
        Fewer than 16 pairs of the training part have texts.
    DivergedError, OutOfMemoryError
        As `train_large` says.
    """
    require("torch", "transformers", "accelerate")
    from huaxiang.encoders.finetuning.behaviour_network import BehaviourNetwork
    from huaxiang.encoders.finetuning.bi_encoder import bi_encoder, write_encoder
    from huaxiang.encoders.learning.trainer import train_large

    config = config or BehaviourConfig()
    tell = progress or (lambda stage, done, total, note: None)
    texts = ItemTexts.of(together)
    learnt_from = together.take(texts.has_text_P(together)).checked()
    encoder, tokenizer = bi_encoder(model, texts.texts, max_tokens=config.max_tokens, seed=seed)
    lesson = PairLesson(learnt_from, texts, encoder.lengths_N.numpy())
    ask = Ask(together, texts, most_items=config.most_items, seed=seed)

    def told(done: int, total: int, note: str) -> None:
        tell("encode with the untuned encoder", done, total, note)

    past_ND = encoder.encode(np.arange(len(texts.texts)), told)
    before = ask.figures(ask.test, texts.item_vectors(past_ND), seed=seed)
    network = BehaviourNetwork(
        encoder,
        known=lesson.known,
        log_shares_I=lesson.log_shares,
        n_items=together.n_items,
        past_ND=past_ND if config.anchor else None,
        config=config,
    )
    learnt = train_large(
        network,
        lesson,
        config=config.training,
        checkpoint=checkpoint,
        seed=seed,
        validate=lambda: ask.quick(encoder),
        best="recall@10",
        of=json.dumps([together.fingerprint, asdict(config), str(model)], sort_keys=True),
        progress=lambda done, total, note: tell("tune", done, total, note),
    )
    vectors_ND = encoder.encode(
        np.arange(len(texts.texts)), lambda *said: tell("encode with the tuned encoder", *said)
    )
    test = ask.figures(ask.test, texts.item_vectors(vectors_ND), seed=seed)
    write_encoder(encoder, tokenizer, folder, source=model)
    return Tuned(
        before=before,
        test=test,
        learnt=learnt,
        n_parameters=sum(weight.numel() for weight in encoder.parameters()),
        n_pairs=len(learnt_from.pairs_P2),
    )


@dataclass(frozen=True, kw_only=True)
class ItemTexts:
    """Every text once: those of the items, language by language, then the queries.

    Parameters
    ----------
    rows_LI
        Row of each item's text in each language, -1 where it has none.
    rows_Q
        Row of each query, -1 where it has no word.
    """

    texts: list[str]
    rows_LI: Rows
    rows_Q: Rows

    @classmethod
    def of(cls, together: Together) -> ItemTexts:
        """Return the texts, cleaned."""
        texts: list[str] = []
        parts = [_numbered(part, texts) for part in (*together.texts_LI, together.queries)]
        return cls(texts=texts, rows_LI=np.stack(parts[:-1]), rows_Q=parts[-1])

    @property
    def n_items(self) -> int:
        """I."""
        return int(self.rows_LI.shape[1])

    def has_text_P(self, together: Together) -> NDArray[np.bool_]:  # noqa: N802 - a shape
        """Return whether both sides of each pair have a text."""
        has_text = np.concatenate([(self.rows_LI >= 0).any(axis=0), self.rows_Q >= 0])
        return np.asarray(has_text[together.pairs_P2].all(axis=1))

    def drawn(self, numbers_B: Rows, rng: np.random.Generator) -> Rows:
        """Return a row for each item or query, of an item that is told in several languages any of them."""
        n_languages = len(self.rows_LI)
        is_item = numbers_B < self.n_items
        items = np.where(is_item, numbers_B, 0)
        rows_LB = self.rows_LI[:, items]
        luck = rng.random((n_languages, len(numbers_B))) + (rows_LB >= 0)
        rows: Rows = np.take_along_axis(rows_LB, luck.argmax(axis=0)[None], 0)[0]
        rows[~is_item] = self.rows_Q[numbers_B[~is_item] - self.n_items]
        return rows

    def item_vectors(self, vectors_ND: Matrix) -> Matrix:
        """Return one vector per item, (I, D): the mean over its languages, zero where it has no text."""
        present_LI1 = (self.rows_LI >= 0)[..., None]
        return unit_rows(np.asarray((vectors_ND[self.rows_LI] * present_LI1).sum(axis=0), np.float32))


class PairLesson:
    """Pairs as batches: two items in either order, or a query and an item."""

    def __init__(self, together: Together, texts: ItemTexts, lengths_N: NDArray[np.int64]) -> None:
        self.together = together
        self.texts = texts
        long_LI = np.where(texts.rows_LI >= 0, lengths_N[texts.rows_LI], 0).max(axis=0)
        long = np.concatenate([long_LI, lengths_N[texts.rows_Q]]) if len(texts.rows_Q) else long_LI
        self.lengths_N = long[together.pairs_P2].sum(axis=1).astype(np.int64)
        self.weights_P = together.weights_P / together.weights_P.mean()

    @property
    def known(self) -> Rows:
        """Sorted keys `left · I + right` of the pairs, two items in both orders."""
        left, right = self.together.pairs_P2.T
        n_items, is_item = self.together.n_items, self.together.is_item_P
        return np.unique(np.concatenate([left * n_items + right, right[is_item] * n_items + left[is_item]]))

    @property
    def log_shares(self) -> NDArray[np.float32]:
        """Log of the chance that an item is the right side of a pair, (I,)."""
        left, right = self.together.pairs_P2.T
        is_item = self.together.is_item_P
        n_items = self.together.n_items
        counts = np.bincount(right, weights=np.where(is_item, 0.5, 1.0), minlength=n_items)
        counts += np.bincount(left[is_item], weights=np.full(int(is_item.sum()), 0.5), minlength=n_items)
        return np.asarray(np.log(np.maximum(counts, 0.5) / len(left)), np.float32)

    def batch(self, rows_B: Rows, rng: np.random.Generator) -> dict[str, Tensor]:
        """Return numbers and text rows of both sides, and what each pair counts."""
        import torch

        pairs = self.together.pairs_P2[rows_B].copy()
        is_turned = self.together.is_item_P[rows_B] & (rng.random(len(rows_B)) < 0.5)
        pairs[is_turned] = pairs[is_turned, ::-1]
        arrays = {
            "left": pairs[:, 0].copy(),
            "right": pairs[:, 1].copy(),
            "left_text": self.texts.drawn(pairs[:, 0], rng),
            "right_text": self.texts.drawn(pairs[:, 1], rng),
            "weight": self.weights_P[rows_B].astype(np.float32),
        }
        return {name: torch.from_numpy(array) for name, array in arrays.items()}


class Ask:
    """What is asked of an encoder: the next item of the shoppers held out."""

    def __init__(self, together: Together, texts: ItemTexts, *, most_items: int, seed: int) -> None:
        self.texts = texts
        self.seen_I = together.seen_I
        self.validation, self.test = together.validation, together.test
        self.among_I = np.zeros(together.n_items, np.bool_)
        self.among_I[self.validation.rows] = True
        others = np.flatnonzero(~self.among_I)
        n_more = max(0, most_items - int(self.among_I.sum()))
        self.among_I[np.random.default_rng([seed, 2]).permutation(others)[:n_more]] = True

    def quick(self, encoder: BiEncoder) -> dict[str, float]:
        """Return the means on the validation part, among some of the items."""
        rows_LI = np.where(self.among_I, self.texts.rows_LI, -1)
        wanted = np.unique(rows_LI[rows_LI >= 0])
        vectors_ND = np.zeros((len(self.texts.texts), encoder.dimensions), np.float32)
        vectors_ND[wanted] = encoder.encode(wanted)
        vectors_ID = self.texts.item_vectors(vectors_ND)
        found = self._found(self.validation, vectors_ID)
        return {prefix + name: value for prefix, one in found.items() for name, value in one.means().items()}

    def figures(self, asked: NextItems, vectors_ID: Matrix, *, seed: int) -> dict[str, float]:
        """Return means and intervals, among all items."""
        found = self._found(asked, vectors_ID)
        return {
            prefix + name: value
            for prefix, one in found.items()
            for name, value in one.figures(seed=seed).items()
        }

    def _found(self, asked: NextItems, vectors_ID: Matrix) -> dict[str, Found]:
        """Return what was found of all next items, and of those that are in no pair; by prefix."""
        unseen = asked.only(~self.seen_I)
        found = {"": find_next(asked, vectors_ID)}
        return {**found, "unseen_": find_next(unseen, vectors_ID)} if len(unseen) else found


def _numbered(part: Any, texts: list[str]) -> Rows:
    """Return the row of each text, -1 for those without a word, and add them to `texts`."""
    rows = np.full(len(part), -1, np.int64)
    for at, text in enumerate(part):
        cleaned = clean_text(text)
        if has_words(cleaned):
            rows[at] = len(texts)
            texts.append(cleaned)
    return rows
