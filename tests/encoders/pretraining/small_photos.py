"""Products whose photos are a spot of a colour, and whose texts and tags name it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from huaxiang.encoders.pretraining.photo_products import PhotoProducts, products_of_table

COLOURS = {"red": (200, 30, 40), "green": (30, 160, 60), "blue": (40, 60, 200), "yellow": (230, 200, 40)}
SHAPES = ("wide", "tall")


def write_photos(folder: Path, n: int = 64, *, seed: int = 0) -> Path:
    """Write `products.csv` (id, title, colour, shape) and `photos/<id>.png`; return the table."""
    rng = np.random.default_rng(seed)
    (folder / "photos").mkdir(parents=True)
    lines = ["id,title,colour,shape"]
    for row in range(n):
        colour, shape = list(COLOURS)[row % 4], SHAPES[row // 4 % 2]
        picture = Image.new("RGB", (40, 40), "white")
        left, top = rng.integers(2, 16, size=2).tolist()
        width, height = (22, 8) if shape == "wide" else (8, 22)
        picture.paste(COLOURS[colour], (left, top, left + width, top + height))
        picture.save(folder / "photos" / f"p{row}.png")
        lines.append(f"p{row},{colour} {shape} dress {row},{colour},{shape}")
    (folder / "products.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "products.csv"


def small_products(folder: Path, n: int = 64, *, seed: int = 0) -> PhotoProducts:
    """Return them as they are learnt from."""
    return products_of_table(
        write_photos(folder, n, seed=seed),
        photos=folder / "photos",
        texts=["title"],
        tags=["colour", "shape"],
    )
