"""The champion of a folder: after a promotion or a rollback, and after a training."""

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


@dataclass(frozen=True, slots=True)
class ChampionStatus:
    """The champion of a folder after a training.

    Attributes:
        id: of the champion; None where there is none.
        note: whether the new bundle is champion, and if not, why and how to promote it.
    """

    id: str | None
    note: str

    def to_json(self) -> dict[str, Any]:
        """Part of the document of `quorate train --json`."""
        return {"id": self.id, "note": self.note}
