"""What to train, from a user's own Freqtrade configuration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from quorate.core.errors import SettingsError


def markets(files: Sequence[Path], data: Path | None, timeframe: str | None) -> tuple[Path, str, tuple[str, ...]]:
    """The folder of candles, the timeframe, and the pairs.

    Args:
        files: of the configuration.
        data: overrides the configuration's own folder.
        timeframe: overrides the configuration's own.

    Raises:
        SettingsError: no timeframe anywhere, or a configuration that cannot be read.
        DataError: no folder, or no pair of the whitelist with candles in it.
    """
    from quorate.cli import output
    from quorate.market import FreqtradeFolder
    from quorate.market.freqtrade_config import read_config

    config = read_config(files, data)
    bars = timeframe or config.timeframe
    if bars is None:
        raise SettingsError(
            f"use the Freqtrade configuration {files[0]}",
            found="no timeframe",
            expected="one such as 1h",
            remedy="Strategies often set it instead: name theirs with --timeframe.",
        )
    known = FreqtradeFolder(config.data).symbols(bars, perpetual=config.trading_mode == "futures")
    pairs = config.pairs(known)
    missing = config.without_candles(known)
    if missing:
        output.note(f"no {bars} candles in {config.data} of: {', '.join(missing)}")
    output.note(f"{config.exchange} {config.trading_mode}, {bars}: {', '.join(pairs)}")
    return config.data, bars, pairs
