"""The result of checking a user's own feature columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quorate.core.text.plural import counted
from quorate.workflows.results import listing, tables

if TYPE_CHECKING:
    import pandas as pd

    from quorate.features.checks import ColumnCheck


@dataclass(frozen=True, slots=True, repr=False)
class OwnColumnsResult(listing.Listing):
    """A user's own feature columns with the results of their checks.

    Attributes:
        columns: each with its first failure, if any.
    """

    columns: tuple[ColumnCheck, ...]

    @property
    def ok(self) -> bool:
        """Whether no column is refused."""
        return all(column.ok for column in self.columns)

    @property
    def title(self) -> str:
        """How many passed."""
        passed = sum(column.ok for column in self.columns)
        return f"{counted(len(self.columns), 'column')} of your own, {len(self.columns) - passed} refused"

    @property
    def lines(self) -> listing.Lines:
        """A line a column."""
        rows = (
            (one.source.name, one.source.module, str(one.source.warmup), "ok" if one.failure is None else "refused",
             "" if one.failure is None else f"{one.failure.check}: {one.failure.summary}")
            for one in self.columns
        )  # fmt: skip
        return listing.Lines(("column", "module", "warm-up", "result", "found"), tuple(rows))

    def to_json(self) -> dict[str, Any]:
        """The document of `quorate check features --json`."""
        return {"ok": self.ok, "columns": [column.to_json() for column in self.columns]}

    def to_pandas(self, table: str = "columns") -> pd.DataFrame:
        """A row a column, as a pandas frame; `failure` is the check that it fails, empty if it passes all.

        Args:
            table: "columns", the only one.

        Raises:
            ArgumentError: no such table.
            MissingExtraError: pandas is not installed.
        """
        return tables.table_of({"columns": self._table}, table)

    def _table(self) -> pd.DataFrame:
        documents = [column.to_json() for column in self.columns]
        rows = [one | {"failure": one["failure"]["check"] if one["failure"] else ""} for one in documents]
        return tables.pandas().DataFrame(rows)
