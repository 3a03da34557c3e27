"""Where the ensemble and everything it is compared with trade: the same bars, the same costs, the same account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from quorate.core.settings import Settings
from quorate.core.types import Candles, DecisionFrame, Funding
from quorate.trading.account.contract import Contract
from quorate.trading.backtest.backtest import backtest
from quorate.trading.backtest.backtest_result import BacktestResult
from quorate.trading.oversight import Oversight


@dataclass(frozen=True, slots=True, eq=False)
class BacktestSetup:
    """A span of markets, and the account that trades there.

    Attributes:
        candles: symbol -> candles; those before `start` warm ATR up.
        funding: symbol -> settlements, where they are known.
        marks: symbol -> mark prices, where they are known.
        settings: costs, account and exits.
        horizon: bars of the target, after which a position is closed unless `exits.time_bars` says otherwise.
        start, end: of the run in ms, inclusive and exclusive.
        contracts: symbol -> the exchange's rules, where they are known.
        oversight: guards and ladder; None for neither.
    """

    candles: Mapping[str, Candles]
    funding: Mapping[str, Funding]
    settings: Settings
    horizon: int
    start: int | None = None
    end: int | None = None
    marks: Mapping[str, Candles] = field(default_factory=dict)
    contracts: Mapping[str, Contract] = field(default_factory=dict)
    oversight: Oversight | None = None

    @property
    def holding_bars(self) -> int:
        """The longest that a position lasts."""
        return self.settings.exits.time_bars or self.horizon

    def trade(self, frames: Mapping[str, DecisionFrame]) -> BacktestResult:
        """The decisions, traded by one account of their own.

        Those of the calibrated policy are sized by their probabilities: half Kelly.

        Raises:
            TradingError: see `backtest`.
        """
        sized = bool(frames) and all(frame.policy == "calibrated" for frame in frames.values())
        chances = {symbol: frame.probability for symbol, frame in frames.items()}
        return backtest(
            frames,
            self.candles,
            self.funding,
            horizon=self.horizon,
            costs=self.settings.costs,
            account=replace(self.settings.account, sizing="half_kelly") if sized else self.settings.account,
            exits=self.settings.exits,
            start=self.start,
            end=self.end,
            marks=self.marks,
            contracts=self.contracts,
            probabilities={symbol: chance for symbol, chance in chances.items() if chance is not None},
            oversight=self.oversight,
        )
