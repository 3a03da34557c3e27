"""Decisions of an account with the members' votes, by the bundle that made them."""

from __future__ import annotations

from typing import Literal

from quorate.core.types import DecidedBy, DecisionFrame
from quorate.trading.journal import DecidedRecord, Journal, Search, StartedRecord
from quorate.trading.paper.decided_bars import DecidedBars

# Rules that only one policy has; classic and consensus share theirs.
_POLICIES: dict[str, DecidedBy] = {
    "closed": "closed",
    **dict.fromkeys(("calibrated", "below_return", "below_probability", "ambiguous"), "calibrated"),
}
# Rules that every policy has.
_BY_NONE = {"no_votes", "fallback_rules"}


class DecidedVotes:
    """Decisions in a journal, which is read once; later calls of `refresh` read what is new.

    Attributes:
        bundle: id of the bundle of the newest session; empty before the first.
        timeframe: of the newest session.
        mode: of the newest session.
        synthetic: whether some session traded synthetic candles.
        oldest, newest: open times in ms of the first and the last bar with a decision; None before the first.
    """

    def __init__(self) -> None:
        self.bundle, self.timeframe, self.synthetic = "", "", False
        self.mode: Literal["live", "replay"] = "live"
        self.oldest: int | None = None
        self.newest: int | None = None
        self._seq = 0
        self._bars: dict[str, dict[str, DecidedBars]] = {}

    def refresh(self, journal: Journal) -> int:
        """Read the records since the last call; the number of decisions among them.

        Raises:
            JournalUnavailableError: the journal cannot be read now; the next call continues where this one ended.
            JournalError: a record that cannot be read.
        """
        added = 0
        for entry in journal.matching(Search([StartedRecord, DecidedRecord], after=self._seq)):
            match entry.record:
                case StartedRecord() as session:
                    self.bundle, self.timeframe, self.mode = session.bundle_id, session.timeframe, session.mode
                    self.synthetic |= session.synthetic
                case DecidedRecord() as decided:
                    bars = self._bars.setdefault(self.bundle, {})
                    if decided.symbol not in bars:
                        bars[decided.symbol] = DecidedBars(decided.symbol, votes=True)
                    bars[decided.symbol].add(decided)
                    self.oldest = decided.time if self.oldest is None else min(self.oldest, decided.time)
                    self.newest = max(self.newest or 0, decided.time)
                    added += 1
            self._seq = entry.seq
        return added

    def counts(self) -> dict[str, int]:
        """Id of a bundle -> number of its decisions."""
        return {bundle: sum(map(len, bars.values())) for bundle, bars in self._bars.items()}

    def frames(self, bundle: str, policy: DecidedBy = "classic") -> dict[str, DecisionFrame]:
        """Symbol -> the decisions of a bundle.

        Args:
            bundle: its id.
            policy: of bars whose rule does not tell it.
        """
        found = {}
        for symbol, bars in sorted(self._bars.get(bundle, {}).items()):
            told = {_POLICIES.get(rule, policy) for rule in bars.rules - _BY_NONE} or {policy}
            decided = told.pop() if len(told) == 1 else "mixed"
            found[symbol] = bars.frame(self.timeframe, synthetic=self.synthetic, policy=decided)
        return found
