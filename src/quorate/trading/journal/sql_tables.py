"""The journal's tables; the migrations build exactly these."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, MetaData, Table, Text, UniqueConstraint

# The newest migration, so that opening a journal needs no Alembic where there is nothing to do.
HEAD = "journal_0001"
VERSION_TABLE = "journal_version"

metadata = MetaData()

accounts = Table(
    "accounts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("created", BigInteger, nullable=False),
    Column("settings_hash", Text, nullable=False),
    Column("bundle_id", Text, nullable=False),
)

journal = Table(
    "journal",
    metadata,
    # SQLite counts by itself only in a column of the type INTEGER.
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("account", Text, ForeignKey("accounts.name", name="journal_account"), nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("symbol", Text, nullable=True),
    Column("order_id", Text, nullable=True),
    Column("body", Text, nullable=False),
    Column("written_at", BigInteger, nullable=False),
    UniqueConstraint("account", "key", name="journal_account_key"),
    Index("journal_account_seq", "account", "seq"),
    Index("journal_account_kind_seq", "account", "kind", "seq"),  # a request among a year of decisions
    sqlite_autoincrement=True,  # a number is never used again
)
