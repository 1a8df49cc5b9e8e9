"""Heads and neurons that matter least to a task, removed.

transformers has no settings for layers with fewer heads than others. So a model's folder keeps a removed head
as zeros, from which any program reads the same function; what is served, timed and taught is without them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from huaxiang.encoders.compression.layers import Layer, head_width, layers_of, set_neurons
from huaxiang.encoders.learning.base import in_range

if TYPE_CHECKING:
    from huaxiang.encoders.finetuning.fit import TextLesson
    from huaxiang.encoders.finetuning.network import TextNetwork

Matters = NDArray[np.float64]
_AT_ONCE = 32
_NEURONS_STEP = 8


def importance(network: TextNetwork, lesson: TextLesson) -> tuple[Matters, list[Matters]]:
    """Return how much each head and each neuron matters to labelled rows, (L, H) and L times (N,).

    A mask of ones stands before the matrices that join the heads and the neurons; what matters is the mean
    size of each row's gradient there, divided by the layer's Euclidean norm.

    Source
    ------
    Michel, Levy and Neubig, Are Sixteen Heads Really Better than One?, NeurIPS 2019, section 4.1.
    """
    layers, width = layers_of(network.model), head_width(network.model)
    n_heads = [layer.joined.in_features // width for layer in layers]
    heads = [np.zeros(n) for n in n_heads]
    neurons = [np.zeros(layer.out_of.in_features) for layer in layers]
    device = next(network.parameters()).device
    network.eval()
    for start in range(0, len(lesson.lengths_N), _AT_ONCE):
        rows = np.arange(start, min(start + _AT_ONCE, len(lesson.lengths_N)))
        batch = {name: value.to(device) for name, value in lesson.inputs(rows).items()}
        targets = torch.from_numpy(lesson.targets[rows]).to(device)
        head_masks = [torch.ones(len(rows), n, device=device, requires_grad=True) for n in n_heads]
        neuron_masks = [torch.ones(len(rows), len(n), device=device, requires_grad=True) for n in neurons]
        with masked(layers, head_masks, neuron_masks, width=width):
            loss = network.task.loss(network.outputs(**batch), targets).sum()
        gradients = torch.autograd.grad(loss, [*head_masks, *neuron_masks])
        sizes = [gradient.abs().sum(0).double().cpu().numpy() for gradient in gradients]
        for total, size in zip([*heads, *neurons], sizes, strict=True):
            total += size
    return np.array([_scaled(layer) for layer in heads]), [_scaled(layer) for layer in neurons]


def _scaled(layer: Matters) -> Matters:
    scaled: Matters = layer / max(float(np.linalg.norm(layer)), 1e-12)
    return scaled


@contextmanager
def masked(
    layers: list[Layer], head_masks: list[Tensor], neuron_masks: list[Tensor] | None = None, *, width: int
) -> Iterator[None]:
    """Multiply each head, (B, H), and each neuron, (B, N), by a number for a while."""
    hooks = []
    for at, layer in enumerate(layers):
        spread = head_masks[at].repeat_interleave(width, dim=1)
        hooks.append(layer.joined.register_forward_pre_hook(_times(spread)))
        if neuron_masks is not None:
            hooks.append(layer.out_of.register_forward_pre_hook(_times(neuron_masks[at])))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _times(mask_BD: Tensor) -> Callable[[nn.Module, tuple[Any, ...]], tuple[Any, ...]]:
    return lambda module, inputs: (inputs[0] * mask_BD[:, None, :],)


def heads_to_keep(importance_LH: Matters, share: float) -> list[list[int]]:
    """Return the heads of each layer that stay when this share of all is removed, one in each layer at least.

    Examples
    --------
    >>> heads_to_keep(np.array([[0.9, 0.1, 0.2], [0.05, 0.3, 0.01]]), 0.5)
    [[0, 2], [1]]
    """
    in_range("prune", share, 0 <= share < 1, "0 to 1, without 1")
    n_removed = int(round(share * importance_LH.size))
    stays = np.ones(importance_LH.shape, np.bool_)
    for at in np.argsort(importance_LH, axis=None, kind="stable"):
        layer, head = np.unravel_index(at, importance_LH.shape)
        if n_removed and stays[layer].sum() > 1:
            stays[layer, head] = False
            n_removed -= 1
    return [np.flatnonzero(layer).tolist() for layer in stays]


def neurons_to_keep(importance_LN: list[Matters], share: float) -> list[list[int]]:
    """Return the neurons of each layer that stay; as many in each, in steps of eight.

    Examples
    --------
    >>> len(neurons_to_keep([np.arange(32.0)], 0.5)[0])
    16
    """
    in_range("prune_neurons", share, 0 <= share < 1, "0 to 1, without 1")
    n_kept = max(1, round(len(importance_LN[0]) * (1 - share) / _NEURONS_STEP)) * _NEURONS_STEP
    return [sorted(np.argsort(-layer, kind="stable")[:n_kept].tolist()) for layer in importance_LN]


def remove_heads(model: Any, kept: list[list[int]]) -> None:
    """Leave only these heads of each layer, in place."""
    width = head_width(model)
    for layer, heads in zip(layers_of(model), kept, strict=True):
        places = torch.cat([torch.arange(head * width, (head + 1) * width) for head in heads])
        for part in (layer.query, layer.key, layer.value):
            _keep_rows(part, places)
        _keep_columns(layer.joined, places)


def remove_neurons(model: Any, kept: list[list[int]]) -> None:
    """Leave only these neurons of each layer, in place, and say so in the settings."""
    for layer, neurons in zip(layers_of(model), kept, strict=True):
        _keep_rows(layer.into, torch.tensor(neurons))
        _keep_columns(layer.out_of, torch.tensor(neurons))
    set_neurons(model, len(kept[0]))


def with_zero_heads(model: Any) -> None:
    """Put zeros where heads were removed, in place: the same function, of the shape the settings tell."""
    for layer in layers_of(model):
        missing = int(model.config.hidden_size) - layer.joined.in_features
        if missing:
            for part in (layer.query, layer.key, layer.value):
                _set(part, nn.functional.pad(part.weight, (0, 0, 0, missing)), _padded(part.bias, missing))
            _set(layer.joined, nn.functional.pad(layer.joined.weight, (0, missing)), layer.joined.bias)


def without_zero_heads(model: Any) -> list[list[int]]:
    """Remove heads that are all zeros, in place; return which stay."""
    width, kept = head_width(model), []
    for layer in layers_of(model):
        values = layer.value.weight.detach().abs().sum(1) + layer.joined.weight.detach().abs().sum(0)
        if layer.value.bias is not None:
            values = values + layer.value.bias.detach().abs()
        is_alive = values.reshape(-1, width).sum(1) > 0
        kept.append(is_alive.nonzero()[:, 0].tolist() or [0])
    remove_heads(model, kept)
    return kept


def _padded(bias: Tensor | None, missing: int) -> Tensor | None:
    return None if bias is None else nn.functional.pad(bias, (0, missing))


def _keep_rows(part: nn.Linear, places: Tensor) -> None:
    places = places.to(part.weight.device)
    _set(part, part.weight[places], None if part.bias is None else part.bias[places])


def _keep_columns(part: nn.Linear, places: Tensor) -> None:
    _set(part, part.weight[:, places.to(part.weight.device)], part.bias)


def _set(part: nn.Linear, weight: Tensor, bias: Tensor | None) -> None:
    part.weight = nn.Parameter(weight.detach().clone().contiguous())
    part.register_parameter("bias", None if bias is None else nn.Parameter(bias.detach().clone()))
    part.out_features, part.in_features = part.weight.shape
