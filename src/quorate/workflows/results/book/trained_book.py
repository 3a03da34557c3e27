"""The training of a book."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quorate.core.clock import iso_ms

if TYPE_CHECKING:
    from quorate.book.bundle import BookManifest


@dataclass(frozen=True, slots=True)
class TrainedBook:
    """A published book.

    Attributes:
        path: its folder.
        manifest: what it holds.
        seconds: "sleeve.model" -> time of its fit.
        days: of the panel.
        universe: markets of the last day.
        took_s: from the panel to the last fit.
    """

    path: Path
    manifest: BookManifest
    seconds: Mapping[str, float]
    days: int
    universe: tuple[str, ...]
    took_s: float

    def to_json(self) -> dict[str, Any]:
        """The form of `quorate train --recipe book --json`."""
        manifest = self.manifest
        return {
            "bundle": str(self.path),
            "id": manifest.id,
            "recipe": "book",
            "sleeves": list(manifest.settings.sleeves),
            "models": {
                f"{each.sleeve}.{each.model}": {
                    "ok": not each.failure,
                    "rows": each.rows,
                    "seconds": self.seconds[f"{each.sleeve}.{each.model}"],
                    **({"failure": each.failure} if each.failure else {}),
                }
                for each in manifest.members
            },
            "symbols": len(manifest.symbols),
            "days": self.days,
            "universe": list(self.universe),
            "span": {"from": iso_ms(manifest.training_start), "to": iso_ms(manifest.training_end)},
            "synthetic": manifest.synthetic,
        }
