"""The audit only grows, and time finds what is older than a moment.

A line can't be changed. It can be deleted only once a newer line with the action `expire` says that lines
before a moment have expired: so what is gone has left a line behind that says so. Whoever may change the
schema can still drop the triggers; that is no longer done by a statement that looks like any other.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_EXPIRED = (
    "EXISTS (SELECT 1 FROM audit later WHERE later.shop_id = OLD.shop_id AND later.action = 'expire' "
    "AND later.line > OLD.line AND OLD.at_ms < "
    "CASE WHEN later.action = 'expire' THEN CAST(later.outcome AS BIGINT) ELSE 0 END)"
)
_SQLITE = (
    "UPDATE audit SET line = printf('%011x', at_ms) || substr(line, 1, 13)",
    "CREATE TRIGGER audit_no_change BEFORE UPDATE ON audit "
    "BEGIN SELECT RAISE(ABORT, 'lines of the audit are never changed'); END",
    "CREATE TRIGGER audit_no_replacement BEFORE INSERT ON audit "
    "WHEN EXISTS (SELECT 1 FROM audit WHERE shop_id = NEW.shop_id AND line = NEW.line) "
    "BEGIN SELECT RAISE(ABORT, 'lines of the audit are never changed'); END",
    f"CREATE TRIGGER audit_no_loss BEFORE DELETE ON audit WHEN NOT {_EXPIRED} "
    "BEGIN SELECT RAISE(ABORT, 'lines of the audit go only when they have expired'); END",
)
_POSTGRESQL = (
    "UPDATE audit SET line = lpad(to_hex(at_ms), 11, '0') || substr(line, 1, 13)",
    "CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    f"IF TG_OP = 'DELETE' THEN IF {_EXPIRED} THEN RETURN OLD; END IF; "
    "RAISE EXCEPTION 'lines of the audit go only when they have expired'; END IF; "
    "RAISE EXCEPTION 'lines of the audit are never changed'; END $$",
    "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit "
    "FOR EACH ROW EXECUTE FUNCTION audit_only_grows()",
    "CREATE TRIGGER audit_no_truncation BEFORE TRUNCATE ON audit "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows()",
)
_BOTH = (
    "CREATE INDEX IF NOT EXISTS audit_expiries ON audit (shop_id, line) WHERE action = 'expire'",
    "CREATE INDEX IF NOT EXISTS slates_by_time ON slates (shop_id, shown_ms)",
)


def upgrade() -> None:
    """Let lines sort by time, then close the audit."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in (*_BOTH, *(_POSTGRESQL if is_postgresql else _SQLITE)):
        op.get_bind().exec_driver_sql(statement)
