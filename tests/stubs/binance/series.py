"""Candles of a Freqtrade data folder, read without code of Quorate."""

from __future__ import annotations

import math
import re
import threading
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather

UNIT_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}

_SPOT = re.compile(r"([^_]+)_([^_]+)-(\d+[mhdw])\.feather")
_FUTURES = re.compile(r"([^_]+)_([^_]+)_([^_]+)-(\d+[mhdw])-(futures|mark|funding_rate)\.feather")
_DECIMALS = 8


def length_ms(timeframe: str) -> int:
    return int(timeframe[:-1]) * UNIT_MS[timeframe[-1]]


@dataclass(frozen=True)
class Rows:
    """Rows of one file: (n,) open times in ms, and (n, 5) open, high, low, close, volume; funding is in the first."""

    time: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class Market:
    """A market of the exchange: its name, base and quote."""

    name: str
    base: str
    quote: str


class Folder:
    """Series by (futures or spot, the exchange's name, kind, timeframe).

    Args:
        path: the folder, with spot files and the folder `futures`.
        shift_ms: added to every time, so that old candles close today.
    """

    def __init__(self, path: Path, shift_ms: int = 0) -> None:
        self.shift_ms = shift_ms
        self.markets: dict[bool, dict[str, Market]] = {False: {}, True: {}}
        self._paths: dict[tuple[bool, str, str, str], Path] = {}
        self._rows: dict[tuple[bool, str, str, str], Rows] = {}
        self._lock = threading.Lock()
        for file in sorted(path.glob("*.feather")):
            if match := _SPOT.fullmatch(file.name):
                self._note(False, match[1], match[2], "spot", match[3], file)
        for file in sorted((path / "futures").glob("*.feather")):
            if match := _FUTURES.fullmatch(file.name):
                self._note(True, match[1], match[2], match[5], match[4], file)
        for futures, known in self.markets.items():
            kind = "futures" if futures else "spot"
            traded = {name for perpetual, name, what, _ in self._paths if perpetual == futures and what == kind}
            self.markets[futures] = {name: market for name, market in known.items() if name in traded}

    def _note(self, futures: bool, base: str, quote: str, kind: str, timeframe: str, file: Path) -> None:
        name = f"{base}{quote}".upper()
        self.markets[futures][name] = Market(name, base, quote)
        self._paths[futures, name, kind, timeframe] = file

    def rows(self, futures: bool, name: str, kind: str, timeframe: str) -> Rows | None:
        """The series, aggregated from shorter bars if it has no file; None if neither exists."""
        key = (futures, name, kind, timeframe)
        with self._lock:
            if key not in self._rows:
                found = self._find(*key)
                if found is None:
                    return None
                self._rows[key] = found
            return self._rows[key]

    def _find(self, futures: bool, name: str, kind: str, timeframe: str) -> Rows | None:
        path = self._paths.get((futures, name, kind, timeframe))
        if path is not None:
            return self._read(path)
        length = length_ms(timeframe)
        shorter = [
            (length_ms(at[3]), path)
            for at, path in self._paths.items()
            if at[:3] == (futures, name, kind) and length % length_ms(at[3]) == 0
        ]
        return aggregate(self._read(max(shorter)[1]), length) if shorter and kind != "funding_rate" else None

    def funding(self, name: str) -> Rows | None:
        frames = [timeframe for futures, has, kind, timeframe in self._paths if has == name and kind == "funding_rate"]
        return self.rows(True, name, "funding_rate", frames[0]) if frames else None

    def shortest(self, futures: bool, name: str) -> tuple[str, Rows] | None:
        """Timeframe and rows of the market's shortest candles, used for its tickers."""
        kind = "futures" if futures else "spot"
        frames = [at[3] for at in self._paths if at[:3] == (futures, name, kind)]
        timeframe = min(frames, key=length_ms, default=None)
        rows = None if timeframe is None else self.rows(futures, name, kind, timeframe)
        return None if timeframe is None or rows is None else (timeframe, rows)

    def listed(self, futures: bool, name: str) -> int:
        """First open time of any of the market's candles; 0 without candles."""
        kind = "futures" if futures else "spot"
        frames = [at[3] for at in self._paths if at[:3] == (futures, name, kind)]
        found = [self.rows(futures, name, kind, timeframe) for timeframe in frames]
        return min((int(rows.time[0]) for rows in found if rows is not None and len(rows.time)), default=0)

    @cached_property
    def end(self) -> int:
        """Last open time of any market's shortest candles."""
        ends = [
            int(found[1].time[-1])
            for futures, known in self.markets.items()
            for name in known
            if (found := self.shortest(futures, name)) is not None and len(found[1].time)
        ]
        return max(ends, default=0)

    def _read(self, path: Path) -> Rows:
        table = pyarrow.feather.read_table(str(path), memory_map=False)
        time = table.column("date").cast(pa.timestamp("ms"), safe=False).combine_chunks().view(pa.int64())
        rate = "funding_rate" in table.column_names
        names = ("funding_rate",) * 5 if rate else ("open", "high", "low", "close", "volume")
        columns = [np.asarray(table.column(name).to_numpy(), dtype=np.float64) for name in names]
        times = np.asarray(time.to_numpy(zero_copy_only=False), dtype=np.int64)
        order = np.argsort(times, kind="stable")
        return Rows(times[order] + self.shift_ms, np.column_stack(columns)[order])


def aggregate(rows: Rows, length: int) -> Rows:
    """Longer bars: first open, highest high, lowest low, last close, total volume. Weeks begin on Mondays."""
    offset = 4 * UNIT_MS["d"] if length % UNIT_MS["w"] == 0 else 0
    opened = (rows.time - offset) // length * length + offset
    time, first = np.unique(opened, return_index=True)
    last = np.append(first[1:], len(rows.time)) - 1
    columns = (
        rows.values[first, 0],
        np.maximum.reduceat(rows.values[:, 1], first),
        np.minimum.reduceat(rows.values[:, 2], first),
        rows.values[last, 3],
        np.add.reduceat(rows.values[:, 4], first),
    )
    return Rows(time, np.column_stack(columns))


def tick(rows: Rows) -> str:
    """Step of the price: the number of decimals of the newest closes."""
    decimals = max((len(_plain(close).partition(".")[2]) for close in rows.values[-500:, 3]), default=2)
    return step(-decimals)


def lot(rows: Rows) -> str:
    """Step of the quantity: at most one unit, and worth about ten units of the quote or less."""
    price = float(rows.values[-1, 3]) if len(rows.values) else 1.0
    return step(max(-_DECIMALS, min(0, math.floor(math.log10(10 / price)))))


def step(exponent: int) -> str:
    """Power of ten as the exchange formats it."""
    return f"{10.0**exponent:.{max(0, -exponent)}f}"


def _plain(value: float) -> str:
    return f"{value:.{_DECIMALS}f}".rstrip("0")
