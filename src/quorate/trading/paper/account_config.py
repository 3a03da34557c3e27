"""Configuration of a paper account, as its journal keeps it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from typing import Any, Self

from quorate.core.errors import JournalError
from quorate.core.settings import AccountSettings, CostSettings, ExitSettings, GuardSettings, LadderSettings
from quorate.trading.account_rules import AccountRules
from quorate.trading.entry_panel import EntryPanel
from quorate.trading.journal.records import StartedRecord
from quorate.trading.oversight import Oversight


@dataclass(frozen=True, slots=True)
class AccountConfig(AccountRules):
    """Rules of a paper account and the name of its strategy, fixed while a session runs.

    Attributes:
        oversight: guards and ladder, by default with their default limits; None for neither.
        panel: that judges entries; None for none.
        strategy: part of every order's id.
        by_target: whether its positions follow target weights.
    """

    oversight: Oversight | None = field(default_factory=Oversight)
    panel: EntryPanel | None = None
    strategy: str = "quorate"
    by_target: bool = False

    def with_start_equity(self, started: StartedRecord) -> Self:
        """The same with the equity and the margin that the account started with; later settings do not change them.

        Raises:
            JournalError: a record without the start equity.
        """
        known = started.settings.get("account")
        equity = known.get("equity_usd") if isinstance(known, dict) else None
        if not isinstance(equity, float | int):
            raise JournalError(
                "rebuild the account from the journal",
                found="a first record without the start equity",
                expected="account.equity_usd in its settings",
            )
        cross = isinstance(known, dict) and known.get("margin") == "cross"
        account = replace(self.account, equity_usd=float(equity), margin="cross" if cross else "isolated")
        return replace(self, account=account)

    @classmethod
    def from_json(cls, known: Mapping[str, Any], strategy: str) -> Self:
        """The configuration of a `StartedRecord`; the exchange's trading rules are not in it.

        Raises:
            JournalError: settings that this version does not know.
        """
        try:
            guarded = known["guards"] is not None
            ladder = None if known["ladder"] is None else LadderSettings(**_tuples(known["ladder"]))
            oversight = Oversight(GuardSettings(**known["guards"]), ladder) if guarded else None
            return cls(
                horizon=known["horizon"],
                account=AccountSettings(**known["account"]),
                costs=CostSettings(**known["costs"]),
                exits=ExitSettings(**known["exits"]),
                oversight=oversight,
                strategy=strategy,
                by_target=known.get("by_target", False),
            )
        except (TypeError, KeyError) as error:
            raise JournalError(
                "read the settings of a session",
                found=str(error),
                expected="the settings of this version",
                remedy="The journal was written by another version of Quorate: read it with that one.",
            ) from error

    def to_json(self) -> dict[str, Any]:
        """The form of a `StartedRecord`."""
        oversight = self.oversight
        return {
            "account": asdict(self.account),
            "costs": asdict(self.costs),
            "exits": asdict(self.exits),
            "horizon": self.horizon,
            "guards": None if oversight is None else asdict(oversight.guards),
            "ladder": None if oversight is None or oversight.ladder is None else asdict(oversight.ladder),
            **({"by_target": True} if self.by_target else {}),
            **({} if self.overlay is None else {"overlay": self.overlay.digest}),
            **({} if self.panel is None else {"panel": self.panel.digest}),
        }

    @property
    def hash(self) -> str:
        """Digest of the configuration: 16 hexadecimal digits."""
        return sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()[:16]


def _tuples(known: Mapping[str, Any]) -> dict[str, Any]:
    """With tuples for JSON's lists."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in known.items()}
