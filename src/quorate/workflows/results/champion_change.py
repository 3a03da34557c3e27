"""The result of a promotion or a rollback."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class ChampionChange:
    """The champion of a folder after a promotion or a rollback.

    Attributes:
        champion: the id of the bundle that is champion now.
        previous: the champion before it; None where there was none, or nothing changed.
        changed: False where it was champion already.
        path: the champion's folder.
    """

    champion: str
    previous: str | None
    changed: bool
    path: Path

    def to_json(self) -> dict[str, Any]:
        """The document of `quorate bundle promote --json` and `rollback --json`."""
        return {
            "champion": self.champion,
            "previous": self.previous,
            "changed": self.changed,
            "path": str(self.path),
        }
