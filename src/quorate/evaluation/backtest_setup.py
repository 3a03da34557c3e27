"""The setup shared by the ensemble and its baselines: the same bars, costs and account settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from quorate.core.settings import Settings
from quorate.core.types import Candles, DecisionFrame, Funding
from quorate.trading.account.contract import Contract
from quorate.trading.account_rules import AccountRules
from quorate.trading.backtest.backtest import trade
from quorate.trading.backtest.backtest_result import BacktestResult
from quorate.trading.backtest.markets import TradedMarkets
from quorate.trading.oversight import Oversight


@dataclass(frozen=True, slots=True, eq=False)
class BacktestSetup:
    """Markets over a span, and the settings of an account that trades them.

    Attributes:
        candles: symbol -> candles; those before `start` warm up ATR.
        funding: symbol -> settlements, where known.
        settings: costs, account and exits.
        horizon: bars of the target, after which a position is closed unless `exits.time_bars` is set.
        start, end: of the run in ms, inclusive and exclusive.
        marks: symbol -> mark prices, where known.
        contracts: symbol -> the exchange's contract rules, where known.
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
    _markets: TradedMarkets = field(init=False, repr=False)

    def __post_init__(self) -> None:
        markets = TradedMarkets(self.candles, self.funding, self.marks, self.start, self.end)
        object.__setattr__(self, "_markets", markets)

    @property
    def holding_bars(self) -> int:
        """Most bars that a position is held."""
        return self.settings.exits.time_bars or self.horizon

    def trade(self, frames: Mapping[str, DecisionFrame]) -> BacktestResult:
        """Backtest the decisions with a new account.

        Decisions of the calibrated policy are sized by their probabilities (half Kelly).

        Args:
            frames: symbol -> decisions, each symbol with candles.

        Raises:
            TradingError: see `backtest`.
        """
        sized = bool(frames) and all(frame.policy == "calibrated" for frame in frames.values())
        probabilities = {symbol: frame.probability for symbol, frame in frames.items()}
        rules = AccountRules(
            horizon=self.horizon,
            account=replace(self.settings.account, sizing="half_kelly") if sized else self.settings.account,
            costs=self.settings.costs,
            exits=self.settings.exits,
            contracts=self.contracts,
            oversight=self.oversight,
        )
        known = {symbol: table for symbol, table in probabilities.items() if table is not None}
        return trade(frames, self._markets, rules, known)
