"""Evidence of a challenge: a fold over its records, so that a resumed challenge has the same e-values to the bit.

Two differences are tested, each for being above and below 0. The log-loss of the champion less that of the challenger,
mean over the markets of a bar: labels of a horizon of h bars overlap, so the bars are dealt to h lanes in turn. The net
return of the challenger's account on a bar less that of the champion's: bars do not overlap, and a difference beyond
the bound of the terms counts as the bound.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import exp
from typing import Any, Literal, Self

from quorate.core.clock import format_ms, timeframe_ms
from quorate.core.errors import JournalError
from quorate.core.sections.challenge import ChallengeSettings
from quorate.evaluation.statistics.betting import BettingTest
from quorate.trading.journal import ChallengedRecord, ComparedRecord

Verdict = Literal["challenger", "champion", "undecided", "stopped"]


@dataclass(frozen=True, slots=True)
class ComparedBar:
    """A difference on one bar, above 0 where the challenger was better.

    Attributes:
        time: open time in ms.
        difference: in nats, or as a fraction of the equity.
        champion, challenger: the two figures.
    """

    time: int
    difference: float
    champion: float
    challenger: float


@dataclass(frozen=True, slots=True)
class ChallengeEnd:
    """The end of a challenge.

    Attributes:
        verdict: what it ended with.
        reason: description.
    """

    verdict: Verdict
    reason: str


def terms_of(start: ChallengedRecord) -> ChallengeSettings:
    """The terms of a challenge, as they were when it began.

    Raises:
        JournalError: terms that this version does not know.
    """
    known = {field.name for field in fields(ChallengeSettings)}
    if set(start.terms) != known:
        raise JournalError(
            "read the terms of a challenge",
            found=", ".join(sorted(start.terms)) or "none",
            expected=", ".join(sorted(known)),
            remedy="The journal was written by another version of Quorate: read it with that one.",
        )
    return ChallengeSettings(**start.terms)


class ChallengeEvidence:
    """Evidence after the records of a challenge so far.

    Args:
        start: of the challenge.

    Attributes:
        terms: of the test.
        losses: bars whose labels are known, in the order in which they matured.
        returns: bars of the accounts.
        waiting: open time in ms of bars with forecasts that have not matured -> number of their markets.
        last: open time in ms of the newest compared bar; None before the first.
        champion_usd, challenger_usd: equity at its close.
        clipped: bars whose difference of net returns was beyond the bound.
    """

    def __init__(self, start: ChallengedRecord) -> None:
        self.start, self.terms = start, terms_of(start)
        self._length = timeframe_ms(start.timeframe)
        self.loss_test, self.return_test = BettingTest(start.horizon), BettingTest()
        self.losses: list[ComparedBar] = []
        self.returns: list[ComparedBar] = []
        self.waiting: dict[int, int] = {}
        self.last: int | None = None
        self.champion_usd = self.challenger_usd = start.start_usd
        self.clipped = 0
        self._placed: tuple[int, float] | None = None

    @property
    def bars(self) -> int:
        """Number of compared bars."""
        return len(self.returns)

    def add(self, record: ComparedRecord) -> Self:
        """Add the record of the next bar.

        Raises:
            JournalError: an outcome of a bar that does not wait for one.
        """
        # A bet opens after the look at its bar, of whose outcome nothing was known then.
        if self._placed is not None:
            self.loss_test.place(*self._placed)
            self._placed = None
        for bar in record.matured:
            markets = self.waiting.pop(bar.time, None)
            if markets is None:
                raise JournalError(
                    f"read the bar {format_ms(record.time)} of a challenge",
                    found=f"the outcome of {format_ms(bar.time)}, which does not wait for one",
                    expected="each bar with forecasts once",
                    remedy="The journal was altered: restore a backup.",
                )
            difference = bar.champion_loss - bar.challenger_loss
            self.loss_test.settle(self._lane(bar.time), difference)
            if bar.markets:
                share = bar.markets / markets
                found = ComparedBar(bar.time, difference, bar.champion_loss / share, bar.challenger_loss / share)
                self.losses.append(found)
        self._add_returns(record)
        if record.markets:
            self.waiting[record.time] = record.markets
            self._placed = self._lane(record.time), record.bound
        self.last = record.time
        self.champion_usd, self.challenger_usd = record.champion_usd, record.challenger_usd
        return self

    def judge(self) -> ChallengeEnd | None:
        """The verdict that the evidence allows; None while there is none.

        The challenger wins by the difference that decides. The champion stays where either speaks for it, each with the
        same probability of an error, so a challenger that forecasts better and loses money does not win.
        """
        terms = self.terms
        needed = 1 / terms.alpha
        tests = {"log_loss": self.loss_test, "net_return": self.return_test}
        for name, test in tests.items():
            if (value := e_value(test.log_below)) >= needed:
                return ChallengeEnd("champion", f"its {_WORDS[name]} is better: e-value {value:.3g}, needed {needed:g}")
        if (value := e_value(tests[terms.decides].log_above)) >= needed:
            return ChallengeEnd(
                "challenger", f"its {_WORDS[terms.decides]} is better: e-value {value:.3g}, needed {needed:g}"
            )
        if self.bars >= terms.horizon_bars:
            return ChallengeEnd("undecided", f"no e-value of {needed:g} after {self.bars:,} bars, the horizon")
        return None

    def _add_returns(self, record: ComparedRecord) -> None:
        limit = self.terms.return_bound
        champion = _change(self.champion_usd, record.champion_usd)
        challenger = _change(self.challenger_usd, record.challenger_usd)
        difference = challenger - champion
        self.clipped += abs(difference) > limit
        self.return_test.place(0, limit)
        self.return_test.settle(0, min(max(difference, -limit), limit))
        self.returns.append(ComparedBar(record.time, difference, champion, challenger))

    def _lane(self, time: int) -> int:
        return (time // self._length) % self.start.horizon


def e_value(log: Any) -> float:
    """The e-value of a logarithm, at most 1e300."""
    return exp(min(float(log), _MOST_LOG))


# exp of it is about 1e300, which JSON can hold.
_MOST_LOG = 690.0

_WORDS = {"log_loss": "log-loss", "net_return": "net return"}


def _change(before: float, after: float) -> float:
    """Return of a bar; 0 for an account without equity."""
    return after / before - 1 if before > 0 else 0.0
