"""The scale-up ladder: how much an account may hold, and what it has to show before it may hold more."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from quorate.core.clock import DAY_MS, iso_ms
from quorate.core.errors import GuardError, TradingError
from quorate.core.settings import AccountSettings, LadderSettings
from quorate.core.wilson import wilson
from quorate.trading.account.position import Trade
from quorate.trading.guards.moves import GuardMode


@dataclass(frozen=True, slots=True)
class LadderMove:
    """A change of step. It is written down first and takes effect when it is applied.

    Attributes:
        before, after: steps, from 1; the same where a halt at the first step makes its record start over.
        time: ms, from which the record of the new step counts.
        reason: in words.
    """

    before: int
    after: int
    time: int
    reason: str

    def to_json(self) -> dict[str, Any]:
        return {"before": self.before, "after": self.after, "time": iso_ms(self.time), "reason": self.reason}


class Condition(NamedTuple):
    """One thing that the next step asks for.

    Attributes:
        name: what is measured.
        needed: in words.
        found: in words.
        ok: whether it is met.
    """

    name: str
    needed: str
    found: str
    ok: bool


class Ladder:
    """The step of one account, and its record there.

    Like the guards, it asks for moves and changes nothing until they are applied; fed with the same events and moves in
    the same order, two of these are in the same state. Only trades that were opened after the step began count for it,
    since earlier ones were sized by another.

    Args:
        settings: steps and what they ask for; the defaults where None.
        since: ms at which the account began.

    Attributes:
        step: from 1.
        since: ms at which this step began, or its record started over.
        trades, wins: closed at this step; a win has a net result above 0.
        net_usd: their net result.
        asked: the move that a halt asks for; None for none.

    >>> ladder = Ladder()
    >>> ladder.limits(AccountSettings()).leverage
    20.0
    >>> [condition.name for condition in ladder.conditions(0) if not condition.ok]
    ['days', 'trades', 'win rate', 'expectancy']
    """

    def __init__(self, settings: LadderSettings | None = None, since: int = 0) -> None:
        self.settings = settings or LadderSettings()
        self.step = 1
        self.asked: LadderMove | None = None
        self._mode: GuardMode = "ACTIVE"
        self._begin(since)

    @property
    def steps(self) -> int:
        """How many there are."""
        return len(self.settings.capital_usd)

    def closed(self, trade: Trade) -> None:
        """A position was closed."""
        if trade.entry_time <= self.since:
            return
        self.trades += 1
        self.wins += trade.net_usd > 0
        self.net_usd += trade.net_usd

    def guarded(self, time: int, mode: GuardMode) -> tuple[LadderMove, ...]:
        """The guards are in this mode now; a halt asks for the step below, and at the first one for a new record.

        Several guards that halt one after the other are one halt, until a person has re-armed them all.
        """
        halted = mode == "HALTED" and self._mode != "HALTED"
        self._mode = mode
        if not halted:
            return ()
        below = max(1, self.step - 1)
        reason = f"a halt at step {self.step}" + ("" if below < self.step else ": its record starts over")
        self.asked = LadderMove(self.step, below, time, reason)
        return (self.asked,)

    def promote(self, time: int, who: str) -> LadderMove:
        """The move by which a person confirms the next step; it is written down and then applied.

        Args:
            time: ms; of the newest bar rather than of the clock, so that the journal rebuilds it.
            who: does it.

        Raises:
            GuardError: the last step, something that the next one asks for, or nobody's name.
        """
        attempted = f"promote the account from step {self.step}"
        if not who.strip():
            raise GuardError(attempted, found="no name", expected="who does it, for the journal")
        if self.step == self.steps:
            raise GuardError(attempted, found="that it is the last one", expected=f"a step below {self.steps}")
        missing = [condition for condition in self.conditions(time) if not condition.ok]
        if missing:
            raise GuardError(
                attempted,
                found="; ".join(f"{condition.name} {condition.found}" for condition in missing),
                expected="; ".join(f"{condition.name} {condition.needed}" for condition in missing),
                remedy="`quorate paper status` shows how far it is.",
            )
        return LadderMove(self.step, self.step + 1, time, f"confirmed by {who.strip()}")

    def conditions(self, time: int) -> tuple[Condition, ...]:
        """What the next step asks for, and what there is at `time` in ms; nothing at the last one."""
        if self.step == self.steps:
            return ()
        asked, n = self.settings, self.trades
        days = (time - self.since) / DAY_MS
        bounds = wilson(self.wins, n, asked.certainty)
        rate = asked.win_rate[self.step - 1]
        # Without a trade there is no rate; its lower bound is then 0.
        lower = bounds[0] if bounds else 0.0
        mean = self.net_usd / n if n else 0.0
        return (
            Condition("days", f"at least {asked.days:g}", f"{days:.1f}", days >= asked.days),
            Condition("trades", f"at least {asked.trades}", str(n), n >= asked.trades),
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
        """Let a move take effect that has been written down.

        Raises:
            TradingError: it does not start from this step, or leads to none.
        """
        if move.before != self.step or not 1 <= move.after <= self.steps:
            raise TradingError(
                f"move on the ladder from step {move.before} to {move.after}",
                found=f"step {self.step} of {self.steps}",
                expected="moves in the order they were written, between steps of [ladder]",
            )
        self.asked = None
        self.step = move.after
        self._begin(move.time)

    def limits(self, account: AccountSettings) -> AccountSettings:
        """The account's settings under this step: its capital, positions and leverage, the sizing as it was.

        The exchange's tiers lower the leverage further where they are stricter: `sizing.plan` sees to that.
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
        at = self.step - 1
        return {
            "step": self.step,
            "steps": self.steps,
            "capital_usd": self.settings.capital_usd[at],
            "positions": self.settings.positions[at],
            "leverage": self.settings.leverage[at],
            "since": iso_ms(self.since),
            "trades": self.trades,
            "wins": self.wins,
            "net_usd": self.net_usd,
            "next": [condition._asdict() for condition in self.conditions(time)],
        }

    def _begin(self, time: int) -> None:
        self.since = time
        self.trades = self.wins = 0
        self.net_usd = 0.0
