"""The first tables.

They are written out in `schema.py`. A later migration that changes one of them first freezes here what they
were.
"""

from __future__ import annotations

from alembic import op

from huaxiang.store.schema import TABLES

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

N_PARTITIONS = 8


def upgrade() -> None:
    """Make every table; in PostgreSQL the log in partitions by shopper."""
    connection = op.get_bind()
    TABLES.create_all(connection)
    if connection.dialect.name == "postgresql":
        for number in range(N_PARTITIONS):
            op.execute(
                f"CREATE TABLE events_{number} PARTITION OF events "
                f"FOR VALUES WITH (MODULUS {N_PARTITIONS}, REMAINDER {number})"
            )
