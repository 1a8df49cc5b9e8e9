"""Bringing a store to the newest schema, with Alembic."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, inspect

from huaxiang.errors import StoreError

SCRIPTS = Path(__file__).parent / "migrations"
NEWEST = max(file.name.partition("_")[0] for file in (SCRIPTS / "versions").glob("[0-9]*.py"))
"""The newest schema: files are named by their revision, which counts up."""
VERSIONS = "alembic_version"


def migrate(engine: Engine) -> None:
    """Bring the store to the newest schema.

    Raises
    ------
    StoreError
        It was made by a newer version.
    """
    if _schema_of(engine) == NEWEST:
        return  # Alembic takes a second to import: nearly every start does without
    from alembic import command
    from alembic.config import Config
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    with engine.begin() as tx:
        config.attributes["connection"] = tx
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StoreError(
                "the store was made by a newer version", remedy=f"update huaxiang; this one knows {NEWEST}"
            ) from error


def _schema_of(engine: Engine) -> str | None:
    """Return the schema that a store has, None where it has none yet."""
    with engine.begin() as tx:
        if not inspect(tx).has_table(VERSIONS):
            return None
        return tx.exec_driver_sql(f"SELECT version_num FROM {VERSIONS}").scalar()
