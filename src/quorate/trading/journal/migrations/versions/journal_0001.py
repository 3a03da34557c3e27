"""The journal and its accounts, both append-only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from quorate.core.errors import JournalError

revision = "journal_0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = ("accounts", "journal")


def upgrade() -> None:
    """Create two tables, and triggers that refuse to change or remove rows."""
    op.create_table(
        "accounts",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("settings_hash", sa.Text, nullable=False),
        sa.Column("bundle_id", sa.Text, nullable=False),
    )
    op.create_table(
        "journal",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("account", sa.Text, sa.ForeignKey("accounts.name", name="journal_account"), nullable=False),
        sa.Column("time_ms", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("symbol", sa.Text, nullable=True),
        sa.Column("order_id", sa.Text, nullable=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("written_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("account", "key", name="journal_account_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("journal_account_seq", "journal", ["account", "seq"])
    op.create_index("journal_account_kind_seq", "journal", ["account", "kind", "seq"])
    if op.get_bind().dialect.name == "postgresql":
        _refuse_in_postgresql()
    else:
        _refuse_in_sqlite()


def downgrade() -> None:
    """Refuse: an older version could not read newer records.

    Raises:
        JournalError: always.
    """
    raise JournalError(
        "downgrade the journal",
        found="no way back",
        expected="upgrades only",
        remedy="Restore a backup that the older version wrote.",
    )


def _refuse_in_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP; END $$"
    )
    for table in TABLES:
        for event in ("UPDATE", "DELETE", "TRUNCATE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only()"
            )


def _refuse_in_sqlite() -> None:
    for table in TABLES:
        for event in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: {event} refused'); END"
            )
    # INSERT OR REPLACE deletes without firing the triggers of DELETE.
    for table, known in (
        ("accounts", "name = NEW.name"),
        ("journal", "seq = NEW.seq OR (account = NEW.account AND key = NEW.key)"),
    ):
        op.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "  # noqa: S608  (names of this file)
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {known}) "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: this row is there'); END"
        )
