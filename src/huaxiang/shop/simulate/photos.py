"""Product photos: kind gives the shape, colour the paint, style the pattern, material the surface."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from huaxiang.shop.simulate import things, worn
from huaxiang.shop.simulate.cloth import Field, grid, pattern, surface
from huaxiang.shop.simulate.pen import Layer, Pen
from huaxiang.shop.simulate.products import Products

FINER = 2
"""Photos are composed this many times larger and then reduced."""

Colour = NDArray[np.float32]
"""Red, green, blue, 0 to 1; (3,) or (H, W, 3)."""

FIXED: dict[str, tuple[int, int, int]] = {
    "white": (246, 246, 243),
    "gold": (201, 163, 84),
    "black": (38, 38, 42),
    "glow": (255, 232, 160),
    "wood": (139, 98, 62),
}
SHAPES: dict[str, Callable[[Pen], None]] = {**worn.SHAPES, **things.SHAPES}
"""How each kind is drawn."""


def draw_photo(products: Products, item: int, *, pixels: int, rng: np.random.Generator) -> Image.Image:
    """Return the photo of one item, an RGB image of `pixels` × `pixels`.

    Camera and light differ a little from photo to photo: place, size, background, brightness.
    """
    side = pixels * FINER
    names = {d: products.names[d][products.values[d][item]] for d in ("category", "material", "style")}
    pen = Pen(side)
    SHAPES[names["category"]](pen)
    paints = _paints(products.vocabulary.shades[products.shade_rows[item]].rgb, names, side, rng=rng)
    picture = _compose(pen.layers, paints, names, side, rng=rng)
    picture = np.clip(picture * np.float32(rng.uniform(0.96, 1.03)), 0, 1)
    photo = Image.fromarray((picture * 255).astype(np.uint8))
    return _as_seen(photo, rng=rng).resize((pixels, pixels), Image.Resampling.BOX)


def _paints(
    rgb: tuple[int, int, int], names: dict[str, str], side: int, *, rng: np.random.Generator
) -> dict[str, Colour]:
    across, down = grid(side)
    base = _rgb(rgb)
    second = _second(base, names["style"], rng=rng)
    where = pattern(names["style"], across, down, rng=rng)[:, :, None]
    rough = surface(names["material"], across, down, rng=rng).brightness[:, :, None]
    body = (base * (1 - where) + second * where) * rough
    tones = {"dark": body * 0.84, "deep": base * 0.62 * rough, "light": base + (1 - base) * 0.35}
    fixed = {name: _rgb(code) for name, code in FIXED.items()}
    return {"body": body, "second": second, "line": 0.42 * base, **tones, **fixed}


def _rgb(code: tuple[int, int, int]) -> Colour:
    return np.asarray(np.array(code) / 255, dtype=np.float32)


def _second(base: Colour, style: str, *, rng: np.random.Generator) -> Colour:
    """Return the colour of the pattern: lighter on dark, darker on light, loud on the street."""
    if style == "street":
        loud = np.array([(255, 214, 0), (0, 210, 180), (255, 70, 120)], dtype=np.float32) / 255
        return np.asarray(loud[rng.integers(3)])
    is_dark = float(base @ np.array([0.3, 0.59, 0.11], dtype=np.float32)) < 0.5
    white = np.array([0.97, 0.96, 0.92], dtype=np.float32)
    return np.asarray(base * 0.35 + white * 0.65 if is_dark else base * 0.62, dtype=np.float32)


def _compose(
    layers: list[Layer],
    paints: dict[str, Colour],
    names: dict[str, str],
    side: int,
    *,
    rng: np.random.Generator,
) -> Colour:
    across, down = grid(side)
    outline = np.max([layer.mask for layer in layers], axis=0)
    picture = _background(down, rng=rng)
    shadow = _blurred(np.roll(outline, (side // 40, side // 60), axis=(0, 1)), side / 28)[:, :, None]
    picture = picture * (1 - np.float32(0.35) * shadow)
    light = surface(names["material"], across, down, rng=rng)
    volume = (np.float32(0.72) + np.float32(0.3) * _blurred(outline, side / 22))[:, :, None]
    slope = (np.float32(1.1) - np.float32(0.2) * across)[:, :, None]
    for layer in layers:
        is_own = layer.paint in ("body", "dark", "deep", "light")
        coverage = layer.mask * np.float32(light.coverage if is_own else 1.0)
        shaded = paints[layer.paint] * (volume * slope if is_own else np.float32(1))
        picture = picture + coverage[:, :, None] * (shaded - picture)
    if names["style"] == "elegant":
        picture = _golden_edge(picture, layers, side)
    return picture + _shine(outline, across, down)[:, :, None] * np.float32(light.gloss)


def _background(down: Field, *, rng: np.random.Generator) -> Colour:
    tint = rng.uniform(0.86, 0.93) + rng.uniform(-0.025, 0.025, 3)
    return np.asarray((tint + 0.05 * (1 - down[:, :, None])).astype(np.float32))


def _blurred(mask: Field, radius: float) -> Field:
    image = Image.fromarray((mask * 255).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.BoxBlur(radius)), dtype=np.float32) / np.float32(255)


def _golden_edge(picture: Colour, layers: list[Layer], side: int) -> Colour:
    body = np.max([layer.mask for layer in layers if layer.paint == "body"], axis=0)
    image = Image.fromarray((body * 255).astype(np.uint8))
    inner = np.asarray(image.filter(ImageFilter.MinFilter(2 * (side // 75) + 1)), dtype=np.float32) / 255
    gold = _rgb(FIXED["gold"])
    return np.asarray(picture + (body - inner)[:, :, None] * (gold - picture))


def _shine(outline: Field, across: Field, down: Field) -> Field:
    """Return a soft window's reflection on the left third."""
    streak = np.exp(-((across - 0.36 + 0.12 * (down - 0.5)) ** 2) / 0.0035)
    return np.asarray(outline * streak * np.exp(-((down - 0.42) ** 2) / 0.05) * np.float32(0.75))


def _as_seen(photo: Image.Image, *, rng: np.random.Generator) -> Image.Image:
    """Return the photo as a camera held by hand saw it: a little nearer, turned and aside."""
    side = photo.width
    turn, zoom = np.deg2rad(rng.uniform(-4, 4)), rng.uniform(0.94, 1.06)
    cos, sin = np.cos(turn) * zoom, np.sin(turn) * zoom
    middle_x, middle_y = side / 2 + rng.uniform(-0.03, 0.03, 2) * side
    shift_x = side / 2 - cos * middle_x - sin * middle_y
    shift_y = side / 2 + sin * middle_x - cos * middle_y
    corner = photo.getpixel((2, 2))
    return photo.transform(
        photo.size,
        Image.Transform.AFFINE,
        (cos, sin, shift_x, -sin, cos, shift_y),
        Image.Resampling.BILINEAR,
        fillcolor=corner,
    )
