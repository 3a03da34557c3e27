"""A folder of candle tables: archives published by exchanges, and files of other programs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from quorate.core.clock import now_ms, timeframe_ms
from quorate.core.errors import DataError, TooLittleHistoryError
from quorate.core.tables import UnclearTableError
from quorate.core.types import CANDLE_COLUMNS, Candles, Funding
from quorate.market.columns import Columns, join
from quorate.market.files.folders import files_below, require_folder
from quorate.market.files.names import MarketFile, is_perpetual
from quorate.market.files.quarantine import SUFFIX, quarantine
from quorate.market.files.spellings import same_market, same_name
from quorate.market.quality.candle_checks import check_candles
from quorate.market.source import one_market, unknown_market
from quorate.market.tables.command_line import ImportOptions
from quorate.market.tables.read_files import read_file
from quorate.market.tables.table_names import parse_table

#: Endings of the tables of such a folder.
TABLE_FORMATS = (".csv", ".csv.gz", ".zip", ".parquet")


def read_table(path: Path, symbol: str | None = None) -> Columns:
    """Read the candle rows of one table of any program, unchecked; see `core.tables.candle_rows`.

    Args:
        path: the table.
        symbol: its market; a column of symbols must name the same one.

    Raises:
        DataError: the file cannot be read, is of another format, lacks columns or can be read in several ways; or its
            rows name another market.
    """
    read = read_file(path, ImportOptions(symbol=symbol), f"read {path}", market=symbol or "")
    if read.questions:
        raise read.missing or UnclearTableError.of(f"read {path}", read.questions)
    named = [part.rows.symbol for part in read.parts if part.rows.symbol]
    wrong = [name for name in named if symbol is not None and not same_market(name, symbol)]
    if len(named) > 1 or wrong:
        raise DataError(
            f"read {path}" + (f" as {symbol}" if symbol else ""),
            found=f"rows of {', '.join(named[:5])}",
            expected=f"rows of {symbol or 'one market'}",
            remedy="Import the file with `quorate data import`, which stores each market in a file of its own.",
        )
    return join([part.columns for part in read.parts])


class TableFolder:
    """A `CandleSource` for a folder of tables and its subfolders.

    Files of one market, such as monthly ones, are read together: equal rows are dropped, contradicting rows are
    quarantined.

    Args:
        path: the folder.
        perpetual: whether files are perpetuals where neither name nor folder states it.
        clock: returns the current time in ms UTC.

    Raises:
        DataError: no such folder, or it cannot be read.
    """

    def __init__(self, path: Path | str, *, perpetual: bool | None = None, clock: Callable[[], int] = now_ms) -> None:
        self.path = require_folder(Path(path))
        self._perpetual, self._clock = perpetual, clock

    def __repr__(self) -> str:
        return f"TableFolder({str(self.path)!r})"

    def files(self) -> tuple[MarketFile, ...]:
        """The tables whose market is known, by symbol, timeframe and path."""
        found = (parse_table(path, perpetual=self._perpetual_of(path)) for path in self._tables())
        return tuple(sorted(file for file in found if file is not None and file.kind in ("spot", "futures")))

    def symbols(self, timeframe: str, perpetual: bool | None = None) -> tuple[str, ...]:
        """Markets with candles of this timeframe, sorted: all, only perpetuals (True), or only others (False)."""
        timeframe_ms(timeframe)
        found = {file.symbol for file in self.files() if file.timeframe == timeframe}
        twice = same_name(sorted(found))
        if twice is not None:
            raise one_market(f"list the markets of {self.path}", *twice)
        return tuple(sorted(symbol for symbol in found if perpetual in (None, is_perpetual(symbol))))

    def candles(self, symbol: str, timeframe: str, start: int | None = None, end: int | None = None) -> Candles:
        """The market's closed, checked candles; errors as `market.load_candles`."""
        timeframe_ms(timeframe)
        files = self.files()
        mine = [file.path for file in files if (file.symbol, file.timeframe) == (symbol, timeframe)]
        if not mine:
            raise unknown_market(self.path, symbol, timeframe, [(file.symbol, file.timeframe) for file in files])
        names = ", ".join(str(path) for path in mine[:3]) + (" ..." if len(mine) > 3 else "")
        checked = check_candles(join([read_table(path, symbol) for path in mine]), timeframe, self._clock())
        checked.report.require(names)
        if len(checked.quarantined):
            quarantine(mine[0], checked.quarantined, mine[0].name)
        if not checked.report.kept:
            raise TooLittleHistoryError(
                f"read candles of {symbol}",
                found=f"no closed candle in the {checked.report.rows} rows of {names}",
                expected="at least one",
                remedy="Download the market's history.",
            )
        arrays = {name: getattr(checked.kept, name) for name in ("time", *CANDLE_COLUMNS)}
        return Candles(symbol, timeframe, **arrays, synthetic=checked.kept.synthetic).between(start, end)

    def funding(self, symbol: str, start: int | None = None, end: int | None = None) -> Funding | None:
        """None: the folder has no settlements."""
        self._require(symbol)
        del start, end
        return None

    def mark(self, symbol: str, timeframe: str, start: int | None = None, end: int | None = None) -> Candles | None:
        """None: the folder has no mark prices."""
        timeframe_ms(timeframe)
        self._require(symbol)
        del start, end
        return None

    def _tables(self) -> list[Path]:
        """The tables in the folder and its subfolders, by path, without quarantine files."""
        return files_below(self.path, lambda path: path.name.endswith(TABLE_FORMATS) and not path.name.endswith(SUFFIX))

    def _require(self, symbol: str) -> None:
        files = self.files()
        if not any(file.symbol == symbol for file in files):
            raise unknown_market(self.path, symbol, None, [(file.symbol, file.timeframe) for file in files])

    def _perpetual_of(self, path: Path) -> bool | None:
        """The folder's setting, only where the file itself does not state it."""
        return None if parse_table(path) is not None else self._perpetual
