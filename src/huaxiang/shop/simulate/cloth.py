"""What a drawn product is covered with: the pattern of its style, the surface of its material."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Field = NDArray[np.float32]
"""One number per pixel, (H, W)."""
TAU = np.float32(2 * np.pi)


def grid(pixels: int) -> tuple[Field, Field]:
    """Return across and down, each 0 to 1, (H, W)."""
    line = (np.arange(pixels, dtype=np.float32) + np.float32(0.5)) / np.float32(pixels)
    return np.meshgrid(line, line)


def pattern(style: str, across: Field, down: Field, *, rng: np.random.Generator) -> Field:
    """Return where a style's pattern is, 0 to 1; zero for styles that are plain."""
    shift, scale = rng.uniform(0, 1, 2).astype(np.float32), np.float32(rng.uniform(0.85, 1.2))
    draw = PATTERNS.get(style)
    if draw is None:
        return np.zeros_like(across)
    return draw(across * scale + shift[0], down * scale + shift[1])


def _field(values: ArrayLike) -> Field:
    return np.asarray(values, dtype=np.float32)


def _tile(across: Field, down: Field, n: float) -> tuple[Field, Field]:
    """Return places inside the tiles of a brick-wise tiling, each −0.5 to 0.5."""
    row = np.floor(down * n)
    return (across * n + 0.5 * (row % 2)) % 1 - 0.5, (down * n) % 1 - 0.5


def _pinstripes(across: Field, down: Field) -> Field:
    return _field(0.8 * (across * 17 % 1 < 0.13))


def _breton(across: Field, down: Field) -> Field:
    return _field(down * 10 % 1 < 0.36)


def _racing(across: Field, down: Field) -> Field:
    slope = (across + 0.45 * down) * 2.6 % 1
    return _field((slope < 0.16) | ((slope > 0.24) & (slope < 0.3)))


def _dots(across: Field, down: Field) -> Field:
    x, y = _tile(across, down, 9)
    return _field(np.hypot(x, y) < 0.27)


def _blocks(across: Field, down: Field) -> Field:
    return _field((across * 1.7 % 1 < 0.5) ^ (down * 1.7 % 1 < 0.5))


def _zigzag(across: Field, down: Field) -> Field:
    wave = np.abs(across * 7 % 1 - 0.5)
    return _field((down * 8 + wave * 1.3) % 1 < 0.42)


def _plaid(across: Field, down: Field) -> Field:
    return _field(0.5 * (across * 7 % 1 < 0.42) + 0.5 * (down * 7 % 1 < 0.42))


def _hearts(across: Field, down: Field) -> Field:
    x, y = _tile(across, down, 6.5)
    x, y = x * 3.1, -y * 3.1 + 0.15
    return _field((x * x + y * y - 0.6) ** 3 < x * x * y**3 * 1.4)


def _camouflage(across: Field, down: Field) -> Field:
    waves = np.sin(TAU * (across * 2.1 + 0.4 * np.sin(TAU * down * 1.7)))
    waves = waves + np.sin(TAU * (down * 2.7 + 0.5 * np.sin(TAU * across * 1.3)))
    return _field(0.5 * (waves > 0.3) + 0.5 * (waves > 1.0))


def _flowers(across: Field, down: Field) -> Field:
    x, y = _tile(across, down, 5.5)
    petals = 0.25 + 0.11 * np.cos(5 * np.arctan2(y, x))
    radius = np.hypot(x, y)
    return _field((radius < petals) & (radius > 0.08))


def _girders(across: Field, down: Field) -> Field:
    x, y = across * 6 % 1, down * 6 % 1
    rivet = np.hypot(x - 0.5, y - 0.5) < 0.09
    return _field(0.9 * ((x < 0.09) | (y < 0.09) | rivet))


def _splashes(across: Field, down: Field) -> Field:
    waves = np.sin(TAU * (across * 3.3 + 0.6 * np.sin(TAU * down * 2.3))) + np.sin(
        TAU * (down * 3.9 + across * 1.1)
    )
    return _field(waves > 1.05)


PATTERNS: dict[str, Callable[[Field, Field], Field]] = {
    "classic": _pinstripes,
    "casual": _breton,
    "sporty": _racing,
    "vintage": _dots,
    "modern": _blocks,
    "bohemian": _zigzag,
    "rustic": _plaid,
    "cute": _hearts,
    "outdoor": _camouflage,
    "romantic": _flowers,
    "industrial": _girders,
    "street": _splashes,
}
"""Minimalist is plain, and elegant has a golden edge instead."""


class Surface(NamedTuple):
    """How a material takes the light: brightness per pixel around 1, gloss 0 to 1, coverage 0 to 1."""

    brightness: Field
    gloss: float
    coverage: float = 1.0


def surface(material: str, across: Field, down: Field, *, rng: np.random.Generator) -> Surface:
    """Return the surface of a material; unknown ones are smooth and matt."""
    grain, gloss = SURFACES.get(material, (None, 0.0))
    rough = np.zeros_like(across) if grain is None else grain(across, down, rng)
    return Surface((1 + rough).astype(np.float32), gloss, 0.62 if material == "glass" else 1.0)


def _noise(across: Field, rng: np.random.Generator) -> Field:
    return rng.standard_normal(across.shape, dtype=np.float32)


def _fine(across: Field, down: Field, rng: np.random.Generator) -> Field:
    return _field(0.025 * _noise(across, rng))


def _linen(across: Field, down: Field, rng: np.random.Generator) -> Field:
    threads = rng.standard_normal((2, len(across)), dtype=np.float32)
    return _field(0.07 * (threads[0][None, :] + threads[1][:, None]))


def _knit(across: Field, down: Field, rng: np.random.Generator) -> Field:
    slant = np.abs(across * 22 % 1 - 0.5)
    return _field(0.14 * np.sin(TAU * (down * 30 + slant * 1.4)) - 0.12 * (slant > 0.42))


def _folds(across: Field, down: Field, rng: np.random.Generator) -> Field:
    return _field(0.14 * np.sin(TAU * (across * 2.2 + 0.35 * np.sin(TAU * down * 0.9 + 1))))


def _hide(across: Field, down: Field, rng: np.random.Generator) -> Field:
    blotches = np.sin(TAU * across * 5.1 + 3 * np.sin(TAU * down * 4)) * np.sin(TAU * down * 6.3)
    return _field(0.05 * blotches + 0.03 * _noise(across, rng))


def _twill(across: Field, down: Field, rng: np.random.Generator) -> Field:
    fade = np.exp(-((across - 0.5) ** 2) / 0.05)
    return _field(0.13 * np.sin(TAU * (across + down) * 36) + 0.14 * fade)


def _weave(across: Field, down: Field, rng: np.random.Generator) -> Field:
    return _field(0.1 * np.sign(np.sin(TAU * across * 32) * np.sin(TAU * down * 32)))


def _pile(across: Field, down: Field, rng: np.random.Generator) -> Field:
    shimmer = np.sin(TAU * (across * 1.5 + down * 0.6))
    return _field(0.07 * _noise(across, rng) + 0.2 * shimmer)


def _wood(across: Field, down: Field, rng: np.random.Generator) -> Field:
    rings = down * 9 + 0.5 * np.sin(TAU * (across * 1.1 + rng.random())) + 0.15 * np.sin(TAU * across * 3.7)
    return _field(0.16 * np.sin(TAU * rings) + 0.04 * np.sin(TAU * rings * 4.3))


def _brushed(across: Field, down: Field, rng: np.random.Generator) -> Field:
    lines = rng.standard_normal(len(across)).astype(np.float32)[:, None]
    return _field(0.035 * lines + 0.26 * np.cos(TAU * (across * 1.6 - 0.1)))


def _veins(across: Field, down: Field, rng: np.random.Generator) -> Field:
    flow = across * 3 + 0.7 * np.sin(TAU * down * 1.1 + 2) + 0.25 * np.sin(TAU * (down * 3.1 + across * 2))
    return _field(-0.3 * np.exp(-(((flow % 1) - 0.5) ** 2) / 0.003))


def _pimples(across: Field, down: Field, rng: np.random.Generator) -> Field:
    x, y = _tile(across, down, 26)
    return _field(-0.16 * (np.hypot(x, y) < 0.28))


def _basket(across: Field, down: Field, rng: np.random.Generator) -> Field:
    is_over = (np.floor(across * 14) + np.floor(down * 14)) % 2 == 0
    strand = np.where(is_over, np.sin(np.pi * (down * 14 % 1)), np.sin(np.pi * (across * 14 % 1)))
    return _field(0.42 * (strand - 0.65))


Grain = Callable[[Field, Field, np.random.Generator], Field]
SURFACES: dict[str, tuple[Grain | None, float]] = {
    "cotton": (_fine, 0.0),
    "linen": (_linen, 0.0),
    "wool": (_knit, 0.0),
    "silk": (_folds, 0.3),
    "leather": (_hide, 0.3),
    "denim": (_twill, 0.0),
    "polyester": (None, 0.1),
    "canvas": (_weave, 0.0),
    "velvet": (_pile, 0.05),
    "wood": (_wood, 0.08),
    "metal": (_brushed, 0.5),
    "glass": (None, 0.85),
    "ceramic": (_fine, 0.55),
    "plastic": (None, 0.38),
    "rubber": (_pimples, 0.0),
    "stone": (_veins, 0.2),
    "wicker": (_basket, 0.0),
}
