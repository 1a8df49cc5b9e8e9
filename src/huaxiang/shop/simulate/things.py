"""How things for kitchen and home look: one short drawing per kind."""

from __future__ import annotations

import math

from huaxiang.shop.simulate.pen import Pen


def mug(pen: Pen) -> None:
    """Draw a cylinder with a handle."""
    pen.ring("body", 72, 52, 17, 19, thick=6)
    pen.shape("body", "22,24 70,24 70,76 66,84 26,84 22,76", smooth=False)
    pen.oval("body", 46, 83, 20.5, 4)
    pen.oval("light", 46, 24, 24, 5.5)
    pen.oval("deep", 46, 24.6, 21, 4)


def bottle(pen: Pen) -> None:
    """Draw a tall body and a screw cap."""
    pen.both("body", "42,24 41,30 33,38 32,46 32,90 32,90 40,93")
    pen.box("deep", 41, 9, 59, 25, 2)
    for y in (13, 16, 19):
        pen.stroke("line", [(42, y), (58, y)], 0.7, smooth=False)
    pen.box("dark", 32, 78, 68, 82, 0)
    pen.ring("deep", 50, 8, 6, 5, thick=2)


def plate(pen: Pen) -> None:
    """Draw a disc with a rim, seen from above."""
    pen.oval("body", 50, 50, 41, 41)
    pen.ring("light", 50, 50, 41, 41, thick=2)
    pen.oval("line", 50, 50, 28.5, 28.5)
    pen.oval("light", 50, 50, 27, 27)
    pen.oval("body", 50, 50, 24.5, 24.5)


def bowl(pen: Pen) -> None:
    """Draw half a ball on a foot."""
    pen.box("deep", 36, 76, 64, 84, 2)
    pen.both("body", "10,38 10,38 14,56 26,74 42,80")
    pen.oval("light", 50, 38, 40, 10)
    pen.oval("deep", 50, 39, 36, 7.6)


def teapot(pen: Pen) -> None:
    """Draw a round belly with spout, handle and lid."""
    pen.ring("deep", 80, 54, 14, 17, thick=5)
    pen.shape("body", "30,66 18,58 12,42 4,36 8,32 18,34 24,46 34,52")
    pen.oval("body", 50, 58, 31, 26)
    pen.box("deep", 36, 81, 64, 86, 2)
    pen.oval("dark", 50, 35, 16, 5)
    pen.shape("body", "35,34 40,27 50,25 60,27 65,34 50,37")
    pen.oval("deep", 50, 23, 3.6, 3.6)


def lamp(pen: Pen) -> None:
    """Draw a lit shade on a stem and a foot."""
    pen.oval("glow", 50, 50, 30, 8)
    pen.stroke("gold", [(50, 44), (50, 86)], 3.2, smooth=False)
    pen.oval("deep", 50, 87, 19, 4.6)
    pen.shape("body", [(36, 12), (64, 12), (80, 48), (20, 48)], smooth=False)
    pen.oval("glow", 50, 48, 29, 3.6)
    pen.stroke("gold", [(62, 52), (62, 62)], 0.8, smooth=False)
    pen.oval("gold", 62, 63, 1.5, 1.5)


def candle(pen: Pen) -> None:
    """Draw a filled holder with a flame."""
    pen.shape("glow", "50,8 57,20 55,28 50,31 45,28 43,20")
    pen.shape("gold", [(50, 15), (53, 22), (50, 28), (47, 22)])
    pen.shape("body", "28,42 72,42 70,86 66,90 34,90 30,86", smooth=False)
    pen.oval("white", 50, 42, 22, 6)
    pen.ring("deep", 50, 42, 22, 6, thick=1.2)
    pen.stroke("black", [(50, 42), (50, 29)], 1.3, smooth=False)
    pen.box("white", 39, 58, 61, 74, 1)
    pen.stroke("line", [(43, 64), (57, 64)], 1, smooth=False)
    pen.stroke("line", [(45, 68), (55, 68)], 1, smooth=False)


def cushion(pen: Pen) -> None:
    """Draw a plump square with pointed corners."""
    pen.shape(
        "body",
        [
            (12, 14),
            (12, 14),
            (50, 20),
            (88, 14),
            (88, 14),
            (82, 50),
            (88, 86),
            (88, 86),
            (50, 80),
            (12, 86),
            (12, 86),
            (18, 50),
        ],
    )
    for x, y in ((12, 14), (88, 14), (88, 86), (12, 86)):
        pen.stroke("line", [(x, y), (50 + (x - 50) * 0.66, 50 + (y - 50) * 0.66)], 0.9)
    pen.stroke("deep", [(12, 86), (50, 80), (88, 86)], 1.6)


def rug(pen: Pen) -> None:
    """Draw a carpet in perspective with a border and fringes."""
    pen.shape("body", [(28, 26), (72, 26), (92, 76), (8, 76)], smooth=False)
    for edge in ([(31, 31), (69, 31)], [(14, 70), (86, 70)], [(31, 31), (14, 70)], [(69, 31), (86, 70)]):
        pen.stroke("deep", edge, 2.2, smooth=False)
    pen.shape("dark", [(50, 38), (64, 50), (50, 63), (36, 50)], smooth=False)
    for step in range(22):
        pen.stroke("white", [(9 + step * 3.9, 76), (8.6 + step * 3.9, 81)], 1.0, smooth=False)
        pen.stroke("white", [(28.5 + step * 2.05, 26), (28.5 + step * 2.05, 23)], 0.7, smooth=False)


def vase(pen: Pen) -> None:
    """Draw a belly and a neck, with a twig."""
    pen.stroke("wood", [(50, 30), (46, 16), (36, 5)], 1.3)
    pen.stroke("wood", [(50, 30), (55, 14), (64, 6)], 1.3)
    for x, y in ((36, 6), (42, 11), (63, 7), (57, 12), (50, 18)):
        pen.oval("glow", x, y, 3.2, 2.6)
    pen.both("body", "41,26 41,26 43,38 34,50 29,66 34,82 40,91 40,91")
    pen.oval("light", 50, 26, 9, 2.6)
    pen.oval("deep", 50, 26.3, 7, 1.7)


def clock(pen: Pen) -> None:
    """Draw a round frame, a face, two hands."""
    pen.oval("body", 50, 50, 41, 41)
    pen.oval("white", 50, 50, 33, 33)
    for hour in range(12):
        angle = hour * math.pi / 6
        far, near = (30.0, 26.0 if hour % 3 else 23.5)
        mark = [(50 + r * math.sin(angle), 50 - r * math.cos(angle)) for r in (near, far)]
        pen.stroke("black", mark, 1.6 if hour % 3 else 2.6, smooth=False)
    pen.stroke("black", [(50, 50), (38, 40)], 3, smooth=False)
    pen.stroke("black", [(50, 50), (64, 34)], 2.2, smooth=False)
    pen.stroke("second", [(47, 56), (57, 30)], 0.9, smooth=False)
    pen.oval("black", 50, 50, 2.4, 2.4)


def chair(pen: Pen) -> None:
    """Draw a back, a seat, four legs."""
    pen.stroke("dark", [(36, 60), (33, 86)], 3.4, smooth=False)
    pen.stroke("dark", [(68, 60), (71, 86)], 3.4, smooth=False)
    pen.stroke("deep", [(28, 64), (24, 94)], 4, smooth=False)
    pen.stroke("deep", [(72, 64), (77, 94)], 4, smooth=False)
    pen.shape("body", "31,8 69,8 72,14 70,54 30,54 28,14", smooth=False)
    for x in (40, 50, 60):
        pen.stroke("line", [(x, 13), (x, 50)], 1.6, smooth=False)
    pen.shape("light", [(30, 52), (70, 52), (79, 63), (21, 63)], smooth=False)
    pen.shape("deep", [(21, 63), (79, 63), (78, 68), (22, 68)], smooth=False)


SHAPES = {
    "mug": mug,
    "bottle": bottle,
    "plate": plate,
    "bowl": bowl,
    "teapot": teapot,
    "lamp": lamp,
    "candle": candle,
    "cushion": cushion,
    "rug": rug,
    "vase": vase,
    "clock": clock,
    "chair": chair,
}
