"""Markets, timeframe and data folder of a Freqtrade configuration as a selection."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from quorate.core.errors import ArgumentError
from quorate.workflows.inputs.selection import Selection, split_names

if TYPE_CHECKING:
    from quorate.market.configured_markets import ConfiguredMarkets


def configured(files: Sequence[Path], data: Path | None, selection: Selection) -> tuple[ConfiguredMarkets, Selection]:
    """Read a Freqtrade configuration, and select its markets in its timeframe.

    Args:
        files: as Freqtrade's -c; later files override earlier ones.
        data: the folder of candles, instead of the configuration's.
        selection: span, and the timeframe where it differs from the configuration's; without markets.

    Returns:
        The configured markets, and the selection with them.

    Raises:
        ArgumentError: the selection names markets too.
        SettingsError, DataError: as `market.configured_markets.read_markets`.
    """
    from quorate.market.configured_markets import read_markets

    named = "`symbols`" if split_names(selection.get("symbols")) else "`top`"
    if named == "`symbols`" or selection.get("top") is not None:
        raise ArgumentError(
            "select the markets",
            found=f"`freqtrade_config` and {named}",
            expected="only one of `symbols`, `top` and `freqtrade_config`",
        )
    markets = read_markets(files, data, selection.get("timeframe"))
    return markets, selection | Selection(symbols=markets.symbols, timeframe=markets.timeframe)
