"""What a backtest found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quorate.core.clock import iso_ms
from quorate.core.types import FloatArray, IntArray
from quorate.trading.account.order import Refusal
from quorate.trading.account.position import Trade


@dataclass(frozen=True, slots=True, eq=False)
class BacktestResult:
    """Trades and equity of one account over one run.

    Attributes:
        timeframe: of every bar.
        symbols: markets that could be traded, sorted.
        start_equity_usd: before the first bar.
        trades: in the order they were closed.
        time: (n,) int64 open times in ms of all symbols' bars in the run.
        equity_usd: (n,) float64 at the close of each bar, open positions valued at their last close. No NaN.
        exposure: share of the bars that some position was held in, 0 to 1.
        refused: orders that came to nothing, by reason.
        synthetic: some candles were made by the synthetic market, so every number here is.
        funding_unknown: symbols with a trade for which settlements are missing; its funding is what is known of it.
        mark_missing: symbols with a trade that was watched by the last price where the mark price is missing.
    """

    timeframe: str
    symbols: tuple[str, ...]
    start_equity_usd: float
    trades: tuple[Trade, ...]
    time: IntArray
    equity_usd: FloatArray
    exposure: float
    refused: Mapping[Refusal, int]
    synthetic: bool
    funding_unknown: tuple[str, ...]
    mark_missing: tuple[str, ...]

    @property
    def final_equity_usd(self) -> float:
        """At the close of the last bar; what the account started with where there is no bar."""
        return float(self.equity_usd[-1]) if len(self.equity_usd) else self.start_equity_usd

    @property
    def gross_usd(self) -> float:
        """Result of all trades before costs and funding."""
        return sum(trade.gross_usd for trade in self.trades)

    @property
    def fee_usd(self) -> float:
        """Fees paid."""
        return sum(trade.fee_usd for trade in self.trades)

    @property
    def slippage_usd(self) -> float:
        """Lost to slippage."""
        return sum(trade.slippage_usd for trade in self.trades)

    @property
    def funding_usd(self) -> float:
        """Funding received; negative when paid."""
        return sum(trade.funding_usd for trade in self.trades)

    @property
    def net_usd(self) -> float:
        """Result of all trades."""
        return sum(trade.net_usd for trade in self.trades)

    def to_json(self) -> dict[str, Any]:
        """`trades` and `equity` of `quorate backtest --json`, and what has to be said with them."""
        return {
            "trades": [trade.to_json() for trade in self.trades],
            "equity": [
                {"time": iso_ms(time), "equity_usd": equity}
                for time, equity in zip(self.time.tolist(), self.equity_usd.tolist(), strict=True)
            ],
            "timeframe": self.timeframe,
            "symbols": list(self.symbols),
            "start_equity_usd": self.start_equity_usd,
            "final_equity_usd": self.final_equity_usd,
            "costs": {"fee_usd": self.fee_usd, "slippage_usd": self.slippage_usd, "funding_usd": self.funding_usd},
            "exposure": self.exposure,
            "refused": dict(self.refused),
            "synthetic": self.synthetic,
            "funding_unknown": list(self.funding_unknown),
            "mark_missing": list(self.mark_missing),
        }
