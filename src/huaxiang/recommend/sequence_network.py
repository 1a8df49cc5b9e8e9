"""The causal transformer over event vectors, in PyTorch; serving runs its ONNX export instead.

An item is its projected content plus its own id vector, scaled to unit length. The same vectors are read as
events and compared with the outlook, so a new item, without an id vector, is read and proposed by content.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize, silu

from huaxiang.errors import HuaxiangError
from huaxiang.recommend.sequence_tokens import N_GAPS
from huaxiang.records import EVENT_TYPES, Matrix
from huaxiang.training import require

if TYPE_CHECKING:
    from huaxiang.recommend.sequence import Config

TINY = 1e-6
CONTENT_LENGTH = 0.7
"""Mean length of projected content at the start; id vectors begin with about a quarter of it."""


class SequenceNetwork(nn.Module):
    """Item vectors and the encoder of events, trained together.

    Parameters
    ----------
    content_IC
        Content of the items that were seen, float32 (I, C), centred; zero where absent.
    first_width
        Columns of it that words and photos have too.
    """

    def __init__(self, content_IC: Matrix, first_width: int, config: Config) -> None:
        super().__init__()
        self.id_dropout, self.first_width = config.id_dropout, first_width
        self.ids = nn.Embedding(len(content_IC), config.dimensions)
        self.project = nn.Linear(content_IC.shape[1], config.dimensions, bias=False)
        self.encoder = EventEncoder(config)
        self.register_buffer("content_IC", torch.from_numpy(content_IC), persistent=False)
        self._start_from(content_IC)

    def items(self, rows: Tensor | None = None) -> Tensor:
        """Return the vectors of the items, or of some rows, (I, D), unit rows.

        In training some go without their id vector, as new items do, and half of those with no more content
        than words have.
        """
        ids_ID, content_IC = self.ids.weight, self.get_buffer("content_IC")
        if rows is not None:
            ids_ID, content_IC = self.ids(rows), content_IC[rows]
        if not self.training or not self.id_dropout:
            return normalize(ids_ID + self.project(content_IC), dim=1, eps=TINY)
        weight_DC, width = self.project.weight, self.first_width
        first_ID = content_IC[:, :width] @ weight_DC[:, :width].T
        rest_ID = content_IC[:, width:] @ weight_DC[:, width:].T
        luck_I1 = torch.rand(len(ids_ID), 1, device=ids_ID.device)
        has_id_I1, has_rest_I1 = luck_I1 >= self.id_dropout, luck_I1 >= self.id_dropout / 2
        return normalize(ids_ID * has_id_I1 + first_ID + rest_ID * has_rest_I1, dim=1, eps=TINY)

    def contents(self, content_XC: Tensor) -> Tensor:
        """Return the vectors of words, photos or new items, unit rows, zero where there is no content."""
        return normalize(content_XC @ self.project.weight[:, : content_XC.shape[1]].T, dim=1, eps=TINY)

    def _start_from(self, content_IC: Matrix) -> None:
        """Begin with the principal components of the content, and with id vectors that hardly speak.

        Content begins with the same length whatever its spaces: the longer it is, the less ids can change.
        """
        nn.init.normal_(self.ids.weight, std=0.02)
        _, axes = np.linalg.eigh(content_IC.T @ content_IC)
        principal = np.array(axes.T[::-1][: self.project.out_features], dtype=np.float32)
        lengths_I = np.linalg.norm(content_IC @ principal.T, axis=1)
        principal *= CONTENT_LENGTH / lengths_I[lengths_I > 0].mean() if lengths_I.any() else 0.0
        with torch.no_grad():
            self.project.weight.zero_()[: len(principal)] = torch.from_numpy(principal)


class EventEncoder(nn.Module):
    """From event vectors to the outlook after each of them: where the shopper looks next."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width = config.dimensions
        self.scale = width**0.5
        self.start = nn.Parameter(torch.randn(width) * 0.1)
        self.types = nn.Embedding(len(EVENT_TYPES), width)
        self.gaps = nn.Embedding(N_GAPS, width)
        nn.init.zeros_(self.types.weight)  # kinds and gaps never met in training then stay neutral
        nn.init.zeros_(self.gaps.weight)
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, vectors_UTD: Tensor, types_UT: Tensor, gaps_UT: Tensor) -> Tensor:
        """Return the outlook before the first event and after each, (U, T + 1, D), unit rows."""
        events_UTD = vectors_UTD * self.scale + self.types(types_UT) + self.gaps(gaps_UT)
        start_U1D = self.start.expand(vectors_UTD.shape[0], 1, -1)
        x = self.dropout(torch.cat([start_U1D, events_UTD], dim=1))
        for layer in self.layers:
            x = layer(x)
        return normalize(self.norm(x), dim=2, eps=TINY)


class Layer(nn.Module):
    """Attention to what came before, then a mixing of features, each let in by a gate.

    Source
    ------
    Borisyuk et al., LiGR: From Features to Transformers, 2025 (gated, pre-normalised residuals); Shazeer, GLU
    Variants Improve Transformer, 2020 (SwiGLU). How far back an event lies is a learnt bias per head, as in
    Raffel et al., T5, JMLR 2020, so a window may begin anywhere in a history.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        width, self.heads = config.dimensions, config.heads
        self.attention_norm, self.mixing_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.attended = nn.Linear(width, width)
        self.distances = nn.Parameter(torch.zeros(config.heads, config.max_events + 1))
        self.mixed_in = nn.Linear(width, 4 * width)
        self.mixed_out = nn.Linear(2 * width, width)
        self.attention_gate, self.mixing_gate = nn.Linear(width, width), nn.Linear(width, width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Return (U, T, D) for (U, T, D)."""
        attended = self.attended(self._attention(self.attention_norm(x)))
        x = x + self.dropout(attended) * torch.sigmoid(self.attention_gate(x))
        values, gate = self.mixed_in(self.mixing_norm(x)).chunk(2, dim=-1)
        mixed = self.mixed_out(values * silu(gate))
        x = x + self.dropout(mixed) * torch.sigmoid(self.mixing_gate(x))
        return x

    def _attention(self, x: Tensor) -> Tensor:
        n_batch, n_steps, width = x.shape
        split = self.queries_keys_values(x).view(n_batch, n_steps, 3, self.heads, width // self.heads)
        queries, keys, values = split.permute(2, 0, 3, 1, 4).unbind(0)
        logits = queries @ keys.transpose(-1, -2) * (width // self.heads) ** -0.5 + self._bias(n_steps)
        attended: Tensor = (logits.softmax(dim=-1) @ values).transpose(1, 2)
        return attended.reshape(n_batch, n_steps, width)

    def _bias(self, n_steps: int) -> Tensor:
        """Return what is added to the attention logits, (heads, T, T): -inf for what comes later."""
        steps = torch.arange(n_steps, device=self.distances.device)
        back_TT = steps[:, None] - steps[None, :]
        bias: Tensor = self.distances[:, back_TT.clamp(0, self.distances.shape[1] - 1)]
        return bias.masked_fill(back_TT < 0, float("-inf"))


def onnx_of(encoder: EventEncoder, *, dimensions: int) -> bytes:
    """Return the encoder as an ONNX graph, after comparing the two on batches of other shapes."""
    require("onnxscript")
    encoder = encoder.cpu().eval()
    sizes = {0: torch.export.Dim("shoppers", min=1), 1: torch.export.Dim("events", min=1)}
    with _quiet_export():
        exported = torch.onnx.export(
            encoder,
            _example(3, 5, dimensions),
            dynamo=True,
            verbose=False,
            input_names=["vectors", "types", "gaps"],
            output_names=["outlooks"],
            dynamic_shapes=(sizes, sizes, sizes),
        )
    assert exported is not None
    graph: bytes = exported.model_proto.SerializeToString()
    _check_export(encoder, graph, dimensions)
    return graph


@contextmanager
def _quiet_export() -> Iterator[None]:
    """Keep the exporter's deprecations and its search for torchvision to itself."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _check_export(encoder: EventEncoder, graph: bytes, dimensions: int) -> None:
    from huaxiang.recommend.sequence_outlook import session_of

    session = session_of(graph)
    for n_shoppers, n_events in ((1, 1), (4, 9)):
        example = _example(n_shoppers, n_events, dimensions)
        with torch.inference_mode():
            wanted = encoder(*example).numpy()
        inputs = dict(zip(("vectors", "types", "gaps"), (part.numpy() for part in example), strict=True))
        gap = float(np.abs(session.run(None, inputs)[0] - wanted).max())
        if not gap < 1e-4:
            raise HuaxiangError(
                "the export differs from the network", value=f"{gap:.1e}", remedy="report this"
            )


def _example(n_shoppers: int, n_events: int, dimensions: int) -> tuple[Tensor, Tensor, Tensor]:
    rng = np.random.default_rng(n_events)
    vectors = rng.standard_normal((n_shoppers, n_events, dimensions)).astype(np.float32) * dimensions**-0.5
    types = rng.integers(0, len(EVENT_TYPES), (n_shoppers, n_events))
    gaps = rng.integers(0, N_GAPS, (n_shoppers, n_events))
    return torch.from_numpy(vectors), torch.from_numpy(types), torch.from_numpy(gaps)
