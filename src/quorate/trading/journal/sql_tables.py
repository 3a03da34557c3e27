"""Tables of the journal, equal to those that the migrations create."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, MetaData, Table, Text, UniqueConstraint

# The newest revision, so that Alembic is not imported to open a journal of this version.
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
    # SQLite increments only columns of the type INTEGER by itself.
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
    Index("journal_account_kind_seq", "account", "kind", "seq"),  # to find requests among many decisions
    sqlite_autoincrement=True,  # numbers are never reused
)
