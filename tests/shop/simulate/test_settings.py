"""Settings are checked once, where they are made."""

import pytest

from huaxiang.errors import SettingsError
from huaxiang.shop.simulate import Config


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_shoppers": 0},
        {"n_items": 3},
        {"drift_share": 1.5},
        {"photo_pixels": 8},
        {"concentrations": {"colour": 0.3}},
        {"pulls": {}},
    ],
    ids=str,
)
def test_a_setting_out_of_range_is_named(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=f"simulate.{next(iter(wrong))}"):
        Config(**wrong)  # type: ignore[arg-type]
