"""Reviews are found without reading the rest of the log."""

from __future__ import annotations

from alembic import op

from huaxiang.store.reviews import INDEX

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index the reviews and ratings that count."""
    op.get_bind().exec_driver_sql(INDEX)
