"""Tables of the journal, equal to those that the migrations create."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, MetaData, Table, Text, UniqueConstraint

# The newest revision, so that Alembic is not imported to open a journal of this version.
HEAD = "journal_0002"
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

# What the panel of language models cost on a UTC day, prompts in progress included at the most they can cost.
panel_costs = Table(
    "panel_costs",
    metadata,
    Column("day", BigInteger, primary_key=True, autoincrement=False),  # its start in ms
    Column("provider", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("prompts", BigInteger, nullable=False),
    Column("nano_usd", BigInteger, nullable=False),  # whole numbers, so that sums are exact
)

# Providers that failed since they last answered.
panel_providers = Table(
    "panel_providers",
    metadata,
    Column("provider", Text, primary_key=True),
    Column("failures", BigInteger, nullable=False),  # in a row
    Column("rests_until", BigInteger, nullable=False),  # ms; 0 for a provider that may be asked
    Column("reason", Text, nullable=False),  # of the newest failure
)
