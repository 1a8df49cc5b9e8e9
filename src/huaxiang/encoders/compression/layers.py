"""Where the families of text models keep their layers, heads and neurons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from huaxiang.errors import EncoderError


@dataclass(frozen=True)
class Layer:
    """One layer's matrices: queries, keys, values and what joins them; into the neurons and out of them."""

    query: nn.Linear
    key: nn.Linear
    value: nn.Linear
    joined: nn.Linear
    into: nn.Linear
    out_of: nn.Linear


_NAMES = (
    (
        "attention.self.query",
        "attention.self.key",
        "attention.self.value",
        "attention.output.dense",
        "intermediate.dense",
        "output.dense",
    ),
    (
        "attention.q_lin",
        "attention.k_lin",
        "attention.v_lin",
        "attention.out_lin",
        "ffn.lin1",
        "ffn.lin2",
    ),
)
_WIDTHS = ("intermediate_size", "hidden_dim")


def layer_list(model: Any) -> tuple[str, nn.ModuleList]:
    """Return the layers of a model, and their name in it.

    Raises
    ------
    EncoderError
        There is no list of so many layers.
    """
    wanted = int(model.config.num_hidden_layers)
    for name, part in model.named_modules():
        if isinstance(part, nn.ModuleList) and len(part) == wanted:
            return name, part
    raise EncoderError(
        "layers of the model are not found",
        value=type(model).__name__,
        remedy="give a BERT, RoBERTa, ELECTRA or DistilBERT, or another way to make it small",
    )


def layers_of(model: Any) -> list[Layer]:
    """Return the matrices of each layer.

    Raises
    ------
    EncoderError
        The family keeps them otherwise.
    """
    _, parts = layer_list(model)
    for names in _NAMES:
        try:
            return [Layer(*(_linear(part, name) for name in names)) for part in parts]
        except AttributeError:
            continue
    raise EncoderError(
        "heads and neurons of this family can't be removed",
        value=type(model).__name__,
        remedy="give a BERT, RoBERTa, ELECTRA or DistilBERT, or leave --prune away",
    )


def _linear(part: nn.Module, name: str) -> nn.Linear:
    found = part.get_submodule(name)
    assert isinstance(found, nn.Linear)
    return found


def head_width(model: Any) -> int:
    """Return how many numbers a head has."""
    return int(model.config.hidden_size) // int(model.config.num_attention_heads)


def set_neurons(model: Any, n_neurons: int) -> None:
    """Say in the settings how many neurons a layer has, by the name that the family gives it."""
    for name in _WIDTHS:
        if hasattr(model.config, name):
            setattr(model.config, name, n_neurons)


def keep_layers(model: Any, share: float) -> list[int]:
    """Keep evenly spaced layers of a model, in place, first and last among them; return which."""
    name, parts = layer_list(model)
    n_before = len(parts)
    kept = evenly(n_before, share)
    above, _, last = name.rpartition(".")
    setattr(model.get_submodule(above), last, nn.ModuleList([parts[at] for at in kept]))
    for setting, value in list(vars(model.config).items()):
        if isinstance(value, list | tuple) and len(value) == n_before:  # one word per layer
            setattr(model.config, setting, [value[at] for at in kept])
    model.config.num_hidden_layers = len(kept)
    return kept


def evenly(n_layers: int, share: float) -> list[int]:
    """Return which layers stay when this share of them does; the doubtful one is kept.

    Examples
    --------
    >>> evenly(12, 0.5), evenly(3, 0.5), evenly(2, 0.5)
    ([0, 2, 4, 7, 9, 11], [0, 2], [0])
    """
    n_kept = max(1, int(np.ceil(n_layers * share)))
    return [round(at) for at in np.linspace(0, n_layers - 1, n_kept).tolist()]
