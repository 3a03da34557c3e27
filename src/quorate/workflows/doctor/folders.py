"""Folders of candles and of bundles, where users have them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quorate.core.clock import iso_ms, timeframe_ms
from quorate.core.errors import QuorateError

# Looked into where no folder is named, from the working folder.
_DATA = ("user_data/data/*", "data/*", "data", "demo/data")
_BUNDLES = ("bundles", "user_data/quorate/bundles", "demo/bundles")


@dataclass(frozen=True, slots=True)
class Span:
    """Markets of one timeframe.

    Attributes:
        markets: number of them.
        start, end: open times in ms of the first and the last bar; None without a row that can be read.
    """

    markets: int
    start: int | None
    end: int | None

    def to_json(self) -> dict[str, Any]:
        first, last = (None if time is None else iso_ms(time) for time in (self.start, self.end))
        return {"markets": self.markets, "first_bar": first, "last_bar": last}


@dataclass(frozen=True, slots=True)
class DataFolder:
    """A folder of candles.

    Attributes:
        path: of the folder.
        timeframes: timeframe -> its markets, shortest first.
        unreadable: number of files that cannot be read.
        error: why the folder cannot be read; empty where it can.
    """

    path: Path
    timeframes: Mapping[str, Span]
    unreadable: int = 0
    error: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "path": str(self.path),
            "timeframes": {name: span.to_json() for name, span in self.timeframes.items()},
            "unreadable": self.unreadable,
            "error": self.error or None,
        }


@dataclass(frozen=True, slots=True)
class BundleFolder:
    """A folder of bundles.

    Attributes:
        path: of the folder.
        bundles: number of them.
        champion: ID of the champion; None without one.
        error: why the folder cannot be read; empty where it can.
    """

    path: Path
    bundles: int
    champion: str | None
    error: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "path": str(self.path),
            "bundles": self.bundles,
            "champion": self.champion,
            "error": self.error or None,
        }


def data_folders(named: Path | None = None) -> tuple[DataFolder, ...]:
    """Folders with candles under Freqtrade's names: the named one, or those in the usual places."""
    if named is not None:
        return (_data(named),)
    return tuple(found for found in map(_data, _there(_DATA)) if found.timeframes)


def bundle_folders(named: Path | None = None) -> tuple[BundleFolder, ...]:
    """Folders of bundles: the named one, or those in the usual places."""
    if named is not None:
        return (_bundles(named),)
    return tuple(found for found in map(_bundles, _there(_BUNDLES)) if found.bundles or found.error)


def _there(patterns: Iterable[str]) -> list[Path]:
    found = (path for pattern in patterns for path in sorted(Path().glob(pattern)) if path.is_dir())
    return [path for path in found if path.name != "futures"]  # a part of a data folder


def _data(path: Path) -> DataFolder:
    try:
        from quorate.market.files import list_folder

        listed = [file for file in list_folder(path) if file.kind in ("spot", "futures")]
    except (QuorateError, ImportError) as error:
        return DataFolder(path, {}, error=str(error))
    spans = {}
    for timeframe in sorted({file.timeframe for file in listed}, key=timeframe_ms):
        files = [file for file in listed if file.timeframe == timeframe]
        spans[timeframe] = Span(
            len({file.symbol for file in files}),
            min((file.start for file in files if file.start is not None), default=None),
            max((file.end for file in files if file.end is not None), default=None),
        )
    return DataFolder(path, spans, sum(bool(file.error) for file in listed))


def _bundles(path: Path) -> BundleFolder:
    try:
        from quorate.ensemble.bundle.bundle_store import BundleStore

        store = BundleStore(path)
        return BundleFolder(path, len(store.ids()), store.champion())
    except (QuorateError, ImportError) as error:
        return BundleFolder(path, 0, None, str(error))
