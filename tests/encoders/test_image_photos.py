"""Photos as shops have them: whatever the file is, nothing is raised."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from huaxiang.encoders import photos
from huaxiang.encoders.photos import read_photo
from huaxiang.errors import ShopError
from huaxiang.shop.images import Photos

RED = (200, 30, 40)


def packed(picture: Image.Image, kind: str = "PNG", **more: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **more)
    return out.getvalue()


def plain(mode: str = "RGB", colour: object = RED, size: tuple[int, int] = (8, 6)) -> Image.Image:
    return Image.new(mode, size, colour)  # type: ignore[arg-type]


ODD_PHOTOS = {
    "jpeg": (packed(plain(), "JPEG", quality=95), RED),
    "cmyk": (packed(plain("CMYK", (0, 255, 255, 0)), "JPEG", quality=95), (255, 0, 0)),
    "palette": (packed(plain().convert("P", palette=Image.Palette.ADAPTIVE)), RED),
    "transparent": (packed(plain("RGBA", (*RED, 0))), (255, 255, 255)),
    "half transparent": (packed(plain("RGBA", (0, 0, 0, 51))), (204, 204, 204)),
    "palette with a transparent colour": (packed(plain("P", 0), transparency=0), (255, 255, 255)),
    "grey with transparency": (packed(plain("LA", (0, 0))), (255, 255, 255)),
    "grey": (packed(plain("L", 70)), (70, 70, 70)),
    "black and white": (packed(plain("1", 1)), (255, 255, 255)),
    "16 bits": (packed(plain("I;16", 32768)), (128, 128, 128)),
    "floating": (packed(plain("F", 0.5), "TIFF"), (128, 128, 128)),
    "webp": (packed(plain(), "WEBP", lossless=True), RED),
    "gif": (packed(plain("P", 0), "GIF"), (0, 0, 0)),
}


@pytest.mark.parametrize("name", ODD_PHOTOS)
def test_every_kind_of_photo_becomes_three_colours(name: str) -> None:
    content, colour = ODD_PHOTOS[name]
    picture, problem = read_photo(content)
    assert problem is None
    assert picture is not None
    assert (picture.mode, picture.size) == ("RGB", (8, 6))
    np.testing.assert_allclose(picture.getpixel((3, 3)), colour, atol=6)


def test_an_animation_is_read_by_its_first_frame_and_says_so() -> None:
    moving = packed(plain(), "GIF", save_all=True, append_images=[plain(colour=(0, 0, 255))])
    picture, problem = read_photo(moving)
    assert picture is not None
    np.testing.assert_allclose(picture.getpixel((0, 0)), RED, atol=6)
    assert problem == photos.ANIMATED


def test_a_photo_taken_sideways_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture, _ = read_photo(packed(plain(size=(20, 10)), "JPEG", exif=exif))
    assert picture is not None
    assert picture.size == (10, 20)


def test_no_photo_is_absent_without_a_problem() -> None:
    assert read_photo(None) == (None, None)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", photos.UNREADABLE),
        (b"<html>404</html>", photos.UNREADABLE),
        (packed(Image.effect_noise((80, 80), 60), "JPEG")[:-900], photos.CUT_SHORT),
        (b"\0" * (photos.MOST_BYTES + 1), photos.TOO_LARGE),
    ],
    ids=["empty", "a web page", "truncated", "too large"],
)
def test_what_cannot_be_read_is_named(content: bytes, problem: str) -> None:
    assert read_photo(content) == (None, problem)


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = packed(Image.new("1", (8000, 7000)))
    assert len(bomb) < 100_000
    assert read_photo(bomb) == (None, photos.TOO_MANY_PIXELS)


def test_a_bomb_beyond_pillows_own_limit_is_refused_too() -> None:
    header = b"P5 60000 60000 255\n"
    assert read_photo(header) == (None, photos.TOO_MANY_PIXELS)


def test_a_large_jpeg_is_shrunk_while_reading() -> None:
    picture, _ = read_photo(packed(plain(size=(1600, 1200)), "JPEG"), at_least=128)
    assert picture is not None
    assert 128 <= min(picture.size) < 400


def test_a_missing_file_and_a_folder_are_problems(tmp_path: Path) -> None:
    assert read_photo(tmp_path / "nowhere.jpg").problem == photos.MISSING
    assert read_photo(tmp_path).problem == photos.UNREADABLE
    assert read_photo("a\0b.jpg").problem is not None


@settings(max_examples=60)
@given(
    kind=st.sampled_from(["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"]),
    place=st.floats(0, 1, exclude_max=True),
    junk=st.binary(max_size=20),
)
def test_damaged_bytes_never_raise(kind: str, place: float, junk: bytes) -> None:
    whole = packed(Image.effect_noise((24, 24), 60).convert("RGB"), kind)
    at = int(place * len(whole))
    picture, problem = read_photo(whole[:at] + junk + whole[at + len(junk) + 1 :])
    assert picture is not None or problem is not None


@pytest.fixture(params=["folder", "zip"])
def shop_photos(request: pytest.FixtureRequest, tmp_path: Path) -> Photos:
    named = {"a/1.jpg": RED, "a/front.png": (0, 255, 0), "b/front.png": (0, 0, 255)}
    if request.param == "zip":
        with zipfile.ZipFile(tmp_path / "images.zip", "w") as out:
            for name, colour in named.items():
                out.writestr(name, packed(plain(colour=colour)))
            out.writestr("notes.txt", "not a photo")
        return Photos(tmp_path / "images.zip")
    for name, colour in named.items():
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "images" / name).write_bytes(packed(plain(colour=colour)))
    (tmp_path / "images" / "notes.txt").write_text("not a photo")
    return Photos(tmp_path / "images")


def test_photos_are_found_by_name(shop_photos: Photos) -> None:
    assert shop_photos.names == ["a/1.jpg", "a/front.png", "b/front.png"]
    for name, colour in {"b/front.png": (0, 0, 255), "1.jpg": RED, "images/a/1.jpg": RED}.items():
        picture = read_photo(shop_photos.get(name)).picture
        assert picture is not None
        np.testing.assert_allclose(picture.getpixel((0, 0)), colour, atol=6)


@pytest.mark.parametrize("name", ["c/front.png", "front.png", "nowhere.jpg", "../../etc/passwd", "notes.txt"])
def test_another_items_photo_is_never_taken(shop_photos: Photos, name: str) -> None:
    assert read_photo(shop_photos.get(name)) == (None, photos.MISSING)


def test_items_without_a_photo_stay_without(shop_photos: Photos) -> None:
    assert shop_photos.all([None]) == [None]


def test_a_place_without_photos_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "images.zip").write_bytes(b"not a zip")
    for place in ("images.zip", "nowhere"):
        with pytest.raises(ShopError, match="photos can't be found"):
            Photos(tmp_path / place)


@pytest.mark.real
def test_real_product_photos_are_read(shared_data: Path) -> None:
    shop = Photos(shared_data / "fashion" / "images_60x80.zip")
    read = [read_photo(image) for image in shop.all([*shop.names[:300], "nowhere.jpg"])]
    assert [photo.problem for photo in read] == [None] * 300 + [photos.MISSING]
