"""The schema of a store, and the steps that lead to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from huaxiang.store import open_store
from huaxiang.store.migrate import NEWEST, SCRIPTS


def test_the_newest_schema_is_that_to_which_all_steps_lead() -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    assert ScriptDirectory.from_config(config).get_current_head() == NEWEST


def test_a_store_of_the_newest_schema_is_opened_without_a_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    open_store(url).close()
    monkeypatch.setattr("alembic.command.upgrade", lambda *_: pytest.fail("a step was looked for"))
    open_store(url).close()
