"""How Alembic runs our migrations: inside the transaction that `migrate` opened."""

from __future__ import annotations

from alembic import context

from huaxiang.store.schema import TABLES

context.configure(connection=context.config.attributes["connection"], target_metadata=TABLES)
context.run_migrations()
