"""What a paper account trades under, fixed while a session runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from typing import Any, Self

from quorate.core.errors import JournalError
from quorate.core.settings import AccountSettings, CostSettings, ExitSettings, GuardSettings, LadderSettings
from quorate.trading.account.account import Account
from quorate.trading.account.contract import Contract
from quorate.trading.engine import RecordSink, TradingEngine
from quorate.trading.guards import Guards
from quorate.trading.journal.records import StartedRecord
from quorate.trading.ladder import Ladder
from quorate.trading.oversight import Oversight


@dataclass(frozen=True, slots=True)
class AccountConfig:
    """Settings of an account, its orders and what watches over it.

    Attributes:
        horizon: bars of the target, after which a position is closed unless `exits.time_bars` says otherwise.
        strategy: part of every order's id.
        oversight: guards and ladder; None for neither.
        contracts: symbol -> the exchange's rules; conservative ones where it has none.
    """

    horizon: int
    account: AccountSettings = field(default_factory=AccountSettings)
    costs: CostSettings = field(default_factory=CostSettings)
    exits: ExitSettings = field(default_factory=ExitSettings)
    strategy: str = "quorate"
    oversight: Oversight | None = field(default_factory=Oversight)
    contracts: Mapping[str, Contract] = field(default_factory=dict)

    @property
    def holding_bars(self) -> int:
        """The longest that a position lasts."""
        return self.exits.time_bars or self.horizon

    def desk(self, length_ms: int, began: int, tell: RecordSink) -> TradingEngine:
        """A desk with a new account.

        Args:
            length_ms: of a bar.
            began: open time in ms of the account's first bar.
            tell: is told every record.
        """
        account = Account(self.account, self.costs, self.exits, self.contracts)
        watch = self.oversight
        return TradingEngine(
            account,
            length_ms,
            strategy=self.strategy,
            guards=None if watch is None else Guards(watch.guards),
            ladder=None if watch is None else Ladder(watch.ladder, began),
            tell=tell,
        )

    def founded(self, started: StartedRecord) -> Self:
        """The same with the money that the account began with: a later setting does not make it richer.

        Raises:
            JournalError: a beginning that does not say what it was.
        """
        known = started.settings.get("account")
        equity = known.get("equity_usd") if isinstance(known, dict) else None
        if not isinstance(equity, float | int):
            raise JournalError(
                "rebuild the account from the journal",
                found="a beginning that does not say with how much",
                expected="account.equity_usd in its settings",
            )
        return replace(self, account=replace(self.account, equity_usd=float(equity)))

    @classmethod
    def from_json(cls, known: Mapping[str, Any], strategy: str) -> Self:
        """The terms that a session wrote down; the exchange's rules are not among them.

        Raises:
            JournalError: settings that this version does not know.
        """
        try:
            watched = known["guards"] is not None
            oversight = (
                Oversight(GuardSettings(**known["guards"]), LadderSettings(**_tuples(known["ladder"])))
                if watched
                else None
            )
            return cls(
                known["horizon"],
                AccountSettings(**known["account"]),
                CostSettings(**known["costs"]),
                ExitSettings(**known["exits"]),
                strategy,
                oversight,
            )
        except (TypeError, KeyError) as error:
            raise JournalError(
                "read the settings of a session",
                found=str(error),
                expected="those of this version",
                remedy="The journal was written by another version of Quorate: read it with that one.",
            ) from error

    def to_json(self) -> dict[str, Any]:
        """What the journal keeps of them."""
        watch = self.oversight
        return {
            "account": asdict(self.account),
            "costs": asdict(self.costs),
            "exits": asdict(self.exits),
            "horizon": self.horizon,
            "guards": None if watch is None else asdict(watch.guards),
            "ladder": None if watch is None else asdict(watch.ladder),
        }

    @property
    def hash(self) -> str:
        """Tells two sets of terms apart; 16 hexadecimal digits."""
        return sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()[:16]


def _tuples(known: Mapping[str, Any]) -> dict[str, Any]:
    """With tuples for JSON's lists."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in known.items()}
