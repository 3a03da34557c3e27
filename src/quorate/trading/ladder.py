"""Scale-up ladder: limits of an account by step, and the conditions for the next step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from quorate.core.clock import DAY_MS, iso_ms
from quorate.core.errors import GuardError, TradingError
from quorate.core.settings import AccountSettings, LadderSettings
from quorate.core.wilson import wilson
from quorate.trading.account.trade import Trade
from quorate.trading.guards.moves import GuardMode


@dataclass(frozen=True, slots=True)
class LadderMove:
    """A change of step. It is written to the journal first and takes effect when it is applied.

    Attributes:
        before, after: steps, from 1; equal where a halt at the first step resets its record.
        time: ms from which the record of the new step counts.
        reason: description for the journal.
    """

    before: int
    after: int
    time: int
    reason: str

    def to_json(self) -> dict[str, Any]:
        return {"before": self.before, "after": self.after, "time": iso_ms(self.time), "reason": self.reason}


class Condition(NamedTuple):
    """A condition for the next step.

    Attributes:
        name: the measured quantity.
        needed: required value, as text.
        found: current value, as text.
        ok: whether it is met.
    """

    name: str
    needed: str
    found: str
    ok: bool


class Ladder:
    """Step of one account, and its record at this step.

    As with the guards, a move takes effect when it is applied; two instances that receive the same events and moves in
    the same order are in the same state. Only trades opened after the step began count, since earlier ones were sized
    under another step.

    Args:
        settings: steps and their conditions; defaults where None.
        since: ms at which the account began.

    Attributes:
        step: from 1.
        since: ms at which this step began or its record was reset.
        trades, wins: number of trades closed at this step; a win has a net result above 0.
        net_usd: their net result.
        pending: the move that a halt requests; None without one.

    >>> ladder = Ladder()
    >>> ladder.limits(AccountSettings()).leverage
    20.0
    >>> [condition.name for condition in ladder.conditions(0) if not condition.ok]
    ['days', 'trades', 'win rate', 'expectancy']
    """

    def __init__(self, settings: LadderSettings | None = None, since: int = 0) -> None:
        self.settings = settings or LadderSettings()
        self.step = 1
        self.pending: LadderMove | None = None
        self._mode: GuardMode = "ACTIVE"
        self._begin(since)

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.settings.capital_usd)

    def on_trade(self, trade: Trade) -> None:
        """Count a closed trade."""
        if trade.entry_time <= self.since:
            return
        self.trades += 1
        self.wins += trade.net_usd > 0
        self.net_usd += trade.net_usd

    def on_guard_mode(self, time: int, mode: GuardMode) -> tuple[LadderMove, ...]:
        """Record the guards' mode. A halt requests the step below, or at the first step a reset of its record.

        Guards that halt while another one is HALTED cause no further move.
        """
        halted = mode == "HALTED" and self._mode != "HALTED"
        self._mode = mode
        if not halted:
            return ()
        below = max(1, self.step - 1)
        reason = f"a halt at step {self.step}" + ("" if below < self.step else ": its record starts over")
        self.pending = LadderMove(self.step, below, time, reason)
        return (self.pending,)

    def promote(self, time: int, who: str) -> LadderMove:
        """The move by which a person confirms the next step; to be written to the journal and applied.

        Args:
            time: ms of the newest bar, not of the clock, so that a replay of the journal gives the same.
            who: name of the person.

        Raises:
            GuardError: no further step, a condition that is not met, or an empty name.
        """
        attempted = f"promote the account from step {self.step}"
        if not who.strip():
            raise GuardError(attempted, found="no name", expected="the person's name, for the journal")
        if self.step == self.steps:
            raise GuardError(attempted, found="the last step", expected=f"a step below {self.steps}")
        missing = [condition for condition in self.conditions(time) if not condition.ok]
        if missing:
            raise GuardError(
                attempted,
                found="; ".join(f"{condition.name} {condition.found}" for condition in missing),
                expected="; ".join(f"{condition.name} {condition.needed}" for condition in missing),
                remedy="`quorate paper status` shows the conditions and their current values.",
            )
        return LadderMove(self.step, self.step + 1, time, f"confirmed by {who.strip()}")

    def conditions(self, time: int) -> tuple[Condition, ...]:
        """Conditions for the next step, evaluated at `time` in ms; empty at the last step."""
        if self.step == self.steps:
            return ()
        settings, n = self.settings, self.trades
        days = (time - self.since) / DAY_MS
        bounds = wilson(self.wins, n, settings.certainty)
        rate = settings.win_rate[self.step - 1]
        # Without trades the rate is undefined and its lower bound 0.
        lower = bounds[0] if bounds else 0.0
        mean = self.net_usd / n if n else 0.0
        return (
            Condition("days", f"at least {settings.days:g}", f"{days:.1f}", days >= settings.days),
            Condition("trades", f"at least {settings.trades}", str(n), n >= settings.trades),
            Condition(
                "win rate",
                f"surely above {rate:.1%}",
                f"{self.wins} of {n}, at least {lower:.1%}" if n else "unknown",
                lower > rate,
            ),
            Condition("expectancy", "above 0 USD", f"{mean:.2f} USD" if n else "unknown", mean > 0),
            Condition("halt", "none", "HALTED" if self._mode == "HALTED" else "none", self._mode != "HALTED"),
        )

    def apply(self, move: LadderMove) -> None:
        """Apply a move that has been written to the journal.

        Raises:
            TradingError: the move does not start from the current step, or ends at none.
        """
        if move.before != self.step or not 1 <= move.after <= self.steps:
            raise TradingError(
                f"move on the ladder from step {move.before} to {move.after}",
                found=f"step {self.step} of {self.steps}",
                expected="moves in the order they were written, between steps of [ladder]",
            )
        self.pending = None
        self.step = move.after
        self._begin(move.time)

    def limits(self, account: AccountSettings) -> AccountSettings:
        """The account's settings with the capital, positions and leverage of this step.

        Stricter tiers of the exchange lower the leverage further, in `sizing.plan`.
        """
        at = self.step - 1
        return replace(
            account,
            capital_usd=self.settings.capital_usd[at],
            positions=self.settings.positions[at],
            leverage=self.settings.leverage[at],
        )

    def to_json(self, time: int) -> dict[str, Any]:
        """The form of `quorate paper status --json` at `time` in ms."""
        return {
            "step": self.step,
            "steps": self.steps,
            **self._limits(self.step),
            "since": iso_ms(self.since),
            "trades": self.trades,
            "wins": self.wins,
            "net_usd": self.net_usd,
            "next": [condition._asdict() for condition in self.conditions(time)],
            "next_limits": None if self.step == self.steps else self._limits(self.step + 1),
        }

    def _limits(self, step: int) -> dict[str, Any]:
        at = step - 1
        return {
            "capital_usd": self.settings.capital_usd[at],
            "positions": self.settings.positions[at],
            "leverage": self.settings.leverage[at],
        }

    def _begin(self, time: int) -> None:
        self.since = time
        self.trades = self.wins = 0
        self.net_usd = 0.0
