"""Photos are changed as drawn: the same draw gives the same pixels, and no draw leaves them as they were."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.errors import SettingsError

torch = pytest.importorskip("torch")

from huaxiang.encoders.augment_photos import DRAWN, NOTHING, Config, augmented, draw, mixed  # noqa: E402


def pixels(n: int = 4, *, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, (n, 3, 12, 8), dtype=np.uint8))


def changed(photos: torch.Tensor, config: Config, *, seed: int = 0) -> torch.Tensor:
    drawn = draw(len(photos), config, np.random.default_rng(seed))
    return augmented(photos, *(drawn[name] for name in DRAWN))


def only(**changes: float) -> Config:
    return Config(**{**vars(NOTHING), **changes})


def test_nothing_drawn_leaves_photos_as_they_are() -> None:
    torch.testing.assert_close(changed(pixels(), NOTHING), pixels().float(), atol=0.01, rtol=0)


def test_a_mirrored_photo_is_the_photo_from_right_to_left() -> None:
    torch.testing.assert_close(changed(pixels(), only(mirror=1)), pixels().float().flip(3), atol=0.01, rtol=0)


def test_the_same_seed_changes_alike_and_another_does_not() -> None:
    first, again, other = (changed(pixels(), Config(), seed=seed) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@given(seed=st.integers(0, 500))
def test_a_cut_lies_inside_the_photo(seed: int) -> None:
    cut = draw(8, only(least_area=0.1, most_stretch=3, mirror=0.5), np.random.default_rng(seed))["cut"]
    reach = cut[:, [0, 1], [0, 1]].abs() + cut[:, :, 2].abs()
    assert (reach <= 1 + 1e-6).all()


def test_a_hidden_part_has_the_photos_mean_and_the_rest_is_untouched() -> None:
    photos = pixels(1)
    drawn = draw(1, NOTHING, np.random.default_rng(0)) | {"hidden": torch.tensor([[0.0, 0.0, 0.5, 1.0]])}
    shown = augmented(photos, *(drawn[name] for name in DRAWN))
    torch.testing.assert_close(shown[:, :, 6:], photos[:, :, 6:].float(), atol=0.01, rtol=0)
    assert torch.allclose(shown[:, :, :6], photos.float().mean(), atol=0.01)


def test_light_changes_all_colours_alike() -> None:
    grey = torch.full((1, 3, 4, 4), 100, dtype=torch.uint8)
    shown = changed(grey, only(light=0.5), seed=1)
    assert shown.std() < 1e-3
    assert 50 <= shown.mean() <= 150


@pytest.mark.parametrize("config", [only(mixup=0.4), only(cutmix=1.0)], ids=["mixup", "cutmix"])
def test_tags_are_mixed_in_the_shares_of_the_photos(config: Config) -> None:
    black_and_white = np.stack([np.full((3, 40, 40), value, np.uint8) for value in (0, 200)])
    whole, tags = mixed(black_and_white, np.eye(2, dtype=np.float32), config, np.random.default_rng(5))
    share_of_white = whole.mean((1, 2, 3)) / 200
    np.testing.assert_allclose(share_of_white, tags[:, 1], atol=0.01)
    np.testing.assert_allclose(tags.sum(1), 1, atol=1e-6)


def test_channels_lie_last_in_memory() -> None:
    assert changed(pixels(), Config()).is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    "setting",
    [{"least_area": 0}, {"light": 1}, {"mirror": 2}, {"mixup": 1, "cutmix": 1}, {"most_stretch": 0}],
)
def test_a_setting_out_of_range_is_an_error(setting: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match="out of range"):
        Config(**setting)
