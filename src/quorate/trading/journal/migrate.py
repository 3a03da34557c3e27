"""Upgrade of a journal's tables by the Alembic revisions of the package."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Connection, inspect, text

from quorate.core.errors import JournalError, UnknownAccountError
from quorate.trading.journal.sql_tables import HEAD, VERSION_TABLE, metadata

SCRIPTS = Path(__file__).parent / "migrations"

# Alembic's modules import each other in a circle: of two threads that begin at different ones, as a session and a view
# of a new journal do, one sees a module that is half there.
_IMPORTING = Lock()


def version(connection: Connection) -> str | None:
    """The revision of a journal; None without a journal."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608
    return found


def require_version(found: str | None, place: str) -> None:
    """Refuse a journal that this version cannot read.

    Raises:
        JournalError: an empty, older or newer journal.
    """
    if found == HEAD:
        return
    known = revisions()
    raise (UnknownAccountError if found is None else JournalError)(
        f"read the journal {place}",
        found="no tables" if found is None else f"version {found}",
        expected=f"version {HEAD}",
        remedy="Start a session of this version, which upgrades it."
        if found is None or found in known
        else "It was written by a newer version of Quorate: install that one.",
    )


def upgrade(connection: Connection, place: str) -> None:
    """Run the missing revisions in the connection's transaction. The caller holds a lock against other writers.

    Raises:
        JournalError: the journal was written by a newer version.
    """
    found = version(connection)
    if found == HEAD:
        return
    if found is not None and found not in revisions():
        require_version(found, place)
    with _IMPORTING:
        from alembic.operations import Operations
        from alembic.runtime.migration import MigrationContext, MigrationStep

    scripts = _scripts()

    def missing(heads: Any, _context: MigrationContext) -> list[Any]:
        newest_first = scripts.iterate_revisions("head", heads[0] if heads else "base")
        return [
            MigrationStep.upgrade_from_script(scripts.revision_map, script) for script in reversed(list(newest_first))
        ]

    context = MigrationContext.configure(
        connection,
        opts={"fn": missing, "version_table": VERSION_TABLE, "target_metadata": metadata, "script": scripts},
    )
    with Operations.context(context):
        context.run_migrations()


def revisions() -> set[str]:
    """All revisions of this version."""
    return {script.revision for script in _scripts().walk_revisions()}


def _scripts() -> Any:
    with _IMPORTING:
        from alembic.config import Config
        from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return ScriptDirectory.from_config(config)
