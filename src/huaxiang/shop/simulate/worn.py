"""How clothes, shoes, bags and accessories look: one short drawing per kind."""

from __future__ import annotations

from huaxiang.shop.simulate.pen import Pen


def dress(pen: Pen) -> None:
    """Draw straps, a narrow waist, a wide skirt."""
    pen.stroke("deep", [(41, 24), (42, 10)], 2.4)
    pen.stroke("deep", [(59, 24), (58, 10)], 2.4)
    left = [
        (41, 20),
        (38, 22),
        (36, 28),
        (39, 36),
        (40, 44),
        (40, 44),
        (34, 60),
        (24, 88),
        (24, 88),
        (37, 91),
    ]
    pen.both("body", left)
    pen.shape("line", "41,20 50,26 59,20 59,20 50,22 41,20")
    pen.shape("deep", [(40, 43), (60, 43), (60.5, 47), (39.5, 47)], smooth=False)
    for x in (42, 50, 58):
        pen.stroke("line", [(50 + (x - 50) * 0.8, 50), (50 + (x - 50) * 2.0, 88)], 0.7)


def skirt(pen: Pen) -> None:
    """Draw a waistband and an A-line."""
    pen.both("body", "35,26 35,26 28,48 18,78 18,78 34,83")
    pen.box("deep", 34.5, 20, 65.5, 28, 2)
    for x in (38, 50, 62):
        pen.stroke("line", [(x, 29), (50 + (x - 50) * 1.7, 81)], 0.8)


def t_shirt(pen: Pen) -> None:
    """Draw short sleeves, round neck."""
    pen.pair("body", "34,22 27,25 11,42 11,42 22,52 22,52 33,42")
    pen.both("body", "40,18 32,22 29,30 31,50 30,86 30,86")
    pen.stroke("line", [(31, 32), (32, 44)], 0.9)
    pen.stroke("line", [(69, 32), (68, 44)], 0.9)
    pen.shape("deep", "39,18 50,28 61,18 61,18 50,23 39,18")


def shirt(pen: Pen) -> None:
    """Draw long sleeves, a collar, a row of buttons."""
    pen.pair("body", "34,20 26,24 19,44 12,76 12,76 21,79 21,79 31,46")
    pen.pair("deep", [(12.5, 73), (21.7, 76), (21, 80), (11.6, 77)], smooth=False)
    pen.both("body", "41,16 33,20 29,28 31,50 29,84 29,84 40,89")
    pen.stroke("line", [(50, 26), (50, 88)], 1.0)
    for y in range(32, 86, 10):
        pen.oval("white", 51.5, y, 1.3, 1.3)
    pen.pair("light", [(42, 13), (50, 25), (43, 31), (37, 18)], smooth=False)
    pen.pair("line", [(43, 30), (50, 24), (50, 25.4), (43, 32)], smooth=False)
    pen.box("line", 57, 40, 65, 41, 0)


def sweater(pen: Pen) -> None:
    """Draw thick sleeves, ribbed cuffs and hem, a high neck."""
    pen.pair("body", "34,22 24,27 15,50 9,74 9,74 21,78 21,78 33,50")
    pen.pair("deep", [(9.5, 72), (21.5, 76), (20, 83), (8, 79)], smooth=False)
    pen.both("body", "40,19 31,23 28,34 29,60 28,80 28,80")
    pen.box("deep", 28, 78, 72, 86, 2)
    pen.box("deep", 40, 13, 60, 23, 4)
    for x in range(31, 71, 4):
        pen.stroke("line", [(x, 79), (x, 85)], 0.6)
    for x in range(43, 60, 4):
        pen.stroke("line", [(x, 14), (x, 22)], 0.6)


def hoodie(pen: Pen) -> None:
    """Draw a hood, drawcords, a kangaroo pocket."""
    pen.shape("deep", "37,26 36,14 50,7 64,14 63,26 50,31")
    pen.shape("line", "42,24 43,15 50,12 57,15 58,24 50,29")
    pen.pair("body", "34,23 25,28 17,50 11,76 11,76 22,79 22,79 33,50")
    pen.pair("deep", [(11.5, 74), (22.4, 77), (21.4, 83), (10.4, 80)], smooth=False)
    pen.both("body", "39,24 31,25 28,36 29,60 28,82 28,82")
    pen.box("deep", 28, 80, 72, 87, 2)
    pen.shape("dark", [(38, 60), (62, 60), (68, 76), (32, 76)], smooth=False)
    pen.stroke("white", [(46, 29), (45, 44)], 1.4)
    pen.stroke("white", [(54, 29), (55, 42)], 1.4)


def jacket(pen: Pen) -> None:
    """Draw lapels, a zip, two chest pockets."""
    pen.pair("body", "34,20 25,25 17,48 12,76 12,76 24,79 24,79 33,48")
    pen.both("body", "40,17 31,21 28,34 29,60 28,82 28,82")
    pen.shape("black", [(44, 16), (56, 16), (50, 36)], smooth=False)
    pen.pair("deep", "41,15 45,15 50,37 47,41 36,27", smooth=False)
    pen.stroke("gold", [(50, 38), (50, 84)], 1.3)
    pen.box("deep", 28, 79, 72, 85, 1)
    pen.pair("dark", [(33, 46), (44, 46), (44, 49), (33, 49)], smooth=False)
    pen.pair("dark", [(32, 62), (40, 70), (38, 72), (31, 65)], smooth=False)


def trousers(pen: Pen) -> None:
    """Draw two long legs."""
    pen.both("body", "34,12 34,12 30,40 27,90 27,90 44,90 44,90 49,44", smooth=False)
    pen.box("deep", 33.8, 10, 66.2, 16, 1)
    pen.stroke("line", [(50, 16), (50, 42)], 0.9)
    pen.stroke("line", [(40, 17), (35.5, 90)], 0.7)
    pen.stroke("line", [(60, 17), (64.5, 90)], 0.7)
    pen.pair("line", [(35, 18), (41, 18), (34, 27)], smooth=False)
    pen.oval("gold", 50, 13, 1.2, 1.2)


def shorts(pen: Pen) -> None:
    """Draw two short legs and a drawstring."""
    left = "29,24 29,24 24,46 19,74 19,74 46,77 46,77 50,52"
    pen.both("body", left, smooth=False)
    pen.box("deep", 28.6, 20, 71.4, 29, 2)
    pen.stroke("line", [(50, 29), (50, 51)], 1.0)
    pen.pair("line", [(30, 31), (39, 31), (28, 44)], smooth=False)
    pen.stroke("white", [(47, 28), (45, 42)], 1.3)
    pen.stroke("white", [(53, 28), (55, 40)], 1.3)


def scarf(pen: Pen) -> None:
    """Draw a loop with two hanging, fringed ends."""
    pen.shape("dark", [(54, 36), (66, 32), (74, 82), (60, 84)], smooth=False)
    pen.shape("body", [(34, 34), (48, 36), (44, 88), (28, 86)], smooth=False)
    pen.ring("body", 50, 28, 28, 17, thick=13)
    pen.shape("line", [(40, 39), (50, 43), (60, 40), (50, 40)])
    pen.shape("body", [(38, 34), (50, 32), (52, 46), (36, 46)])
    for x in range(29, 45, 3):
        pen.stroke("deep", [(x, 86), (x - 0.5, 93)], 1.0)
    for x in range(61, 74, 3):
        pen.stroke("deep", [(x, 82), (x + 0.5, 89)], 1.0)


def hat(pen: Pen) -> None:
    """Draw a cap with a peak."""
    pen.shape("deep", "62,56 80,58 94,68 88,72 66,68 50,66")
    pen.shape(
        "body",
        "14,66 14,66 15,44 28,28 45,24 60,30 70,46 71,66 71,66 42,70",
    )
    pen.stroke("line", [(45, 24), (43, 69)], 0.9)
    pen.stroke("line", [(45, 24), (27, 44), (24, 68)], 0.8)
    pen.stroke("line", [(45, 24), (60, 44), (62, 67)], 0.8)
    pen.oval("deep", 45, 24, 2.6, 2)
    pen.stroke("deep", [(14, 66), (42, 70), (71, 66)], 2.2)


def socks(pen: Pen) -> None:
    """Draw a pair, one behind the other."""
    for shift, paint in ((18, "dark"), (0, "body")):
        outline = [
            (24, 14),
            (24, 14),
            (44, 14),
            (44, 14),
            (44, 50),
            (58, 68),
            (64, 78),
            (54, 86),
            (38, 78),
            (25, 62),
        ]
        pen.shape(paint, [(x + shift, y - shift * 0.15) for x, y in outline])  # type: ignore[arg-type]
        pen.box("deep", 23 + shift, 12 - shift * 0.15, 45 + shift, 22 - shift * 0.15, 2)
    pen.shape("deep", "53,66 62,73 63,80 54,86 47,83")
    pen.shape("deep", [(25, 54), (34, 58), (30, 70), (24, 62)])


def running_shoes(pen: Pen) -> None:
    """Draw a thick curved sole, laces, a swoosh of the pattern's colour."""
    pen.shape("white", "8,72 10,64 40,64 70,66 94,66 95,72 84,78 40,79 14,79")
    pen.shape(
        "body",
        [
            (10, 66),
            (9, 50),
            (13, 36),
            (21, 38),
            (30, 44),
            (42, 36),
            (50, 38),
            (62, 50),
            (84, 56),
            (93, 66),
            (93, 66),
            (50, 68),
        ],
    )
    pen.shape("deep", "10,66 9,50 13,36 20,38 23,52 22,67")
    pen.shape("second", "28,66 40,52 58,60 76,66 60,64 43,58 36,67")
    for x, y in ((44, 40), (49, 43.5), (54, 47), (59, 50.5)):
        pen.stroke("white", [(x - 4, y + 5), (x + 3, y - 1)], 1.7)
    pen.stroke("line", [(9, 72), (40, 73), (94, 70)], 1.0)
    pen.stroke("second", [(14, 78), (40, 79), (84, 77.5)], 1.8)


def sneakers(pen: Pen) -> None:
    """Draw a flat sole and a high, laced upper."""
    pen.shape(
        "body",
        [
            (16, 70),
            (15, 40),
            (17, 24),
            (17, 24),
            (44, 24),
            (44, 24),
            (50, 44),
            (66, 54),
            (84, 60),
            (88, 70),
            (88, 70),
        ],
    )
    pen.shape("white", "66,57 82,58 90,64 89,71 70,71")
    pen.box("white", 13, 69, 90, 79, 3)
    pen.stroke("deep", [(14, 74), (89, 74)], 1.1, smooth=False)
    pen.shape("light", "40,24 46,24 54,44 66,54 58,58 46,46")
    for step in range(6):
        pen.stroke("white", [(39 + step * 3.4, 31 + step * 5), (50 + step * 2.6, 28 + step * 4.6)], 1.6)
    pen.ring("white", 27, 40, 6, 6, thick=1.4)
    pen.stroke("line", [(16, 60), (30, 56), (33, 70)], 0.9)


def boots(pen: Pen) -> None:
    """Draw a shaft, a block heel, a pull loop."""
    pen.shape(
        "body",
        [
            (26, 12),
            (26, 12),
            (54, 12),
            (54, 12),
            (53, 52),
            (62, 62),
            (82, 68),
            (88, 80),
            (88, 80),
            (26, 80),
            (26, 80),
            (28, 50),
        ],
    )
    pen.shape("black", "24,79 89,79 89,85 50,85 44,84 44,90 24,90", smooth=False)
    pen.shape("dark", [(38, 36), (54, 34), (53, 52), (44, 54)])
    pen.box("deep", 25, 10, 55, 17, 2)
    pen.stroke("line", [(28, 62), (46, 58), (54, 80)], 1.0)
    pen.ring("deep", 27, 9, 2.6, 4, thick=1.4)


def heels(pen: Pen) -> None:
    """Draw a pointed toe and a thin high heel, from the side."""
    pen.shape("black", [(15, 42), (24, 46), (20, 86), (16, 86)], smooth=False)
    pen.shape(
        "body",
        [
            (14, 40),
            (16, 28),
            (24, 30),
            (34, 46),
            (50, 62),
            (66, 68),
            (84, 74),
            (95, 84),
            (78, 86),
            (58, 84),
            (40, 66),
            (24, 52),
        ],
    )
    pen.shape("line", "24,30 36,46 52,60 68,68 56,67 40,54 28,42")
    pen.stroke("deep", [(24, 53), (40, 67), (58, 85), (94, 86)], 1.8)


def backpack(pen: Pen) -> None:
    """Draw straps, a round top, a front pocket with a zip."""
    pen.ring("deep", 50, 16, 9, 8, thick=3)
    pen.pair("dark", "28,32 20,40 17,66 23,80 29,78")
    pen.shape(
        "body",
        "26,86 25,40 32,20 50,15 68,20 75,40 74,86 74,86 50,90 26,86",
    )
    pen.shape("deep", "31,84 31,58 38,54 62,54 69,58 69,84 50,86")
    pen.stroke("gold", [(33, 62), (67, 62)], 1.3, smooth=False)
    pen.stroke("line", "28,44 34,26 50,21 66,26 72,44", 1.4)
    pen.box("light", 44, 34, 56, 42, 1)


def handbag(pen: Pen) -> None:
    """Draw a trapeze with a bowed handle and a clasp."""
    pen.ring("deep", 50, 36, 20, 24, thick=3.6)
    pen.both("body", "26,40 26,40 16,84 16,84 20,88 50,89")
    pen.both("dark", "26,40 26,40 29,52 42,58 50,59")
    pen.box("gold", 46, 53, 54, 62, 2)
    pen.stroke("line", [(19, 82), (50, 85), (81, 82)], 0.9)


def watch(pen: Pen) -> None:
    """Draw a strap from top to bottom and a round face."""
    pen.shape("body", [(40, 8), (60, 8), (62, 34), (38, 34)], smooth=False)
    pen.shape("body", [(38, 66), (62, 66), (59, 94), (41, 94)], smooth=False)
    pen.shape("deep", [(36, 30), (64, 30), (66, 40), (34, 40)], smooth=False)
    pen.shape("deep", [(34, 60), (66, 60), (64, 70), (36, 70)], smooth=False)
    pen.box("gold", 71, 47, 76, 53, 1)
    pen.oval("gold", 50, 50, 23, 23)
    pen.oval("white", 50, 50, 19.5, 19.5)
    for x, y in ((50, 34), (50, 66), (34, 50), (66, 50)):
        pen.oval("black", x, y, 1.4, 1.4)
    pen.stroke("black", [(50, 50), (50, 38)], 1.8, smooth=False)
    pen.stroke("black", [(50, 50), (59, 55)], 2.2, smooth=False)


def sunglasses(pen: Pen) -> None:
    """Draw two dark lenses in a thick frame."""
    pen.pair("deep", [(10, 40), (4, 38), (3, 42), (12, 48)], smooth=False)
    pen.stroke("body", [(42, 44), (50, 40), (58, 44)], 4)
    pen.pair("body", "8,38 26,36 45,39 45,54 36,66 20,66 10,56")
    pen.pair("black", "13,42 26,40.5 41,43 41,52 34,61 21,61 14,54")
    pen.pair("glow", [(17, 45), (23, 44), (17, 54)], smooth=False)


def umbrella(pen: Pen) -> None:
    """Draw an open canopy of panels, a stick with a crook."""
    pen.stroke("wood", "50,20 50,80 51,88 57,90 61,86 61,82", 2.6)
    pen.shape(
        "body",
        [
            (8, 54),
            (8, 54),
            (14, 36),
            (30, 20),
            (50, 14),
            (70, 20),
            (86, 36),
            (92, 54),
            (92, 54),
            (78, 49),
            (64, 54),
            (64, 54),
            (50, 49),
            (36, 54),
            (36, 54),
            (22, 49),
        ],
    )
    pen.shape("dark", "50,14 60,30 64,54 64,54 50,49 36,54 36,54 40,30")
    pen.stroke("line", [(50, 14), (22, 34), (8, 54)], 0.7)
    pen.stroke("line", [(50, 14), (78, 34), (92, 54)], 0.7)
    pen.stroke("gold", [(50, 8), (50, 15)], 2, smooth=False)


SHAPES = {
    "dress": dress,
    "skirt": skirt,
    "t-shirt": t_shirt,
    "shirt": shirt,
    "sweater": sweater,
    "hoodie": hoodie,
    "jacket": jacket,
    "trousers": trousers,
    "shorts": shorts,
    "scarf": scarf,
    "hat": hat,
    "socks": socks,
    "running shoes": running_shoes,
    "sneakers": sneakers,
    "boots": boots,
    "heels": heels,
    "backpack": backpack,
    "handbag": handbag,
    "watch": watch,
    "sunglasses": sunglasses,
    "umbrella": umbrella,
}
