"""Result of a backtest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from quorate.core.clock import iso_ms
from quorate.core.types import FloatArray, IntArray
from quorate.trading.account.order import Refusal
from quorate.trading.account.trade import Trade


@dataclass(frozen=True, slots=True, eq=False)
class BacktestResult:
    """Trades and equity of one account over one run.

    Attributes:
        timeframe: of every bar.
        symbols: traded markets, sorted.
        currency: of the account, in which all amounts are; "USD" for dollars and their stablecoins.
        start_equity_usd: before the first bar.
        trades: in the order they were closed.
        time: (n,) int64 open times in ms of all symbols' bars in the run.
        equity_usd: (n,) float64 at the close of each bar, open positions valued at their last close. No NaN.
        exposure: share of the bars with an open position, 0 to 1.
        refused: number of orders that were not filled, by reason.
        synthetic: whether some candles, and so the result, are synthetic.
        funding_unknown: symbols with a trade during which settlements are missing; its funding is incomplete.
        mark_missing: symbols with a trade during which mark prices are missing, replaced by last prices.
        shares: of the ordinary stake, of each entry that a sizing overlay sized, in order; empty without one.
        weights: (n, symbols) float64 signed value of each position at the close of each bar as a fraction of the
            equity then; 0 without a position. None for other backtests than those of weights.
        traded_usd: (n,) float64 value of the fills of targets at the open of each bar; not that of liquidations and of
            markets that end. None for other backtests than those of weights.
    """

    timeframe: str
    symbols: tuple[str, ...]
    currency: str
    start_equity_usd: float
    trades: tuple[Trade, ...]
    time: IntArray
    equity_usd: FloatArray
    exposure: float
    refused: Mapping[Refusal, int]
    synthetic: bool
    funding_unknown: tuple[str, ...]
    mark_missing: tuple[str, ...]
    shares: tuple[float, ...] = ()
    weights: FloatArray | None = None
    traded_usd: FloatArray | None = None

    @property
    def final_equity_usd(self) -> float:
        """At the close of the last bar; the start equity of a run without bars."""
        return float(self.equity_usd[-1]) if len(self.equity_usd) else self.start_equity_usd

    @property
    def gross_usd(self) -> float:
        """Result of all trades before costs and funding."""
        return sum(trade.gross_usd for trade in self.trades)

    @property
    def fee_usd(self) -> float:
        """Fees of all trades."""
        return sum(trade.fee_usd for trade in self.trades)

    @property
    def slippage_usd(self) -> float:
        """Slippage of all trades."""
        return sum(trade.slippage_usd for trade in self.trades)

    @property
    def funding_usd(self) -> float:
        """Funding received by all trades; negative when paid."""
        return sum(trade.funding_usd for trade in self.trades)

    @property
    def net_usd(self) -> float:
        """Result of all trades after costs and funding."""
        return sum(trade.net_usd for trade in self.trades)

    @property
    def turnover(self) -> float:
        """Value traded per bar as a fraction of the equity before it, on average; 0 where it is not known."""
        if self.traded_usd is None or not len(self.traded_usd):
            return 0.0
        before = np.concatenate([[self.start_equity_usd], self.equity_usd[:-1]])
        return float(np.mean(np.divide(self.traded_usd, before, out=np.zeros(len(before)), where=before > 0)))

    @property
    def costs(self) -> dict[str, float]:
        """Fees, slippage and funding of all trades."""
        return {"fee_usd": self.fee_usd, "slippage_usd": self.slippage_usd, "funding_usd": self.funding_usd}

    def to_json(self) -> dict[str, Any]:
        """Trades, equity and their caveats, as in `quorate backtest --json`."""
        return {
            "trades": [trade.to_json() for trade in self.trades],
            "equity": [
                {"time": iso_ms(time), "equity_usd": equity}
                for time, equity in zip(self.time.tolist(), self.equity_usd.tolist(), strict=True)
            ],
            "timeframe": self.timeframe,
            "symbols": list(self.symbols),
            "currency": self.currency,
            "start_equity_usd": self.start_equity_usd,
            "final_equity_usd": self.final_equity_usd,
            "costs": self.costs,
            "exposure": self.exposure,
            "refused": dict(self.refused),
            "synthetic": self.synthetic,
            "funding_unknown": list(self.funding_unknown),
            "mark_missing": list(self.mark_missing),
        }
