"""Open times of the bars in Freqtrade's data folder: rows that are not among them were filled in by Freqtrade."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from quorate.core.types import IntArray
from quorate.integrations.freqtrade.strategy_options import is_live


class StoredBars:
    """Open times of each pair's bars in the data folder, read once.

    Args:
        config: Freqtrade's configuration.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config
        self._times: dict[str, IntArray | None] = {}

    def times(self, pair: str, timeframe: str) -> IntArray | None:
        """(n,) int64 open times in ms; None without a file of the pair.

        Also None in dry and live trading, where frames come from the exchange.
        """
        if is_live(self._config):
            return None
        if pair not in self._times:
            self._times[pair] = self._read(pair, timeframe)
        return self._times[pair]

    def _read(self, pair: str, timeframe: str) -> IntArray | None:
        from freqtrade.data.history import load_pair_history
        from freqtrade.enums import CandleType

        folder = self._config.get("datadir")
        if folder is None:
            return None
        frame = load_pair_history(
            pair,
            timeframe,
            Path(folder),
            fill_up_missing=False,
            data_format=self._config.get("dataformat_ohlcv"),
            candle_type=self._config.get("candle_type_def", CandleType.SPOT),
        )
        if not len(frame):
            return None
        return np.asarray(frame["date"].dt.tz_localize(None).to_numpy().astype("datetime64[ms]").astype(np.int64))
