"""The public series of long-horizon forecasting, with the usual splits and standardisation.

Zhou and others, Informer, 2021 (arXiv 2012.07436), split the ETT series into 12, 4 and 4 months of 30 days; Wu and
others, Autoformer, 2021 (arXiv 2106.13008), the others 7:1:2. Each channel is standardised by its training part, and
errors are of standardised values. A window of validation or test may look back into the part before its own.

Imports only numpy and pandas, so that the peer's environment can read the same data.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

Part = Literal["train", "validation", "test"]

_HOURS = 30 * 24  # of a month
_ETT = {"ETTh": 1, "ETTm": 4}  # rows an hour


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One data set.

    Attributes:
        name: that of its file.
        values: (n, C) float32, standardised; rows after the test part are removed.
        ends: end of the training, validation and test parts, exclusive row numbers.
    """

    name: str
    values: npt.NDArray[np.float32]
    ends: tuple[int, int, int]

    def starts(self, part: Part, look_back: int, horizon: int) -> npt.NDArray[np.int64]:
        """First row of every window whose forecast is in a part; training windows are in it as a whole."""
        train, validation, test = self.ends
        first, end = {
            "train": (0, train),
            "validation": (train - look_back, validation),
            "test": (validation - look_back, test),
        }[part]
        starts = np.arange(first, end - look_back - horizon + 1)
        if first < 0 or not len(starts):
            raise SystemExit(
                f"{self.name} is too short for a look-back of {look_back} and a horizon of {horizon} in its {part} part"
            )
        return starts


def ends(name: str, rows: int) -> tuple[int, int, int]:
    """End of the training, validation and test parts, exclusive row numbers.

    >>> ends("ETTh1", 17_420), ends("exchange_rate", 7_588)
    ((8640, 11520, 14400), (5311, 6071, 7588))
    """
    for family, an_hour in _ETT.items():
        if name.startswith(family):
            month = _HOURS * an_hour
            return 12 * month, 16 * month, 20 * month
    train, test = int(rows * 0.7), int(rows * 0.2)
    return train, rows - test, rows


def load(name: str, folder: Path | None = None) -> Series:
    """Read a series from `folder`, or from the folder ltsf in the one that QUORATE_DATA names."""
    folder = folder or data_folder()
    path = next((path for path in (folder / f"{name}.csv", folder / f"{name}.csv.gz") if path.exists()), None)
    if path is None:
        raise SystemExit(f"no {name}.csv in {folder}")
    return standardised(name, pd.read_csv(path).drop(columns="date").to_numpy(np.float64))


def standardised(name: str, values: npt.NDArray[Any]) -> Series:
    """Series of (n, C) values in their original units."""
    train, validation, test = ends(name, len(values))
    if len(values) < test or not np.isfinite(values[:test]).all():
        raise SystemExit(f"{name} has {len(values)} rows, where {test} finite ones are expected")
    mean, scale = values[:train].mean(axis=0), values[:train].std(axis=0)
    return Series(name, ((values[:test] - mean) / scale).astype(np.float32), (train, validation, test))


def data_folder() -> Path:
    """Folder of the series."""
    named = os.environ.get("QUORATE_DATA")
    if not named:
        raise SystemExit("set QUORATE_DATA to the folder that holds ltsf/, the public forecasting series")
    return Path(named) / "ltsf"
