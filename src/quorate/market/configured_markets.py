"""The markets of a Freqtrade configuration for which there are candles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from quorate.core.errors import DataError, SettingsError
from quorate.core.text import counted
from quorate.market.freqtrade_config import FreqtradeConfig, read_config


@dataclass(frozen=True, slots=True)
class ConfiguredMarkets:
    """The markets of a Freqtrade configuration for which there are candles.

    Attributes:
        config: the configuration.
        timeframe: of the bars.
        symbols: pairs of the whitelist with candles of this timeframe, in its order.
        without_candles: entries of the whitelist that match none.
    """

    config: FreqtradeConfig
    timeframe: str
    symbols: tuple[str, ...]
    without_candles: tuple[str, ...]


def read_markets(paths: Sequence[Path], data: Path | None = None, timeframe: str | None = None) -> ConfiguredMarkets:
    """Read the markets, the timeframe and the folder of candles of a Freqtrade configuration.

    Args:
        paths: files, as `read_config` takes them.
        data: the folder of candles, instead of the configuration's.
        timeframe: instead of the configuration's.

    Raises:
        SettingsError: no timeframe anywhere, or a configuration that cannot be read.
        DataError: no folder of candles, or no pair of the whitelist with candles in it.
    """
    config = read_config(paths, data)
    timeframe = timeframe or config.timeframe
    if timeframe is None:
        raise SettingsError(
            f"use the Freqtrade configuration {paths[0]}",
            found="no timeframe",
            expected=f"one such as {next(iter(config.timeframes()), '1h')}",
            remedy=f"Give `timeframe`; in many configurations the strategy sets it.{_available(config)}",
        )
    known = config.source.symbols(timeframe, perpetual=config.trading_mode == "futures")
    there = {} if config.matching(known) else config.timeframes()
    if there:
        raise DataError(
            f"find the pairs of {paths[0].name} in {config.data}",
            found=f"no {timeframe} candles of {_some(config.whitelist)}; there are {_counted(there)}",
            expected=f"{config.trading_mode} candles of the timeframe {timeframe}{config.in_format()}",
            remedy=f"Give `timeframe` {next(iter(there))}, or download them: "
            f"freqtrade download-data --timeframes {timeframe}.",
        )
    return ConfiguredMarkets(config, timeframe, config.pairs(known), config.without_candles(known))


def _available(config: FreqtradeConfig) -> str:
    there = config.timeframes()
    return f" There are {_counted(there)}." if there else ""


def _counted(timeframes: Mapping[str, int]) -> str:
    return ", ".join(f"{name} of {counted(count, 'pair')}" for name, count in timeframes.items())


def _some(entries: Sequence[str], shown: int = 3) -> str:
    more = len(entries) - shown
    return ", ".join(entries[:shown]) + (f" and {more} more" if more > 0 else "")
