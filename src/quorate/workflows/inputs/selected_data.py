"""Everything that is known of the selected markets over their span, read once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from quorate.core.progress import Progress, silent
from quorate.core.types import Candles, Funding
from quorate.market.source import CandleSource
from quorate.workflows.inputs.market_data import read_contracts, read_funding, read_marks, read_panel
from quorate.workflows.inputs.selection import Markets

if TYPE_CHECKING:
    from quorate.trading.account.contract import Contract


class MarketData(NamedTuple):
    """What is known of the markets of a span, by symbol.

    Attributes:
        panel: candles, with those that warm the features up.
        funding: settlements, where the source has any.
        marks: mark price candles of the span, where the source has any.
        contracts: the exchange's rules of all markets of the source, where they are stored beside the candles.
    """

    panel: dict[str, Candles]
    funding: dict[str, Funding]
    marks: dict[str, Candles]
    contracts: dict[str, Contract]


def read_market_data(source: CandleSource, markets: Markets, progress: Progress = silent) -> MarketData:
    """Read candles, funding, mark prices and contracts of a selection.

    Raises:
        DataError: no symbol, or none that has a bar in the span.
        TradingError: contracts that cannot be read, or that contradict each other.
    """
    start, end, timeframe = markets.start, markets.end, markets.timeframe
    contracts = read_contracts(source)
    panel = read_panel(source, timeframe, markets.symbols, progress, start=start, end=end)
    symbols = tuple(panel)
    return MarketData(
        panel, read_funding(source, symbols), read_marks(source, symbols, timeframe, start, end), contracts
    )
