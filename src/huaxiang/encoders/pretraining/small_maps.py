"""Convolutions whose output is a few pixels, as one matrix product: on a CPU several times as quick to learn.

What a CPU's library does for the gradient of the weights is made for large maps; the last maps of a ResNet-18
on photos of 60 × 80 pixels have 2 × 3. `benchmarks/small_maps.py` measures the gain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

MOST_PIXELS = 16
"""Of the output. Above some twenty the copies cost more than the product gains."""


class SmallMaps(TorchFunctionMode):
    """Within it, convolutions of a CPU with outputs of `MOST_PIXELS` or fewer are matrix products.

    Examples
    --------
    >>> photos, kernels = torch.ones(1, 2, 4, 4), torch.ones(3, 2, 3, 3)
    >>> with SmallMaps():
    ...     quick = functional.conv2d(photos, kernels, stride=2, padding=1)
    >>> bool((quick == functional.conv2d(photos, kernels, stride=2, padding=1)).all())
    True
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return what `func` returns."""
        if func is functional.conv2d:
            return _convolved(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def _convolved(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] | str = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
) -> Tensor:
    stride, dilation = _two(stride), _two(dilation)
    if isinstance(padding, str) or dilation != (1, 1) or groups != 1 or _is_elsewhere(input):
        return functional.conv2d(input, weight, bias, stride, padding, dilation, groups)
    padding = _two(padding)
    n_out, _, *kernel = weight.shape
    height, width = (
        (size + 2 * pad - reach) // step + 1
        for size, pad, reach, step in zip(input.shape[2:], padding, kernel, stride, strict=True)
    )
    if not 0 < height * width <= MOST_PIXELS:
        return functional.conv2d(input, weight, bias, stride, padding, dilation, groups)
    flat = _product(input, weight, bias, stride, padding, (height, width))
    return flat.view(len(input), height, width, n_out).permute(0, 3, 1, 2)


def _is_elsewhere(photos: Tensor) -> bool:
    return photos.device.type != "cpu" or photos.ndim != 4


def _product(
    photos_NCHW: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: tuple[int, int],
    padding: tuple[int, int],
    size: tuple[int, int],
) -> Tensor:
    """Return the outputs of all pixels, (N · height · width, channels)."""
    down, across = stride
    rows, columns = down * (size[0] - 1) + 1, across * (size[1] - 1) + 1
    padded_NHWC = functional.pad(
        photos_NCHW.permute(0, 2, 3, 1), (0, 0, padding[1], padding[1], padding[0], padding[0])
    )
    seen = [
        padded_NHWC[:, top : top + rows : down, left : left + columns : across]
        for top in range(weight.shape[2])
        for left in range(weight.shape[3])
    ]
    kernels = weight.permute(2, 3, 1, 0).reshape(-1, len(weight))
    outputs = torch.cat(seen, -1).reshape(-1, len(kernels)) @ kernels
    return outputs if bias is None else outputs + bias


def _two(one_or_two: int | Sequence[int]) -> tuple[int, int]:
    if isinstance(one_or_two, int):
        return one_or_two, one_or_two
    first, second = one_or_two
    return first, second
