"""Candle files in every format, written by the libraries that write them in practice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pytest

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.market.columns import Columns

START = parse_ms("2024-01-01")


@pytest.fixture
def now() -> int:
    """Current time of these tests: a year after the rows."""
    return parse_ms("2025-01-01")


@pytest.fixture
def hourly() -> Callable[..., Columns]:
    """Build n valid hourly rows from 2024-01-01, with some values replaced: hourly(5, close={2: nan})."""

    def make(rows: int = 10, **replaced: dict[int, float]) -> Columns:
        opening = 100.0 + np.arange(rows)
        arrays: dict[str, Any] = {
            "time": START + HOUR_MS * np.arange(rows, dtype=np.int64),
            "open": opening,
            "high": opening + 2,
            "low": opening - 2,
            "close": opening + 1,
            "volume": 10.0 + np.arange(rows),
        }
        for name, values in replaced.items():
            for row, value in values.items():
                arrays[name][row] = value
        return Columns(**arrays)

    return make


@pytest.fixture
def table() -> Callable[..., pa.Table]:
    """Build a pyarrow table with Freqtrade's layout; the date's unit and zone are arguments."""

    def make(columns: Columns, unit: str = "ms", zone: str | None = "UTC", **extra: Any) -> pa.Table:
        date = pa.array(columns.time, pa.int64()).cast(pa.timestamp("ms")).cast(pa.timestamp(unit, zone))
        names = {name: getattr(columns, name) for name in ("open", "high", "low", "close", "volume")}
        return pa.table({"date": date, **names, **extra})

    return make


@pytest.fixture
def write_feather(table: Callable[..., pa.Table]) -> Callable[[Path, Columns], Path]:
    """Write columns to the path that Freqtrade uses."""

    def write(path: Path, columns: Columns) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        pa.feather.write_feather(table(columns), str(path), compression="lz4")
        return path

    return write
