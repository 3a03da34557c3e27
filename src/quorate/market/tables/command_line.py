"""The command that imports a file, with what was missing."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from quorate.core.clock import format_ms
from quorate.core.tables import ReadOptions


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What a user says about all files of an import.

    Attributes:
        symbol: of all files; None to take it from columns and names.
        timeframe: likewise; None to take it from the distance of the rows.
        perpetual: whether names such as BTCUSDT are perpetuals.
        read: what tables do not say by themselves.
        statistics: take the taker volumes of perpetuals from an exchange's archives of candles too.
    """

    symbol: str | None = None
    timeframe: str | None = None
    perpetual: bool | None = None
    read: ReadOptions = field(default_factory=ReadOptions)
    statistics: bool = False

    def answered(self, option: str, answer: str) -> ImportOptions:
        """With the answer to a question."""
        given: dict[str, Any] = {option: answer}
        if option == "columns":
            given = {option: parse_columns(answer)}
        elif option == "perpetual":
            given = {option: answer == "--perpetual"}
        if option in ("columns", "date_format", "decimal", "tz"):
            return replace(self, read=replace(self.read, **given))
        return replace(self, **given)


def parse_columns(text: str) -> Mapping[str, str]:
    """Read `date=Zeit,open=Kurs`; a comma inside a header stands, as long as no NAME= follows it.

    >>> parse_columns("date=Zeit,open=Kurs, erster,close=3")
    {'date': 'Zeit', 'open': 'Kurs, erster', 'close': '3'}
    """
    found: dict[str, str] = {}
    last = ""
    for part in text.split(","):
        name, equals, value = part.partition("=")
        if equals and name.strip().isidentifier():
            last = name.strip().lower()
            found[last] = value.strip()
        elif last:
            found[last] += f",{part}"
        else:
            found[part.strip()] = ""
    return found


def import_command(path: Path, folder: Path, options: ImportOptions) -> str:
    """The command line that imports one file.

    >>> import_command(Path("my prices.csv"), Path("data"), ImportOptions(symbol="BTC/USDT", timeframe="1h"))
    "quorate data import 'my prices.csv' --data data --symbol BTC/USDT --timeframe 1h"
    """
    words = ["quorate", "data", "import", str(path), "--data", str(folder)]
    if options.symbol is not None:
        words += ["--symbol", options.symbol]
    if options.timeframe is not None:
        words += ["--timeframe", options.timeframe]
    if options.perpetual is not None:
        words.append("--perpetual" if options.perpetual else "--spot")
    if options.read.columns:
        words += ["--columns", ",".join(f"{role}={name}" for role, name in options.read.columns.items())]
    if options.statistics:
        words.append("--statistics")
    for name, value in (
        ("--date-format", options.read.date_format),
        ("--decimal", options.read.decimal),
        ("--tz", options.read.tz),
    ):
        if value is not None:
            words += [name, value]
    return shlex.join(words)


def download_command(symbol: str, timeframe: str, span: tuple[int, int] | None, folder: Path) -> str:
    """The command line that downloads a market instead.

    Args:
        symbol: in ccxt's form.
        timeframe: of the bars.
        span: first and last open time in ms UTC; None for the newest year.
        folder: to write to.
    """
    words = ["quorate", "data", "download", "--symbols", symbol, "--timeframe", timeframe]
    if ":" not in symbol:
        words += ["--exchange", "binance"]
    if span is None:
        words += ["--days", "365"]
    else:
        start, end = (format_ms(moment).replace(" ", "T") for moment in (span[0], span[1] + 60_000))
        words += ["--from", start, "--to", end]
    return shlex.join([*words, "--out", str(folder)])
