"""Changes of a market's price scale that a user has joined: older prices are stored at the new scale.

The splits of a folder are listed in `splits.json`. A stored file is rewritten only if it shows the change at that time,
so that joining it again changes nothing. Rows that are merged later are converted by the list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from math import isfinite, log
from pathlib import Path
from typing import Any

import numpy as np

from quorate.core.arguments import require_type
from quorate.core.clock import format_ms, iso_ms, parse_ms, timeframe_ms
from quorate.core.errors import ArgumentError, DataError, QuorateError
from quorate.core.files import write_text_atomic
from quorate.core.folder_lock import folder_lock
from quorate.core.types import PRICE_COLUMNS, BoolArray
from quorate.core.untrusted_json import MISSHAPEN, read_json
from quorate.market.columns import Columns
from quorate.market.files.spellings import normal_symbol

SPLITS_FILE = "splits.json"

_VERSION = 1
_TEXT = re.compile(r"(?P<symbol>[^=]+)=(?P<factor>[^@]+)@(?P<date>.+)")


@dataclass(frozen=True, slots=True, order=True)
class Split:
    """A change of a market's price scale.

    Attributes:
        symbol: in ccxt's form.
        time: of the first bar at the new scale, or any time between the last bar before it and it, in ms UTC; or inside
            a bar, which then opens at the old scale and closes at the new one.
        factor: prices from then on over those before.
    """

    symbol: str
    time: int
    factor: float

    def __str__(self) -> str:
        return f"{self.symbol}={self.factor:g}@{iso_ms(self.time)}"

    def to_json(self) -> dict[str, Any]:
        return {"symbol": self.symbol, "time": iso_ms(self.time), "factor": self.factor}


def parse_splits(texts: str | Iterable[str]) -> tuple[Split, ...]:
    """Read splits, given as one text or several.

    Raises:
        ArgumentError: neither, or a text as in `parse_split`.
    """
    several = [texts] if isinstance(texts, str) else texts
    found = list(several) if isinstance(several, Iterable) else [several]
    for text in found:
        require_type("read splits", "splits", text, str, "texts such as BNX/USDT:USDT=100@2023-02-22T08:00")
    return tuple(map(parse_split, found))


def parse_split(text: str) -> Split:
    """Read SYMBOL=FACTOR@DATE.

    Raises:
        ArgumentError: anything else, or a factor that is not above 0 or is 1.

    >>> parse_split("BNX/USDT:USDT=100@2023-02-22").factor
    100.0
    """
    match = _TEXT.fullmatch(text.strip())
    try:
        if match is not None:
            factor = float(match["factor"])
            if isfinite(factor) and factor > 0 and factor != 1:
                return Split(normal_symbol(match["symbol"]), parse_ms(match["date"]), factor)
    except (ValueError, QuorateError) as error:
        cause = error.found if isinstance(error, QuorateError) else str(error)
        raise _unusable(text, cause) from error
    raise _unusable(text, repr(text))


def read_splits(folder: Path) -> tuple[Split, ...]:
    """Read the splits of a folder; empty without the file.

    Raises:
        DataError: a file that cannot be read.
    """
    path = folder / SPLITS_FILE
    try:
        document = read_json(path)
        if document["version"] != _VERSION:
            raise ValueError(f"version {document['version']}")
        found = [Split(str(row["symbol"]), int(row["time"]), float(row["factor"])) for row in document["splits"]]
    except FileNotFoundError:
        return ()
    except (OSError, *MISSHAPEN) as error:
        raise DataError(
            f"read {path}",
            found=f"{type(error).__name__}: {error}"[:200],
            expected="the splits that `quorate data split` has applied",
            remedy="Restore the file; without it, older rows that are downloaded later keep their own scale.",
        ) from error
    return tuple(sorted(found))


def record_split(folder: Path, split: Split) -> None:
    """Add a split to a folder's list.

    Raises:
        DataError: the list cannot be read or written.
    """
    with folder_lock(folder):
        splits = sorted({*read_splits(folder), split})
        document = {"version": _VERSION, "splits": [asdict(split) for split in splits]}
        write_text_atomic(folder / SPLITS_FILE, json.dumps(document, indent=1, allow_nan=False) + "\n")


def sides(columns: Columns, split: Split, timeframe: str) -> tuple[BoolArray, BoolArray]:
    """Which rows are before a split, and which bar holds it: (n,) bool each; the other rows are at the new scale.

    A bar in whose span a split lies holds it if its own prices show it: the open at the old scale, the close at the
    new. Otherwise its neighbours tell at which scale it is: at the old one unless it begins the new one, as the day
    does in which trading went on at 08:00.
    """
    before = columns.time < split.time
    inside = before & (columns.time + timeframe_ms(timeframe) > split.time)
    for row in np.flatnonzero(inside).tolist():
        inside[row] = _is_nearer(float(columns.close[row] / columns.open[row]), split.factor)
        before[row] = not inside[row] and not _begins_new_scale(columns, row, split)
    return before, inside


def jump(columns: Columns, split: Split, timeframe: str) -> float | None:
    """Open of the first bar after a split over the last close before it; None without bars on both sides."""
    before, inside = sides(columns, split, timeframe)
    after = ~before & ~inside
    if not before.any() or not after.any():
        return None
    last = int(np.argmax(np.where(before, columns.time, np.iinfo(np.int64).min)))
    first = int(np.argmin(np.where(after, columns.time, np.iinfo(np.int64).max)))
    return float(columns.open[first] / columns.close[last])


def shows(columns: Columns, split: Split, timeframe: str) -> bool | None:
    """Whether rows have the change of a split at its time; None without bars on both sides.

    Raises:
        DataError: they have another change there.
    """
    found = jump(columns, split, timeframe)
    if found is None:
        return None
    if not _is_nearer(found, split.factor):
        return False
    if abs(log(found / split.factor)) > log(2):
        raise DataError(
            f"join {split.symbol} at {format_ms(split.time)}",
            found=f"prices {found:.4g} times those before",
            expected=f"about {split.factor:g} times",
            remedy="Give the factor and the time that `quorate data check` reports.",
        )
    return True


def at_new_scale(columns: Columns, splits: Iterable[Split], symbol: str, timeframe: str) -> Columns:
    """Convert rows of a market to the newest scale: those before each of its splits, unless they are converted.

    A bar that holds a split is left out, since its prices are of two scales.
    """
    for split in sorted(split for split in splits if split.symbol == symbol):
        if shows(columns, split, timeframe) is not False:
            columns = rescale(columns, split, timeframe)
    return columns


def rescale(columns: Columns, split: Split, timeframe: str) -> Columns:
    """Multiply the prices before a split by its factor, divide the volumes, and leave out a bar that holds it."""
    before, inside = sides(columns, split, timeframe)
    factor = np.where(before, split.factor, 1.0)
    prices = {name: getattr(columns, name) * factor for name in PRICE_COLUMNS}
    return replace(columns, **prices, volume=columns.volume / factor).take(~inside)


def _begins_new_scale(columns: Columns, row: int, split: Split) -> bool:
    """Whether a bar at one scale is at the new one, by the bar before it, else by the one after it."""
    earlier, later = np.flatnonzero(columns.time < columns.time[row]), np.flatnonzero(columns.time > columns.time[row])
    if earlier.size:
        last = earlier[np.argmax(columns.time[earlier])]
        return _is_nearer(float(columns.open[row] / columns.close[last]), split.factor)
    if later.size:
        following = later[np.argmin(columns.time[later])]
        return not _is_nearer(float(columns.open[following] / columns.close[row]), split.factor)
    return False


def _is_nearer(found: float, factor: float) -> bool:
    """Whether a ratio of prices is nearer to a factor than to 1."""
    return abs(log(found / factor)) < abs(log(found))


def _unusable(text: str, found: str) -> ArgumentError:
    return ArgumentError(
        f"use the split {text[:80]!r}",
        found=found,
        expected="SYMBOL=FACTOR@DATE, such as BNX/USDT:USDT=100@2023-02-22T08:00: prices from then on are 100 times "
        "those before",
    )
