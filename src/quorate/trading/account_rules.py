"""Rules that an account trades under, the same in a backtest and in paper trading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from quorate.core.settings import AccountSettings, CostSettings, ExitSettings
from quorate.trading.account.account import Account
from quorate.trading.account.contract import Contract
from quorate.trading.engine import RecordSink, TradingEngine
from quorate.trading.guards import Guards
from quorate.trading.ladder import Ladder
from quorate.trading.oversight import Oversight
from quorate.trading.sizing.overlay import Overlay


@dataclass(frozen=True, slots=True)
class AccountRules:
    """Rules of an account.

    Attributes:
        horizon: bars of the target; a position closes after as many, unless `exits.time_bars` sets another number.
        account: equity, sizing and limits of positions.
        costs: fees and slippage.
        exits: stops, targets and time exits.
        contracts: symbol -> the exchange's trading rules; conservative ones for markets without.
        oversight: guards and ladder; None for neither.
        overlay: share of the ordinary stake of each entry; None for all of it.
    """

    horizon: int
    account: AccountSettings = field(default_factory=AccountSettings)
    costs: CostSettings = field(default_factory=CostSettings)
    exits: ExitSettings = field(default_factory=ExitSettings)
    contracts: Mapping[str, Contract] = field(default_factory=dict)
    oversight: Oversight | None = None
    overlay: Overlay | None = None

    @property
    def holding_bars(self) -> int:
        """Maximum number of bars that a position is held."""
        return self.exits.time_bars or self.horizon

    def engine(
        self, length_ms: int, began: int, *, strategy: str = "quorate", emit: RecordSink | None = None
    ) -> TradingEngine:
        """An engine with a new account under these rules.

        Args:
            length_ms: length of a bar.
            began: open time in ms of the account's first bar.
            strategy: part of every order's id.
            emit: called with every record; None for no records.
        """
        return TradingEngine(
            Account(self.account, self.costs, self.exits, self.contracts),
            length_ms,
            strategy=strategy,
            guards=None if self.oversight is None else Guards(self.oversight.guards),
            ladder=None
            if self.oversight is None or self.oversight.ladder is None
            else Ladder(self.oversight.ladder, began),
            emit=emit,
        )
