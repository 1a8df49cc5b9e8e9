"""The lines of one person are found without reading those of everybody."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index the audit by whom a line is about, in the order in which a page of it is read."""
    op.get_bind().exec_driver_sql(
        "CREATE INDEX IF NOT EXISTS audit_by_subject ON audit (shop_id, subject, line) "
        "WHERE subject IS NOT NULL"
    )
