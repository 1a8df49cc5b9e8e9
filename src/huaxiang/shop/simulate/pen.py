"""What shapes are drawn with: outlines in a box of 100 × 100 become layers of paint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Point = tuple[float, float]
Paint = Literal["body", "dark", "deep", "light", "second", "line", "white", "gold", "black", "glow", "wood"]
"""body has colour, material and pattern; dark, deep, light and line are tones of its colour; second is the
colour of its pattern; the others are what they say."""

Points = Sequence[Point] | str
"""An outline, also as text "10,20 30,40". A point given twice is a sharp corner of a rounded one."""
Mask = NDArray[np.float32]
FINENESS = 2
"""Outlines are drawn this many times finer than the layers, for smooth edges."""


@dataclass(frozen=True)
class Layer:
    """Where something is painted: coverage 0 to 1, (H, W)."""

    paint: Paint
    mask: Mask


class Pen:
    """Collects layers; later ones cover earlier ones."""

    def __init__(self, pixels: int) -> None:
        self.pixels = pixels
        self.layers: list[Layer] = []

    def shape(self, paint: Paint, points: Points, *, smooth: bool = True) -> None:
        """Fill a closed outline, rounded through its points or straight between them."""
        outline = rounded(points) if smooth else placed(points)
        canvas, draw = self._sheet()
        draw.polygon([self._place(point) for point in outline], fill=255)
        self._keep(paint, canvas)

    def both(self, paint: Paint, left: Points, *, smooth: bool = True) -> None:
        """Fill the outline whose left half is given from top to bottom; the right half mirrors it."""
        self.shape(paint, [*placed(left), *mirrored(left)], smooth=smooth)

    def pair(self, paint: Paint, left: Points, *, smooth: bool = True) -> None:
        """Fill a closed outline and its mirror image, as sleeves are."""
        self.shape(paint, left, smooth=smooth)
        self.shape(paint, mirrored(left), smooth=smooth)

    def oval(self, paint: Paint, x: float, y: float, width: float, height: float) -> None:
        """Fill an ellipse around a centre."""
        canvas, draw = self._sheet()
        draw.ellipse([self._place((x - width, y - height)), self._place((x + width, y + height))], fill=255)
        self._keep(paint, canvas)

    def box(
        self, paint: Paint, left: float, top: float, right: float, bottom: float, radius: float = 0
    ) -> None:
        """Fill a rectangle with rounded corners."""
        canvas, draw = self._sheet()
        draw.rounded_rectangle(
            [self._place((left, top)), self._place((right, bottom))], radius * self._scale, fill=255
        )
        self._keep(paint, canvas)

    def stroke(self, paint: Paint, points: Points, width: float, *, smooth: bool = True) -> None:
        """Draw an open line, rounded through its points."""
        path = [self._place(p) for p in (rounded(points, closed=False) if smooth else placed(points))]
        canvas, draw = self._sheet()
        draw.line(path, fill=255, width=max(1, round(width * self._scale)), joint="curve")
        self._keep(paint, canvas)

    def ring(self, paint: Paint, x: float, y: float, width: float, height: float, *, thick: float) -> None:
        """Draw an ellipse's outline; `width` and `height` are the outer half axes."""
        canvas, draw = self._sheet()
        corners = [self._place((x - width, y - height)), self._place((x + width, y + height))]
        draw.ellipse(corners, outline=255, width=max(1, round(thick * self._scale)))
        self._keep(paint, canvas)

    @property
    def _scale(self) -> float:
        return self.pixels * FINENESS / 100

    def _place(self, point: Point) -> Point:
        return point[0] * self._scale, point[1] * self._scale

    def _sheet(self) -> tuple[Image.Image, ImageDraw.ImageDraw]:
        side = self.pixels * FINENESS
        canvas = Image.new("L", (side, side))
        return canvas, ImageDraw.Draw(canvas)

    def _keep(self, paint: Paint, canvas: Image.Image) -> None:
        mask = np.asarray(canvas.reduce(FINENESS), dtype=np.float32) / np.float32(255)
        self.layers.append(Layer(paint, mask))


def placed(points: Points) -> list[Point]:
    """Return the points, read from text if need be.

    Examples
    --------
    >>> placed("10,20 30,40.5")
    [(10.0, 20.0), (30.0, 40.5)]
    """
    if not isinstance(points, str):
        return list(points)
    pairs = (pair.split(",") for pair in points.split())
    return [(float(x), float(y)) for x, y in pairs]


def mirrored(points: Points) -> list[Point]:
    """Return the points on the other side of x = 50, in reverse, so that an outline can go on.

    Examples
    --------
    >>> mirrored("40,10 30,90")
    [(70.0, 90.0), (60.0, 10.0)]
    """
    return [(100 - x, y) for x, y in reversed(placed(points))]


def rounded(points: Points, *, closed: bool = True, steps: int = 8) -> list[Point]:
    """Return a curve through the points (Catmull-Rom); a point given twice is a corner.

    Source
    ------
    Catmull and Rom, A class of local interpolating splines, 1974.

    Examples
    --------
    >>> len(rounded("0,0 10,0 10,10", steps=4))
    12
    """
    given = np.array(placed(points), dtype=float)
    if closed:
        padded = np.concatenate([given[-1:], given, given[:2]])
    else:
        padded = np.concatenate([given[:1], given, given[-1:]])
    before, start, end, after = padded[:-3, None], padded[1:-2, None], padded[2:-1, None], padded[3:, None]
    t = (np.arange(steps) / steps)[None, :, None]
    curve = 0.5 * (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    )
    is_corner = (start == end).all(axis=(1, 2))
    path = [(float(x), float(y)) for x, y in curve[~is_corner].reshape(-1, 2)]
    return path if closed else [*path, (float(given[-1, 0]), float(given[-1, 1]))]
