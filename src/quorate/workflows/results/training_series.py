"""The result of a rolling training: a series of bundles."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quorate.core.clock import format_ms, iso_ms
from quorate.evaluation.report.formatting import SYNTHETIC
from quorate.workflows.results import tables
from quorate.workflows.results.champion_change import ChampionStatus
from quorate.workflows.results.headline import Headline, Headlined, HeadlineRow
from quorate.workflows.results.training import TrainResult

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, repr=False)
class SeriesResult(Headlined):
    """A published series and the training of each of its bundles, oldest first.

    Attributes:
        path: the series' folder.
        id: a digest of its content.
        bundles: one result a window.
        champion: of the folder, after the training.
    """

    path: Path
    id: str
    bundles: tuple[TrainResult, ...]
    champion: ChampionStatus | None = None

    @property
    def synthetic(self) -> bool:
        """Whether some candles are synthetic."""
        return any(result.synthetic for result in self.bundles)

    @property
    def headline(self) -> Headline:
        """Every bundle's members on its own test rows, beside their baselines."""
        rows = []
        for result in self.bundles:
            since = format_ms(first_bar_of(result))
            rows += [HeadlineRow(f"from {since}: {row.name}", row.value, row.baseline) for row in result.headline.rows]
        return Headline(
            f"Series {self.id} of {len(self.bundles)} bundles", (SYNTHETIC,) if self.synthetic else (), tuple(rows)
        )

    def to_json(self) -> dict[str, Any]:
        """The document of `quorate train --rolling --json`."""
        return {
            "bundle": str(self.path),
            "id": self.id,
            **({} if self.champion is None else {"champion": self.champion.to_json()}),
            "synthetic": self.synthetic,
            "bundles": [{**result.to_json(), "speaks_from": iso_ms(first_bar_of(result))} for result in self.bundles],
        }

    def to_pandas(self, table: str = "metrics") -> pd.DataFrame:
        """One of the result's tables as a pandas frame; times are in UTC.

        Args:
            table: "metrics", "members" or "stages": those of every bundle, with its id as the first level of the index.
                "bundles": a row a bundle: training span, first bar that it decides, symbols and members.

        Raises:
            ArgumentError: no such table.
            MissingExtraError: pandas is not installed.
        """
        made = {name: lambda name=name: self._joined(name) for name in ("metrics", "members", "stages")}
        return tables.table_of({**made, "bundles": self._bundles}, table)

    def _joined(self, table: str) -> pd.DataFrame:
        parts = {result.id: result.to_pandas(table) for result in self.bundles}
        made: pd.DataFrame = tables.pandas().concat(parts, names=["bundle"])
        return made

    def _bundles(self) -> pd.DataFrame:
        manifests = [result.manifest for result in self.bundles]
        columns: dict[str, Any] = {
            "training_start": tables.utc([manifest.training_start for manifest in manifests]),
            "training_end": tables.utc([manifest.training_end for manifest in manifests]),
            "first_bar": tables.utc([first_bar_of(result) for result in self.bundles]),
            "symbols": [len(manifest.symbols) for manifest in manifests],
            "members": [sum(member.ok for member in result.members) for result in self.bundles],
        }
        made: pd.DataFrame = tables.pandas().DataFrame(columns, index=[manifest.id for manifest in manifests])
        return made.rename_axis("bundle")


def first_bar_of(result: TrainResult) -> int:
    """Open time in ms of the first bar that the bundle decides as part of a series."""
    from quorate.ensemble.series.series import first_decided_bar

    return first_decided_bar(result.manifest)
