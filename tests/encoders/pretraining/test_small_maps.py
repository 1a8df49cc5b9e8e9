"""Convolutions with small outputs as matrix products: the same numbers, the same gradients."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from huaxiang.encoders.pretraining import small_maps
from huaxiang.encoders.pretraining.small_maps import SmallMaps


@pytest.mark.parametrize(
    ("size", "kernel", "how"),
    [
        ((3, 2), (3, 3), {"padding": 1}),
        ((5, 4), (3, 3), {"padding": 1, "stride": 2}),
        ((5, 4), (1, 1), {"stride": 2}),
        ((4, 6), (3, 2), {"padding": (1, 0), "stride": (1, 2)}),
        ((3, 3), (3, 3), {"padding": "same"}),
        ((3, 3), (3, 3), {"padding": 2, "dilation": 2}),
        ((9, 9), (3, 3), {"padding": 1}),
    ],
)
@pytest.mark.parametrize("has_bias", [True, False])
def test_outputs_and_gradients_are_those_of_a_convolution(
    size: tuple[int, int], kernel: tuple[int, int], how: dict[str, object], has_bias: bool
) -> None:
    torch.manual_seed(0)
    given = [torch.randn(2, 4, *size), torch.randn(5, 4, *kernel), torch.randn(5) if has_bias else None]
    found = []
    for quick in (False, True):
        leaves = [None if one is None else one.clone().requires_grad_() for one in given]
        if quick:
            with SmallMaps():
                out = functional.conv2d(*leaves, **how)
        else:
            out = functional.conv2d(*leaves, **how)
        (out * torch.arange(out.numel()).view(out.shape)).sum().backward()
        found.append([out.detach(), *(one.grad for one in leaves if one is not None)])
    for plain, quick_one in zip(*found, strict=True):
        torch.testing.assert_close(quick_one, plain, rtol=1e-4, atol=1e-3)


def test_only_small_maps_are_products(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[int, int]] = []
    product = small_maps._product

    def watched(*given: object) -> torch.Tensor:
        calls.append(given[-1])  # type: ignore[arg-type]
        return product(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(small_maps, "_product", watched)
    layers = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3, padding=1),
        torch.nn.Conv2d(4, 4, 3, stride=4),
        torch.nn.Conv2d(4, 4, 1, groups=2),
    )
    with SmallMaps(), torch.autocast("cpu", torch.bfloat16):
        assert layers(torch.randn(1, 3, 16, 16)).dtype == torch.bfloat16
    assert calls == [(4, 4)]
