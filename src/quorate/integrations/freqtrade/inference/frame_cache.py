"""Predictions of whole frames on disk, so that the second backtest over the same candles asks no model."""

from __future__ import annotations

import hashlib
import logging
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from quorate.core.errors import DataError
from quorate.core.files import write_atomic
from quorate.core.types import CANDLE_COLUMNS, Candles, DecisionFrame
from quorate.core.version import __version__

_log = logging.getLogger(__name__)

# The arrays of a frame, by the name of its attribute; texts are kept as numbers into a list of the different ones.
_ARRAYS = ("time", "action", "confidence", "base", "volatility")
_TEXTS = ("consensus", "rule")
_MAYBE = ("probabilities", "limit", "predicted", "side")
_TABLES = ("scores", "calibrated", "forecasts")

# Files beyond this many are removed, the oldest first.
_MOST_FILES = 1_000


def frame_key(candles: Candles, *depends: object) -> str:
    """The name of the frame of these candles: of their content, and of whatever else decides about it."""
    digest = hashlib.sha256(repr((__version__, candles.symbol, candles.timeframe, *depends)).encode())
    for name in ("time", *CANDLE_COLUMNS):
        digest.update(getattr(candles, name).tobytes())
    return digest.hexdigest()[:32]


class FrameCache:
    """A folder of predicted frames, each named by everything that it depends on.

    Args:
        folder: made when the first frame is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self, key: str) -> DecisionFrame | None:
        """The frame of that name; None where there is none. One that cannot be read is said, and predicted anew."""
        path = self._path(key)
        try:
            # Opened here, since numpy leaves a file open that turns out to be none of its own.
            with path.open("rb") as handle, np.load(handle, allow_pickle=False) as kept:
                return _frame({name: kept[name] for name in kept.files})
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            _log.warning("the cached predictions %s cannot be read (%s); they are predicted anew", path, error)
            return None

    def keep(self, key: str, frame: DecisionFrame) -> None:
        """Write a frame; where that fails the log says so, and nothing else is lost."""

        def write(path: Path) -> None:
            with path.open("wb") as handle:
                np.savez(handle, **_arrays(frame))  # type: ignore[arg-type]

        try:
            write_atomic(self._path(key), write)
        except DataError as error:
            _log.warning("predictions are not cached: %s", error)
            return
        self._prune()

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.npz"

    def _prune(self) -> None:
        files = sorted(self.folder.glob("*.npz"), key=lambda path: path.stat().st_mtime_ns)
        for path in files[: max(0, len(files) - _MOST_FILES)]:
            path.unlink(missing_ok=True)


def _arrays(frame: DecisionFrame) -> dict[str, npt.NDArray[Any]]:
    arrays: dict[str, npt.NDArray[Any]] = {name: getattr(frame, name) for name in _ARRAYS}
    for name in _TEXTS:
        known, place = np.unique(getattr(frame, name), return_inverse=True)
        arrays[f"{name}.known"], arrays[f"{name}.place"] = known, place.astype(np.uint8)
    arrays |= {name: getattr(frame, name) for name in _MAYBE if getattr(frame, name) is not None}
    arrays |= {f"{table}:{model}": rows for table in _TABLES for model, rows in getattr(frame, table).items()}
    arrays["about"] = np.array([frame.symbol, frame.timeframe, frame.policy, "synthetic" if frame.synthetic else ""])
    return arrays


def _frame(arrays: dict[str, npt.NDArray[Any]]) -> DecisionFrame:
    symbol, timeframe, policy, synthetic = arrays["about"].tolist()
    columns: dict[str, Any] = {name: arrays[name] for name in _ARRAYS}
    columns |= {name: arrays[f"{name}.known"][arrays[f"{name}.place"]] for name in _TEXTS}
    columns |= {name: arrays.get(name) for name in _MAYBE}
    for table in _TABLES:
        columns[table] = {
            name.removeprefix(f"{table}:"): rows for name, rows in arrays.items() if name.startswith(f"{table}:")
        }
    return DecisionFrame(symbol=symbol, timeframe=timeframe, policy=policy, synthetic=bool(synthetic), **columns)
