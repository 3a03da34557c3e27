"""What the panel of language models has cost, and which of its providers rest; both change in place."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from quorate.core.errors import JournalError

revision = "journal_0002"
down_revision = "journal_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create two tables; rows of the journal stay as they are."""
    op.create_table(
        "panel_costs",
        sa.Column("day", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("provider", sa.Text, primary_key=True),
        sa.Column("model", sa.Text, primary_key=True),
        sa.Column("prompts", sa.BigInteger, nullable=False),
        sa.Column("nano_usd", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "panel_providers",
        sa.Column("provider", sa.Text, primary_key=True),
        sa.Column("failures", sa.BigInteger, nullable=False),
        sa.Column("rests_until", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )


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
