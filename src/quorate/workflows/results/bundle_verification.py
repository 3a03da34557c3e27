"""The result of verifying bundles."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quorate.core.text.plural import counted
from quorate.core.types import Mode
from quorate.workflows.results import listing, tables

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class BundleVerification:
    """Whether one bundle can be used.

    Attributes:
        id: of the bundle.
        ok: every file is as published, and enough members could be loaded.
        files: how many were read; None where one was altered or missing.
        mode: full, partial or none: how many members could be loaded.
        error: why it, or one of its members, cannot be used; None if all can.
    """

    id: str
    ok: bool
    files: int | None = None
    mode: Mode | None = None
    error: str | None = None

    def to_json(self) -> dict[str, Any]:
        """One entry of `quorate bundle verify --json`."""
        return {"id": self.id, "ok": self.ok, "files": self.files, "mode": self.mode, "error": self.error}


@dataclass(frozen=True, slots=True, repr=False)
class Verification(listing.Listing):
    """The verification of some bundles.

    Attributes:
        folder: that holds them.
        bundles: in the order they were asked for.
    """

    folder: Path
    bundles: tuple[BundleVerification, ...]

    @property
    def ok(self) -> bool:
        """Every bundle can be used."""
        return all(bundle.ok for bundle in self.bundles)

    def to_json(self) -> list[dict[str, Any]]:
        """The document of `quorate bundle verify --json`."""
        return [bundle.to_json() for bundle in self.bundles]

    def to_pandas(self, table: str = "bundles") -> pd.DataFrame:
        """A row a bundle, as a pandas frame.

        Args:
            table: "bundles", the only one.

        Raises:
            ArgumentError: no such table.
            MissingExtraError: pandas is not installed.
        """
        return tables.table_of({"bundles": lambda: tables.pandas().DataFrame(self.to_json())}, table)

    @property
    def title(self) -> str:
        refused = sum(not bundle.ok for bundle in self.bundles)
        return f"{counted(len(self.bundles), 'bundle')} in {self.folder}, {refused} refused"

    @property
    def lines(self) -> listing.Lines:
        rows = [
            (
                bundle.id,
                "ok" if bundle.ok else "refused",
                str(bundle.files or ""),
                bundle.mode or "",
                bundle.error or "",
            )
            for bundle in self.bundles
        ]
        return listing.Lines(("bundle", "result", "files", "mode", "found"), tuple(rows))
