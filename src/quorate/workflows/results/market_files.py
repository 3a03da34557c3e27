"""Files of candles: downloaded, imported, joined and listed."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quorate.core.clock import format_ms
from quorate.core.text import counted
from quorate.evaluation.report.formatting import SYNTHETIC
from quorate.workflows.results import listing, tables

if TYPE_CHECKING:
    import pandas as pd

    from quorate.market.exchange import Downloaded
    from quorate.market.files.join_scales import JoinedFile
    from quorate.market.files.listing import ListedFile
    from quorate.market.files.splits import Split
    from quorate.market.tables.import_report import Imported, ImportReport, RefusedFile


class FileTable(listing.Listing):
    """A result that is a list of files."""

    __slots__ = ()

    @abstractmethod
    def rows(self) -> list[dict[str, Any]]:
        """A JSON-safe document for each file."""

    def to_pandas(self, table: str = "files") -> pd.DataFrame:
        """A row a file, as a pandas frame; lists of faults are left out, times are in UTC.

        Args:
            table: "files", the only one.

        Raises:
            ArgumentError: no such table.
            MissingExtraError: pandas is not installed.
        """
        return tables.table_of({"files": self._table}, table)

    def _table(self) -> pd.DataFrame:
        pd = tables.pandas()
        frame = pd.DataFrame(
            [{name: value for name, value in row.items() if not isinstance(value, list)} for row in self.rows()]
        )
        for name in ("start", "end"):
            if name in frame:
                frame[name] = pd.to_datetime(frame[name], utc=True)
        return frame


@dataclass(frozen=True, slots=True, repr=False)
class DownloadResult(FileTable):
    """The result of a download.

    Attributes:
        exchange: ccxt's name.
        folder: the Freqtrade data folder.
        symbols: the markets.
        rule: how they were chosen, as text.
        files: rows, added rows and errors of each file.
        joined: what the splits did to each file of their markets.
        unjoined: splits of markets whose download broke off; the next run joins them.
    """

    exchange: str
    folder: Path
    symbols: tuple[str, ...]
    rule: str
    files: tuple[Downloaded, ...]
    joined: tuple[JoinedFile, ...] = ()
    unjoined: tuple[Split, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every file has all rows that the exchange has."""
        return all(file.ok for file in self.files)

    @property
    def added(self) -> int:
        """Number of rows that were added."""
        return sum(file.added for file in self.files)

    @property
    def title(self) -> str:
        markets, incomplete = len({file.symbol for file in self.files}), sum(not file.ok for file in self.files)
        return (
            f"Downloaded into {self.folder}: {markets} markets {self.rule}, {len(self.files)} files, "
            f"{self.added:,} rows added, {incomplete} files incomplete"
            + (f", {sum(file.rows for file in self.joined):,} rows at another scale converted" if self.joined else "")
        )

    @property
    def lines(self) -> listing.Lines:
        rows = [
            (
                *(file.symbol, file.timeframe, file.kind, f"{file.rows:,}", f"{file.added:,}"),
                *(_when(file.start), _when(file.end)),
                file.error or (f"{file.conflicts} contradicting rows quarantined" if file.conflicts else file.note),
            )
            for file in self.files
        ]
        return listing.Lines(("market", "timeframe", "kind", "rows", "added", "first", "last", "found"), tuple(rows))

    def rows(self) -> list[dict[str, Any]]:
        return [file.to_json() for file in self.files]

    def to_json(self) -> dict[str, Any]:
        """The document of `quorate data download --json`."""
        return {
            "exchange": self.exchange,
            "folder": str(self.folder),
            "symbols": list(self.symbols),
            "rule": self.rule,
            "added": self.added,
            "ok": self.ok,
            "files": self.rows(),
            "joined": [file.to_json() for file in self.joined],
            "unjoined": [split.to_json() for split in self.unjoined],
        }


@dataclass(frozen=True, slots=True, repr=False)
class ImportResult(FileTable):
    """The result of an import.

    Attributes:
        folder: the Freqtrade data folder.
        report: rows and added rows of each market, and the files that were skipped.
    """

    folder: Path
    report: ImportReport

    @property
    def markets(self) -> tuple[Imported, ...]:
        """Rows and added rows of each market."""
        return self.report.markets

    @property
    def skipped(self) -> tuple[Path, ...]:
        """Files of the given folders that hold no candles."""
        return self.report.skipped

    @property
    def refused(self) -> tuple[RefusedFile, ...]:
        """Files that were not imported, each with the reason."""
        return self.report.refused

    @property
    def ok(self) -> bool:
        """Whether no file was refused, and no row was left out because it contradicts another one."""
        return self.report.ok

    @property
    def title(self) -> str:
        counts = [(len(self.markets), "market")]
        counts += [(len(files), "file") for files in (self.refused, self.skipped)]
        markets, refused, skipped = (counted(count, what) for count, what in counts)
        return (
            f"Imported into {self.folder}: {markets}"
            + (f", {refused} refused" if self.refused else "")
            + (f", {skipped} skipped" if self.skipped else "")
        )

    @property
    def lines(self) -> listing.Lines:
        rows = [
            (
                *(market.symbol, market.timeframe, market.kind),
                *(f"{market.merged.stored.rows:,}", f"{market.merged.added:,}"),
                *(_when(market.report.start), _when(market.report.end)),
                "; ".join(_remarks(market)),
            )
            for market in self.markets
        ]
        columns = ("market", "timeframe", "kind", "rows", "added", "first read", "last read", "found")
        return listing.Lines(columns, tuple(rows))

    def rows(self) -> list[dict[str, Any]]:
        return [market.to_json() for market in self.markets]

    def to_json(self) -> dict[str, Any]:
        """The document of `quorate data import --json`."""
        return self.report.to_json()


@dataclass(frozen=True, slots=True, repr=False)
class SplitResult(FileTable):
    """The result of joining price scales.

    Attributes:
        folder: the Freqtrade data folder.
        files: rows that were converted in each file.
    """

    folder: Path
    files: tuple[JoinedFile, ...]

    @property
    def title(self) -> str:
        return f"Joined price scales in {self.folder}: {sum(file.rows for file in self.files):,} rows converted"

    @property
    def lines(self) -> listing.Lines:
        rows = [
            (
                *(file.symbol, file.path.name, f"x{file.split.factor:g}", _when(file.split.time)),
                *(f"{file.rows:,}", f"{file.left_out:,}"),
            )
            for file in self.files
        ]
        return listing.Lines(("market", "file", "factor", "from", "rows converted", "left out"), tuple(rows))

    def rows(self) -> list[dict[str, Any]]:
        return self.to_json()

    def to_json(self) -> list[dict[str, Any]]:
        """The document of `quorate data split --json`."""
        return [file.to_json() for file in self.files]


@dataclass(frozen=True, slots=True, repr=False)
class FileList(FileTable):
    """The files of a folder.

    Attributes:
        folder: the Freqtrade data folder.
        files: by symbol, timeframe and kind.
    """

    folder: Path
    files: tuple[ListedFile, ...]

    @property
    def title(self) -> str:
        return f"{counted(len(self.files), 'file')} in {self.folder}"

    @property
    def marks(self) -> tuple[str, ...]:
        return (SYNTHETIC,) if any(file.synthetic for file in self.files) else ()

    @property
    def lines(self) -> listing.Lines:
        rows = [
            (
                *(file.symbol + (" (synthetic)" if file.synthetic else ""), file.timeframe, file.kind),
                *(f"{file.rows:,}", _when(file.start), _when(file.end), file.error),
            )
            for file in self.files
        ]
        return listing.Lines(("market", "timeframe", "kind", "rows", "first", "last", "error"), tuple(rows))

    def rows(self) -> list[dict[str, Any]]:
        return self.to_json()

    def to_json(self) -> list[dict[str, Any]]:
        """The document of `quorate data list --json`."""
        return [file.to_json() for file in self.files]


def _remarks(market: Imported) -> list[str]:
    """What an import did besides adding rows."""
    duplicates = market.merged.duplicates + market.report.duplicates
    counts = (
        (duplicates, "row known before", "rows known before"),
        (market.conflicts, "conflicting row left out", "conflicting rows left out"),
        (market.report.gaps, "gap", "gaps"),
    )
    found = [counted(count, one, many) for count, one, many in counts if count]
    return found if market.merged.stored.changed else ["unchanged", *found]


def _when(moment: int | None) -> str:
    return "" if moment is None else format_ms(moment)
