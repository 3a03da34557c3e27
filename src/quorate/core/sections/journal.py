"""Settings of the journal."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.core.errors import SettingsError
from quorate.core.sections.section import Section, require


@dataclass(frozen=True, slots=True)
class JournalSettings(Section):
    """Database of the paper account's records."""

    url: str = "sqlite:///paper/journal.sqlite"  # or postgresql://user:password@host/database
    login_file: str = ""  # file with the password of a PostgreSQL URL that has none, as of a container's secrets
    patience_s: float = 5.0  # timeout for a lock or a connection
    check: bool = True  # check the SQLite file for damage when a session opens it

    def __post_init__(self) -> None:
        if not self.url.startswith(("sqlite:///", "postgresql://", "postgres://", "postgresql+psycopg://")):
            raise SettingsError(
                "use the setting journal.url",
                found=repr(self.url.split("@")[-1]),
                expected="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE",
            )
        require("journal", "patience_s", self.patience_s, 0.05, 600)
