"""A pretrained text model learns which words of a sentence are aspects and how each is judged.

One network does both: a head tags each token, another judges a term from the mean of its tokens and of the
sentence. Since both heads are linear, the second is a sum over tokens, which is how it is served
(`learnt.py`). Sentences annotated by another scheme teach the same network through a tagging head of their
own, which is thrown away.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from huaxiang.encoders.export import export_checked
from huaxiang.encoders.pretraining.tokenizer import read_tokenizer
from huaxiang.encoders.tokens import pad
from huaxiang.errors import SettingsError
from huaxiang.reviews.learnt import (
    ABOUT,
    BEGIN,
    INSIDE,
    MODEL,
    N_TAGS,
    TOKENIZER,
    VERSION,
    Term,
    judged,
    terms_of,
)

IGNORED = -100
POLARITY_ROWS = {1: 0, -1: 1, 0: 2}
_WARMUP, _HEAD_FACTOR, _POLARITY_WEIGHT = 0.1, 5.0, 0.5
Tell = Callable[[int, int, str], None]


class Marked(NamedTuple):
    """A sentence and its aspects; `polarity` None (praised and blamed at once) is found and not judged."""

    text: str
    terms: tuple[tuple[int, int, int | None], ...]
    is_other: bool = False


@dataclass(frozen=True, kw_only=True)
class TeachConfig:
    """How the network is taught.

    Parameters
    ----------
    epochs
        Times that the rows are seen; ≥ 1.
    wide_epochs
        How many of the first of these see the further rows too; 0 to `epochs`.
    batch
        Sentences per step; ≥ 1.
    learning_rate
        Highest step size; the heads learn five times as fast. > 0.
    other_weight
        How much the tags of another scheme count; ≥ 0.
    max_tokens
        Sentences are cut there; ≥ 8.
    freeze_words
        Whether the vectors of the tokens stand still: a third of the time is theirs.
    """

    epochs: int = 5
    wide_epochs: int = 2
    batch: int = 32
    learning_rate: float = 2e-4
    other_weight: float = 0.5
    max_tokens: int = 128
    freeze_words: bool = True

    def __post_init__(self) -> None:
        fits = self.epochs >= 1 and 0 <= self.wide_epochs <= self.epochs and self.batch >= 1
        if not fits or self.learning_rate <= 0 or self.max_tokens < 8:
            remedy = "epochs and batch are at least 1, wide_epochs 0 to epochs, max_tokens at least 8"
            raise SettingsError("setting is out of range", column="teaching", remedy=remedy)


class AspectNetwork(nn.Module):
    """Token ids to tags and judgements."""

    def __init__(self, model: Any, *, dropout: float = 0.1) -> None:
        super().__init__()
        width = model.config.hidden_size
        self.model, self.dropout = model, nn.Dropout(dropout)
        self.tags, self.other_tags = nn.Linear(width, N_TAGS), nn.Linear(width, N_TAGS)
        self.polarity = nn.Linear(2 * width, len(POLARITY_ROWS))

    def states(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the last states, (B, T, D)."""
        found = self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        states: Tensor = self.dropout(found)
        return states

    def judgements(self, states_BTD: Tensor, mask_BT: Tensor) -> Tensor:
        """Return what each token says of praise, blame and neither; a term is the mean of its tokens."""
        mask_BT1 = mask_BT[..., None].to(states_BTD.dtype)
        sentence_BD = (states_BTD * mask_BT1).sum(1) / mask_BT1.sum(1)
        whole = sentence_BD[:, None].expand_as(states_BTD)
        said: Tensor = self.polarity(torch.cat([states_BTD, whole], -1))
        return said

    def outputs(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return tags and judgements, (B, T, 6): what is served."""
        states_BTD = self.states(input_ids, attention_mask)
        return torch.cat([self.tags(states_BTD), self.judgements(states_BTD, attention_mask)], -1)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return `outputs`."""
        return self.outputs(input_ids, attention_mask)


class AspectEnsemble(nn.Module):
    """Several networks that learnt the same, asked together: the mean of what they say.

    Examples
    --------
    >>> class Always(nn.Module):
    ...     def __init__(self, said: float) -> None:
    ...         super().__init__()
    ...         self.said = said
    ...
    ...     def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
    ...         return torch.full((*input_ids.shape, 6), self.said)
    >>> ids = torch.zeros(1, 2, dtype=torch.int64)
    >>> AspectEnsemble([Always(1.0), Always(2.0)])(ids, ids)[0, 0, 0].item()
    1.5
    """

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return tags and judgements, (B, T, 6)."""
        said = [network(input_ids, attention_mask) for network in self.networks]
        return torch.stack(said).mean(0)


class Row(NamedTuple):
    """A sentence as tokens: what each is, and which tokens are terms."""

    ids: list[int]
    offsets: list[tuple[int, int]]
    tags_T: NDArray[np.int64]
    terms: tuple[tuple[int, int, int | None], ...]
    gold: frozenset[tuple[int, int]]
    is_other: bool


def rows_of(sentences: Sequence[Marked], tokenizer: Any, *, max_tokens: int) -> list[Row]:
    """Return sentences as tokens; a term that was cut off is still one that should be found."""
    backend = tokenizer.backend_tokenizer
    backend.no_padding()
    backend.enable_truncation(max_length=max_tokens)
    found = []
    for said, encoded in zip(sentences, backend.encode_batch([one.text for one in sentences]), strict=True):
        tags_T = np.zeros(len(encoded.ids), np.int64)
        tags_T[[0, -1]] = IGNORED
        terms = []
        for start, end, polarity in said.terms:
            touched = [n for n, (a, b) in enumerate(encoded.offsets) if a < end and b > start and b > a]
            if touched:
                tags_T[touched[0]], tags_T[touched[1:]] = BEGIN, INSIDE
                terms.append((touched[0], touched[-1] + 1, polarity))
        gold = frozenset((start, end) for start, end, _ in said.terms)
        found.append(Row(encoded.ids, encoded.offsets, tags_T, tuple(terms), gold, said.is_other))
    return found


def teach(
    rows: Sequence[Row],
    further: Sequence[Row],
    model: Any,
    *,
    config: TeachConfig,
    seed: int = 0,
    after_epoch: Callable[[int, AspectNetwork], None] = lambda epoch, network: None,
    tell: Tell = lambda done, total, note: None,
) -> AspectNetwork:
    """Return the network, taught; the same seed on the same machine gives the same weights.

    Parameters
    ----------
    rows, further
        What is learnt from throughout, and what beside it in the first epochs.
    model
        The pretrained text model.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = AspectNetwork(model)
    if config.freeze_words:
        network.model.embeddings.requires_grad_(False)
    wide, near = [*rows, *further], list(rows)
    per_epoch = [wide if epoch < config.wide_epochs else near for epoch in range(config.epochs)]
    n_steps = sum(-(-len(part) // config.batch) for part in per_epoch)
    optimiser = torch.optim.AdamW(_groups(network, config))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _pace(step, n_steps))
    done, started = 0, time.perf_counter()
    for epoch, part in enumerate(per_epoch):
        network.train()
        for chosen in _batches([len(row.ids) for row in part], config.batch, rng):
            loss = _loss(network, [part[row] for row in chosen], config)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            done += 1
            tell(done, n_steps, f"{time.perf_counter() - started:.0f} s, loss {loss.item():.3f}")
        after_epoch(epoch, network)
    return network.eval()


def _groups(network: AspectNetwork, config: TeachConfig) -> list[dict[str, Any]]:
    named = [(name, weight) for name, weight in network.named_parameters() if weight.requires_grad]
    heads = [weight for name, weight in named if not name.startswith("model.")]
    body = [weight for name, weight in named if name.startswith("model.")]
    rate = config.learning_rate
    return [
        {"params": [one for one in body if one.ndim > 1], "weight_decay": 0.01, "lr": rate},
        {"params": [one for one in body if one.ndim <= 1], "weight_decay": 0.0, "lr": rate},
        {"params": heads, "weight_decay": 0.01, "lr": _HEAD_FACTOR * rate},
    ]


def _pace(step: int, n_steps: int) -> float:
    return min(1.0, (step + 1) / max(1.0, _WARMUP * n_steps)) * max(0.0, (n_steps - step) / n_steps)


def _batches(lengths: Sequence[int], size: int, rng: np.random.Generator) -> list[list[int]]:
    """Return rows of like length together, in a random order."""
    order, found = rng.permutation(len(lengths)).tolist(), []
    for start in range(0, len(order), 50 * size):
        near = sorted(order[start : start + 50 * size], key=lambda row: lengths[row])
        found += [near[at : at + size] for at in range(0, len(near), size)]
    return [found[place] for place in rng.permutation(len(found)).tolist()]


def _loss(network: AspectNetwork, rows: Sequence[Row], config: TeachConfig) -> Tensor:
    batch, tags_BT = _padded(rows)
    states_BTD = network.states(**batch)
    is_other = torch.tensor([row.is_other for row in rows])
    loss = states_BTD.new_zeros(())
    for head, own, weight in (
        (network.tags, ~is_other, 1.0),
        (network.other_tags, is_other, config.other_weight),
    ):
        if own.any():
            said = functional.cross_entropy(
                head(states_BTD[own]).flatten(0, 1), tags_BT[own].flatten(), ignore_index=IGNORED
            )
            loss = loss + weight * said
    terms = [(b, *term) for b, row in enumerate(rows) for term in row.terms if term[2] is not None]
    if terms:
        said_BTC = network.judgements(states_BTD, batch["attention_mask"])
        said_NC = torch.stack([said_BTC[b, first:last].mean(0) for b, first, last, _ in terms])
        wanted_N = torch.tensor([POLARITY_ROWS[polarity] for *_, polarity in terms if polarity is not None])
        loss = loss + _POLARITY_WEIGHT * functional.cross_entropy(said_NC, wanted_N)
    return loss


def _padded(rows: Sequence[Row]) -> tuple[dict[str, Tensor], Tensor]:
    batch = {name: torch.from_numpy(a) for name, a in pad([row.ids for row in rows], pad_id=0).items()}
    tags_BT = torch.full_like(batch["input_ids"], IGNORED)
    for b, row in enumerate(rows):
        tags_BT[b, : len(row.ids)] = torch.from_numpy(row.tags_T)
    return batch, tags_BT


def figures(network: nn.Module, rows: Sequence[Row]) -> dict[str, float]:
    """Return F1 of terms with exactly the same ends, and accuracy of judging terms that are given."""
    network.eval()
    counts = {"right": 0, "found": 0, "gold": 0, "judged": 0, "well judged": 0}
    order = sorted(rows, key=lambda row: len(row.ids))
    with torch.inference_mode():
        for start in range(0, len(order), 32):
            part = order[start : start + 32]
            outputs_BTC = network(**_padded(part)[0]).numpy()
            for row, outputs_TC in zip(part, outputs_BTC, strict=True):
                _count(counts, row, outputs_TC[: len(row.ids)])
    return {
        "f1": 2 * counts["right"] / max(1, counts["found"] + counts["gold"]),
        "precision": counts["right"] / max(1, counts["found"]),
        "recall": counts["right"] / max(1, counts["gold"]),
        "accuracy": counts["well judged"] / max(1, counts["judged"]),
        "n_terms": counts["gold"],
    }


def _count(counts: dict[str, int], row: Row, outputs_TC: NDArray[np.float32]) -> None:
    found: Sequence[Term] = terms_of(outputs_TC[1:-1], row.offsets[1:-1])
    spans = {(term.start, term.end) for term in found}
    counts["right"] += len(spans & row.gold)
    counts["found"] += len(spans)
    counts["gold"] += len(row.gold)
    for first, last, polarity in row.terms:
        if polarity is not None:
            counts["judged"] += 1
            counts["well judged"] += judged(outputs_TC, first, last) == polarity


def write_aspects(
    network: nn.Module,
    tokenizer: Any,
    folder: Path,
    *,
    name: str,
    about: Mapping[str, Any],
    max_tokens: int,
) -> None:
    """Write what `AspectModel` reads: ONNX, tokenizer, and what it is.

    Raises
    ------
    EncoderError
        The ONNX model's outputs differ from those of torch.
    """
    folder.mkdir(parents=True, exist_ok=True)
    backend = tokenizer.backend_tokenizer
    backend.no_padding()
    backend.enable_truncation(max_length=max_tokens)
    backend.save(str(folder / TOKENIZER))
    probes = ["a", "The battery life is great but the screen is dim.", "very good " * 20]
    batch = pad([backend.encode(probe).ids for probe in probes], pad_id=int(tokenizer.pad_token_id or 0))
    export_checked(network.eval(), batch, folder / MODEL, output="outputs")
    said = {
        "version": VERSION,
        "name": name,
        "pad_id": int(tokenizer.pad_token_id or 0),
        "max_tokens": max_tokens,
        **about,
    }
    (folder / ABOUT).write_text(json.dumps(said, ensure_ascii=False, indent=1), encoding="utf-8")


def read_source(folder: Path) -> tuple[Any, Any]:
    """Return the text model of a folder, ready to be taught, and its tokenizer."""
    from transformers import AutoModel

    from huaxiang.encoders.learning.quiet import quiet_transformers

    with quiet_transformers():
        model = AutoModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
    model.pooler = None
    return model, read_tokenizer(folder)
