"""A source that ends its process; workers import this module, which they cannot a test's."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quorate.core.types import Candles
from quorate.market.files.freqtrade_folder import FreqtradeFolder


@dataclass(frozen=True)
class KillingSource:
    """A folder whose reader is killed the first so many times that it reads a market."""

    folder: Path
    symbol: str
    marks: Path
    times: int

    @property
    def path(self) -> Path:
        return self.folder

    def symbols(self, timeframe: str, perpetual: bool | None = None) -> tuple[str, ...]:
        return FreqtradeFolder(self.folder).symbols(timeframe, perpetual)

    def candles(self, symbol: str, timeframe: str, start: int | None = None, end: int | None = None) -> Candles:
        for mark in (self.marks / str(number) for number in range(self.times)):
            if symbol == self.symbol and not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        return FreqtradeFolder(self.folder).candles(symbol, timeframe, start, end)

    def mark(self, *_: Any) -> None:
        return None

    def funding(self, *_: Any) -> None:
        return None
