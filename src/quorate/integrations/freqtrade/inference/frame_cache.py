"""Cache of predicted frames on disk, so that a repeated backtest over the same candles runs no model."""

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
from quorate.core.regular_files import open_to_read
from quorate.core.types import CANDLE_COLUMNS, Candles, DecisionFrame
from quorate.core.version import __version__

_log = logging.getLogger(__name__)

# Attributes of a frame that are stored. Texts are stored as indices into the list of their distinct values.
_ARRAYS = ("time", "action", "confidence", "base", "volatility")
_TEXTS = ("consensus", "rule")
_OPTIONAL_ARRAYS = ("probabilities", "limit", "predicted", "side")
_TABLES = ("scores", "unselected", "calibrated", "forecasts")

# The oldest files beyond this many are removed.
_MAX_FILES = 1_000


def frame_key(candles: Candles, *depends: object) -> str:
    """Cache key of a frame: a digest of its candles, the version of this library and all other values it depends on."""
    digest = hashlib.sha256(repr((__version__, candles.symbol, candles.timeframe, *depends)).encode())
    for name in ("time", *CANDLE_COLUMNS):
        digest.update(getattr(candles, name).tobytes())
    return digest.hexdigest()[:32]


class FrameCache:
    """A folder of predicted frames, each in a file named by its key.

    Args:
        folder: created when the first frame is saved.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self, key: str) -> DecisionFrame | None:
        """Load a frame; None if there is none. A file that cannot be read is logged and counts as none."""
        path = self._path(key)
        try:
            # np.load on a path leaves the file open if it is not in numpy's format.
            with open_to_read(path) as handle, np.load(handle, allow_pickle=False) as stored:
                return _frame({name: stored[name] for name in stored.files})
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            _log.warning("the cached predictions %s cannot be read (%s); the frame is predicted again", path, error)
            return None

    def save(self, key: str, frame: DecisionFrame) -> None:
        """Save a frame and remove the oldest files; a failed write is logged and has no other effect."""

        def write(path: Path) -> None:
            with path.open("wb") as handle:
                np.savez(handle, **_arrays(frame))  # type: ignore[arg-type]

        try:
            write_atomic(self._path(key), write)
        except DataError as error:
            _log.warning("predictions were not cached: %s", error)
            return
        self._prune()

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.npz"

    def _prune(self) -> None:
        files = sorted(self.folder.glob("*.npz"), key=lambda path: path.stat().st_mtime_ns)
        for path in files[: max(0, len(files) - _MAX_FILES)]:
            path.unlink(missing_ok=True)


def _arrays(frame: DecisionFrame) -> dict[str, npt.NDArray[Any]]:
    arrays: dict[str, npt.NDArray[Any]] = {name: getattr(frame, name) for name in _ARRAYS}
    for name in _TEXTS:
        distinct, index = np.unique(getattr(frame, name), return_inverse=True)
        arrays[f"{name}.known"], arrays[f"{name}.place"] = distinct, index.astype(np.uint8)
    arrays |= {name: getattr(frame, name) for name in _OPTIONAL_ARRAYS if getattr(frame, name) is not None}
    arrays |= {f"{table}:{model}": rows for table in _TABLES for model, rows in getattr(frame, table).items()}
    arrays["about"] = np.array([frame.symbol, frame.timeframe, frame.policy, "synthetic" if frame.synthetic else ""])
    return arrays


def _frame(arrays: dict[str, npt.NDArray[Any]]) -> DecisionFrame:
    symbol, timeframe, policy, synthetic = arrays["about"].tolist()
    columns: dict[str, Any] = {name: arrays[name] for name in _ARRAYS}
    columns |= {name: arrays[f"{name}.known"][arrays[f"{name}.place"]] for name in _TEXTS}
    columns |= {name: arrays.get(name) for name in _OPTIONAL_ARRAYS}
    for table in _TABLES:
        columns[table] = {
            name.removeprefix(f"{table}:"): rows for name, rows in arrays.items() if name.startswith(f"{table}:")
        }
    return DecisionFrame(symbol=symbol, timeframe=timeframe, policy=policy, synthetic=bool(synthetic), **columns)
