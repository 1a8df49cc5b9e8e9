"""The shop's own photo encoder: it learns what its texts name, resumes, and is served like any other."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from huaxiang.encoders.photos import UNREADABLE
from huaxiang.encoders.shop_image import Config, fit_shop_image
from huaxiang.errors import EncoderError, SettingsError
from huaxiang.records import Matrix

pytest.importorskip("torch")

COLOURS = {"red": (200, 30, 40), "green": (30, 160, 60), "blue": (40, 60, 200), "yellow": (230, 200, 40)}
QUICK = Config(size=32, width=8, epochs=12, batch=16, learning_rate=4e-3)
TINY = Config(size=32, width=8, most_steps=4, batch=16)


def photo(colour: tuple[int, int, int], rng: np.random.Generator) -> bytes:
    """A spot of a colour somewhere on white."""
    picture = Image.new("RGB", (40, 40), "white")
    left, top = rng.integers(2, 18, size=2).tolist()
    picture.paste(colour, (left, top, left + 20, top + 20))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def shop(n: int = 64, *, seed: int = 0) -> tuple[list[bytes | None], Matrix, list[list[str]]]:
    """Photos of four colours, texts that name the colour, and the colour as a tag."""
    rng = np.random.default_rng(seed)
    names = [list(COLOURS)[row % 4] for row in range(n)]
    texts = np.eye(4)[np.arange(n) % 4] @ np.eye(4, 6) + 0.05 * rng.normal(size=(n, 6))
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)
    return [photo(COLOURS[name], rng) for name in names], texts.astype(np.float32), [[name] for name in names]


def test_a_new_photo_lands_beside_texts_of_its_colour(tmp_path: Path) -> None:
    photos, texts, tags = shop()
    encoder = fit_shop_image(photos, texts, folder=tmp_path, tags=tags, config=QUICK)
    new, _, _ = shop(40, seed=9)
    encoded = encoder.encode(new)
    nearest = (encoded.vectors_ID @ texts.T).argmax(axis=1)
    assert (nearest % 4 == np.arange(40) % 4).mean() > 0.9
    assert encoder.dimensions == 6
    np.testing.assert_allclose(np.linalg.norm(encoded.vectors_ID, axis=1), 1, atol=1e-5)


def test_the_same_seed_gives_the_same_space_and_another_seed_another(tmp_path: Path) -> None:
    photos, texts, _ = shop()
    spaces = [
        fit_shop_image(photos, texts, folder=tmp_path / name, config=TINY, seed=seed).space
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    ]
    assert spaces[0] == spaces[1] != spaces[2]


def test_a_stopped_fit_goes_on_and_ends_with_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huaxiang.encoders.shop_image.STEPS_PER_CHECKPOINT", 2)
    photos, texts, tags = shop()
    longer = Config(size=32, width=8, epochs=4, batch=16)

    def stop(done: int, total: int, note: str) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_shop_image(photos, texts, folder=tmp_path / "a", tags=tags, config=longer, progress=stop)
    seen: list[int] = []
    resumed = fit_shop_image(
        photos,
        texts,
        folder=tmp_path / "a",
        tags=tags,
        config=longer,
        progress=lambda done, *_: seen.append(done),
    )
    whole = fit_shop_image(photos, texts, folder=tmp_path / "b", tags=tags, config=longer)
    assert seen[0] == 3
    assert resumed.space == whole.space


def test_bad_photos_and_empty_texts_are_left_out(tmp_path: Path) -> None:
    photos, texts, _ = shop()
    photos[0], photos[1], texts[2] = None, b"junk", 0
    encoder = fit_shop_image(photos, texts, folder=tmp_path, config=Config(size=32, most_steps=1))
    assert encoder.encode(photos[:3]).problems == {1: UNREADABLE}


def test_too_few_photos_are_an_error(tmp_path: Path) -> None:
    photos, texts, _ = shop(31)
    with pytest.raises(EncoderError, match="too few photos to learn from"):
        fit_shop_image(photos, texts, folder=tmp_path)


def test_a_photo_per_text_is_needed(tmp_path: Path) -> None:
    photos, texts, _ = shop()
    with pytest.raises(EncoderError, match="differ in number"):
        fit_shop_image(photos[:-1], texts, folder=tmp_path)


@pytest.mark.parametrize(
    "setting", [{"size": 16}, {"width": 7}, {"epochs": 0}, {"batch": 1}, {"learning_rate": 0}]
)
def test_a_setting_out_of_range_is_an_error(setting: dict[str, int]) -> None:
    with pytest.raises(SettingsError):
        Config(**setting)  # type: ignore[arg-type]


def test_a_large_shop_stops_at_the_most_steps() -> None:
    plan = Config(most_steps=100, batch=10).training(100_000)
    assert plan.steps == 100
