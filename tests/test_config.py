from pathlib import Path

import pytest

from huaxiang.config import Settings, read_settings, settings_toml
from huaxiang.errors import SettingsError


def test_the_defaults_survive_a_round_trip_through_toml(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(settings_toml(Settings()), encoding="utf-8")
    assert read_settings(file) == Settings()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("sed=3", "the nearest is seed"),
        ("text.encodr=x", "the nearest is text.encoder"),
        ("seed=many", "seed"),
        ("text.precision=fp8", "text.precision .fp8."),
        ("seed", "write part.name=value"),
    ],
)
def test_a_wrong_setting_names_itself_and_the_remedy(change: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        read_settings(changes=[change])


def test_a_settings_file_that_is_no_toml_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("seed = = 3", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"settings\.toml"):
        read_settings(file)
