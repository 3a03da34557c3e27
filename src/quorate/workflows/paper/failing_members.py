"""Members that fail again and again in a paper session are benched until they answer on as many bars."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from quorate.core.types import Abstention, Signal, Vote
from quorate.ensemble.inference.bench import Bench, BenchOf, BenchSpan
from quorate.ensemble.inference.members import is_failure
from quorate.trading.journal.records import BenchMovedRecord, DecidedRecord, ShadowRecord

if TYPE_CHECKING:
    from quorate.core.sections.bench import BenchSettings
    from quorate.trading.journal import Journal

# How the reason of such a bench begins, by which a journal tells it from others.
_FAILING = "failing: "


class FailingMembers:
    """Failures of the members over the newest bars, and who is benched for them.

    A member failed on a bar if it gave no valid answer in time in some market, and a vote in none, benched or not. It
    is benched before the bar after `bench.failures` of the newest `bench.failure_bars`, and returns by the same test
    once as many bars have closed since: they alone decide it.

    Args:
        settings: of the rule.
        length_ms: length of a bar.
    """

    def __init__(self, settings: BenchSettings, length_ms: int) -> None:
        self._settings, self._length_ms = settings, length_ms
        self._bars: deque[frozenset[str]] = deque(maxlen=settings.failure_bars)
        self._since: dict[str, int] = {}  # benched member -> when, ms
        self._time: int | None = None
        self._failed: set[str] = set()
        self._answered: set[str] = set()

    def bench_with(self, others: BenchOf) -> BenchOf:
        """A bench of those who are benched by others, and of those who fail."""

        def bench_of(bundle_id: str) -> Bench:
            return others(bundle_id).with_spans(self.spans)

        return bench_of

    @property
    def spans(self) -> tuple[BenchSpan, ...]:
        """Those who are benched for failing."""
        least, bars = self._settings.failures, self._settings.failure_bars
        reason = f"{_FAILING}no valid answer in time on {least} of {bars} bars"
        return tuple(BenchSpan(model, since, None, reason) for model, since in self._since.items())

    def begin(self, time: int) -> None:
        """Begin the bar that opens at a time in ms: what failed on the bars before it counts from now on.

        A bar that is begun twice, as after an outage of the journal, is one bar.
        """
        if self._time is None or time > self._time:
            self._end()
            self._time = time

    def add(self, signals: Iterable[Signal]) -> None:
        """Add the decisions of some markets on the bar that was begun."""
        for signal in signals:
            self._add((*signal.votes, *signal.benched), signal.abstentions)

    def resume(self, journal: Journal, markets: int) -> None:
        """Continue with the failures and benches in a journal.

        Args:
            journal: of the account.
            markets: that are decided on a bar.

        Raises:
            JournalUnavailableError, JournalError: as `Journal.newest`.
        """
        for entry in journal.read(kinds=[BenchMovedRecord]):
            move = entry.record
            if isinstance(move, BenchMovedRecord) and move.reason.startswith(_FAILING):
                # On the bar of the move, by what failed before it.
                self._since[move.model] = move.time + 1
            elif isinstance(move, BenchMovedRecord) and not move.benched:
                self._since.pop(move.model, None)
        benched = dict(self._since)
        newest = 2 * (self._settings.failure_bars + 1) * markets
        for entry in journal.newest(newest, [DecidedRecord, ShadowRecord]):
            self.begin(entry.record.time)
            if isinstance(entry.record, DecidedRecord):
                self._add(entry.record.votes, entry.record.abstentions)
            elif isinstance(entry.record, ShadowRecord):
                self._add(entry.record.votes, ())
        self._since = benched  # the journal knows; what was read begins in the middle of it

    def _add(self, votes: Iterable[Vote], abstentions: Iterable[Abstention]) -> None:
        self._answered.update(vote.model for vote in votes)
        self._failed.update(out.model for out in abstentions if is_failure(out))

    def _end(self) -> None:
        """End the bar that was begun, and apply the rule."""
        if self._time is None or not (self._failed or self._answered):
            return
        self._bars.append(frozenset(self._failed - self._answered))
        self._failed.clear()
        self._answered.clear()
        close = self._time + self._length_ms
        least, bars = self._settings.failures, self._settings.failure_bars
        for model in set().union(*self._bars, self._since):
            failures = sum(model in failed for failed in self._bars)
            if failures >= least:
                # Not in force on the bar that has just closed.
                self._since.setdefault(model, close + 1)
            elif model in self._since and close - self._since[model] >= bars * self._length_ms - 1:
                del self._since[model]


def watch_failures(settings: BenchSettings, length_ms: int, journal: Journal, markets: Sequence[str]) -> FailingMembers:
    """The failures of the members of an account so far; arguments as of `FailingMembers` and `resume`."""
    found = FailingMembers(settings, length_ms)
    found.resume(journal, max(1, len(markets)))
    return found
