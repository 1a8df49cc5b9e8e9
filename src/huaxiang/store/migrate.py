"""Bringing a store to the newest schema, with Alembic."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Engine

from huaxiang.errors import StoreError

SCRIPTS = Path(__file__).parent / "migrations"


def migrate(engine: Engine) -> None:
    """Bring the store to the newest schema.

    Raises
    ------
    StoreError
        It was made by a newer version.
    """
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    with engine.begin() as tx:
        config.attributes["connection"] = tx
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            newest = ScriptDirectory.from_config(config).get_current_head()
            raise StoreError(
                "the store was made by a newer version", remedy=f"update huaxiang; this one knows {newest}"
            ) from error
