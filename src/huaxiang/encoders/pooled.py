"""A transformer with its pooling on top, as one torch module."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from huaxiang.encoders.pooling import Pooling, read_json
from huaxiang.errors import EncoderError


class Pooled(nn.Module):
    """Token ids and their mask, both (I, T), to unit vectors (I, D).

    Rows are padded on the right.
    """

    def __init__(self, model: nn.Module, pooling: Pooling, dense: Sequence[nn.Module] = ()) -> None:
        super().__init__()
        self.model = model
        self.pooling = pooling
        self.dense = nn.Sequential(*dense)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Return the vectors."""
        tokens_ITD = self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        pooled_ID = pooled(tokens_ITD, attention_mask, self.pooling)
        return nn.functional.normalize(self.dense(pooled_ID), dim=-1)


def pooled(tokens_ITD: torch.Tensor, mask_IT: torch.Tensor, pooling: Pooling) -> torch.Tensor:
    """Return one vector per row of token vectors.

    Examples
    --------
    >>> tokens = torch.tensor([[[1.0], [3.0], [9.0]]])
    >>> [pooled(tokens, torch.tensor([[1, 1, 0]]), way).item() for way in ("mean", "cls", "max", "last")]
    [2.0, 1.0, 3.0, 3.0]
    """
    if pooling == "cls":
        return tokens_ITD[:, 0]
    if pooling == "last":
        last_I1D = (mask_IT.sum(1) - 1)[:, None, None].expand(-1, 1, tokens_ITD.shape[-1])
        return tokens_ITD.gather(1, last_I1D)[:, 0]
    mask_IT1 = mask_IT[..., None].to(tokens_ITD.dtype)
    if pooling == "max":
        return (tokens_ITD + (mask_IT1 - 1) * 1e9).max(1).values
    return (tokens_ITD * mask_IT1).sum(1) / mask_IT1.sum(1)


def dense_layers(source: Path, places: Sequence[str]) -> list[nn.Module]:
    """Return the linear layers of a sentence-transformers folder, in order.

    Raises
    ------
    EncoderError
        When a layer's weights are missing or its activation is not a torch one.
    """
    return [_dense(source / place) for place in places]


def _dense(folder: Path) -> nn.Module:
    config: dict[str, Any] = read_json(folder / "config.json", otherwise={})
    try:
        linear = nn.Linear(config["in_features"], config["out_features"], bias=config.get("bias", True))
        weights = load_file(folder / "model.safetensors")
        linear.load_state_dict({name.removeprefix("linear."): value for name, value in weights.items()})
        named = str(config.get("activation_function", "torch.nn.modules.linear.Identity"))
        activation = getattr(nn, named.rsplit(".", 1)[-1])()
    except (OSError, KeyError, AttributeError, RuntimeError, SafetensorError) as error:
        raise EncoderError(
            "dense layer can't be loaded", file=str(folder), remedy="fetch it as model.safetensors"
        ) from error
    return nn.Sequential(linear, activation)
