"""Photos of a catalogue, looked at again: known ones are not, and new ones are found where they lie."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from huaxiang.encoders.base import Encoded, ImageInput
from huaxiang.encoders.items import Known, renew_photos
from huaxiang.encoders.photos import read_photo


class Redness:
    """Sees nothing but how red a photo is."""

    space, dimensions = "redness", 1

    def encode(self, images: Sequence[ImageInput]) -> Encoded:
        seen = [read_photo(image).picture for image in images]
        vectors = [[float(one.getpixel((0, 0))[0]) if one else 0.0] for one in seen]  # type: ignore[index]
        is_there = np.array([one is not None for one in seen])
        return Encoded(vectors_ID=np.array(vectors, np.float32), present_I=is_there)


def test_photos_that_are_new_are_found_in_the_folder_or_among_those_given(tmp_path: Path) -> None:
    shop, sent = tmp_path / "images", tmp_path / "photos"
    for folder, name, red in ((shop, "a.png", 10), (shop, "b.png", 20), (sent, "c.png", 30)):
        folder.mkdir(exist_ok=True)
        Image.new("RGB", (1, 1), (red, 0, 0)).save(folder / name)
    known = Known(names=["a.png", None], vectors_ID=np.array([[99], [0]], np.float32))
    given = {"c.png": sent / "c.png"}
    names = ["a.png", "b.png", "c.png", "missing.png", None]
    found = renew_photos(names, known, Redness(), place=str(shop), given=given)
    assert found[:, 0].tolist() == [99, 20, 30, 0, 0]
    without = renew_photos(names, known, Redness(), place=None, given=given)
    assert without[:, 0].tolist() == [99, 0, 30, 0, 0]
