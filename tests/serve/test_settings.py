from __future__ import annotations

from pathlib import Path

import pytest

from huaxiang.errors import InputError, SettingsError
from huaxiang.serve.process import Process
from huaxiang.serve.settings import addresses, read_serve_settings, serve_settings_from

REFUSED = [
    ({"exploraton": 0.1}, "the nearest is serve.exploration"),
    ({"limits": {"body_byte": 1}}, "the nearest is serve.limits.body_bytes"),
    ({"exploration": 2}, "from 0 to 1"),
    ({"exploration": "much"}, "serve.exploration"),
    ({"limits": {"burst": 0}}, "above zero"),
    ({"privacy": {"allowed": ["advertising"]}}, "purposes are recommend"),
    ({"privacy": {"epsilon": -1}}, "above zero"),
    ({"segment_names": {"Gekauft": "purchased"}}, "the nearest is purchase"),
]


@pytest.mark.parametrize(("tree", "said"), REFUSED, ids=[str(list(tree)) for tree, _ in REFUSED])
def test_a_wrong_setting_is_refused_with_the_right_one(tree: dict[str, object], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        serve_settings_from(tree)


def test_settings_stand_in_the_table_serve(tmp_path: Path) -> None:
    file = tmp_path / "shop.toml"
    file.write_text("[serve]\nexploration = 0.05\n[serve.limits]\nbatch_events = 50\n")
    settings = read_serve_settings(file)
    assert (settings.exploration, settings.limits.batch_events) == (0.05, 50)


def test_the_log_of_a_run_lies_beside_it_unless_said_otherwise() -> None:
    assert addresses({}, run=Path("runs/demo")).store == "sqlite:///runs/demo.live/store.sqlite"
    assert addresses({"HUAXIANG_STORE": "postgresql://h/d"}, run=Path("r")).store == "postgresql://h/d"


def test_secrets_are_not_shown() -> None:
    where = addresses({"HUAXIANG_ADMIN_KEY": "hx_secret", "HUAXIANG_PSEUDONYM_KEY": "hidden"}, run=Path("r"))
    assert "hx_secret" not in repr(where)
    assert "hidden" not in repr(where)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "SQLite has one writing process"),
        ({"HUAXIANG_STORE": "postgresql://h/d"}, "HUAXIANG_STATE to redis"),
    ],
    ids=["sqlite", "memory"],
)
def test_several_workers_need_shared_places(environment: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Process.of(environment, run=Path("r"), workers=4)


def test_a_run_must_be_named() -> None:
    with pytest.raises(InputError, match="HUAXIANG_RUN"):
        Process.of({})
