"""The setup shared by the ensemble and its baselines: the same bars, costs and account settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from quorate.core.settings import Settings
from quorate.core.types import Candles, DecisionFrame, FloatArray, Funding
from quorate.trading.account.contract import Contract
from quorate.trading.account_rules import AccountRules
from quorate.trading.backtest.backtest import stepped_run, trade
from quorate.trading.backtest.backtest_result import BacktestResult
from quorate.trading.backtest.markets import TradedMarkets
from quorate.trading.backtest.stepped import SteppedRun
from quorate.trading.oversight import Oversight
from quorate.trading.sizing.overlay import Overlay


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
        overlay: share of the ordinary stake of each entry; None for all of it.
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
    overlay: Overlay | None = None
    _markets: TradedMarkets = field(init=False, repr=False)

    def __post_init__(self) -> None:
        markets = TradedMarkets(self.candles, self.funding, self.marks, self.start, self.end)
        object.__setattr__(self, "_markets", markets)

    @property
    def unguarded(self) -> Self:
        """Without guards, for baselines: their entries have no votes, so that the guards would stop all of them."""
        return self if self.oversight is None else replace(self, oversight=None)

    @property
    def holding_bars(self) -> int:
        """Most bars that a position is held."""
        return self.settings.exits.time_bars or self.horizon

    def trade(
        self, frames: Mapping[str, DecisionFrame], shares: Mapping[str, FloatArray] | None = None
    ) -> BacktestResult:
        """Backtest the decisions with a new account.

        Decisions of the calibrated policy are sized by their probabilities (half Kelly).

        Args:
            frames: symbol -> decisions, each symbol with candles.
            shares: symbol -> (n,) share of the ordinary stake that a panel leaves of each decision; None without a
                panel.

        Raises:
            TradingError: see `backtest`.
        """
        return trade(frames, self._markets, *self._rules(frames), shares)

    def with_overlay(self, overlay: Overlay | None) -> Self:
        """The same setup with another overlay; what is prepared of the markets is shared."""
        sized = replace(self, overlay=overlay)
        object.__setattr__(sized, "_markets", self._markets)
        return sized

    def stepped(
        self, frames: Mapping[str, DecisionFrame], shares: Mapping[str, FloatArray] | None = None
    ) -> SteppedRun:
        """The same run, to be driven entry by entry; arguments and errors as of `trade`."""
        return stepped_run(frames, self._markets, *self._rules(frames), shares)

    def _rules(self, frames: Mapping[str, DecisionFrame]) -> tuple[AccountRules, dict[str, FloatArray]]:
        """Rules of the account, and the known probabilities of the decisions."""
        sized = bool(frames) and all(frame.policy == "calibrated" for frame in frames.values())
        probabilities = {symbol: frame.probability for symbol, frame in frames.items()}
        rules = AccountRules(
            horizon=self.horizon,
            account=replace(self.settings.account, sizing="half_kelly") if sized else self.settings.account,
            costs=self.settings.costs,
            exits=self.settings.exits,
            contracts=self.contracts,
            oversight=self.oversight,
            overlay=self.overlay,
        )
        return rules, {symbol: table for symbol, table in probabilities.items() if table is not None}
