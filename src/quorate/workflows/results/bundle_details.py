"""The manifest and the history of one bundle."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quorate.core.clock import format_ms
from quorate.evaluation.report.formatting import SYNTHETIC
from quorate.workflows.results import listing, tables

if TYPE_CHECKING:
    import pandas as pd

    from quorate.ensemble.bundle.champion_log import ChampionLogEntry
    from quorate.ensemble.bundle.manifest import Manifest


@dataclass(frozen=True, slots=True, repr=False)
class BundleDetails(listing.Listing):
    """A bundle's manifest and history.

    Attributes:
        path: the bundle's folder.
        manifest: what it holds and how it was trained.
        champion: it is the champion.
        history: its entries in the log of champions, oldest first.
    """

    path: Path
    manifest: Manifest
    champion: bool
    history: tuple[ChampionLogEntry, ...]

    def to_json(self) -> dict[str, Any]:
        """The document of `quorate bundle show --json`."""
        return {
            "path": str(self.path),
            "champion": self.champion,
            **self.manifest.to_json(),
            "history": [entry.to_json() for entry in self.history],
        }

    def to_pandas(self, table: str = "history") -> pd.DataFrame:
        """One of the tables as a pandas frame.

        Args:
            table: "history": a row for each change. "members": a row a member with its files.

        Raises:
            ArgumentError: no such table.
            MissingExtraError: pandas is not installed.
        """
        made = {
            "history": lambda: tables.pandas().DataFrame([entry.to_json() for entry in self.history]),
            "members": lambda: tables.pandas().DataFrame(self.manifest.to_json()["members"]),
        }
        return tables.table_of(made, table)

    @property
    def title(self) -> str:
        manifest = self.manifest
        return f"Bundle {manifest.id}{' (champion)' if self.champion else ''}: {manifest.recipe}, {manifest.timeframe}"

    @property
    def marks(self) -> tuple[str, ...]:
        return (SYNTHETIC,) if self.manifest.synthetic else ()

    @property
    def lines(self) -> listing.Lines:
        manifest = self.manifest
        rows = [
            ("features", f"{manifest.features_title}, {len(manifest.feature_names)} columns"),
            ("trained on", f"{format_ms(manifest.training_start)} to {format_ms(manifest.training_end)}"),
            ("symbols", ", ".join(manifest.symbols)),
            ("members", ", ".join(member.model for member in manifest.members if member.failure is None)),
        ]
        return listing.Lines(("", ""), tuple(rows))
