"""Records of members that are benched, or chosen to vote, in the signals of a session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from quorate.core.types import BENCHED, Signal
from quorate.trading.journal import records


def bench_moves(signals: Sequence[Signal], time: int, known: Mapping[str, str]) -> list[records.BenchMovedRecord]:
    """The members that were benched since the bar before, and those that vote again.

    Args:
        signals: on the bars at `time`, of all markets; without one, nothing is known of the bench.
        time: open time in ms.
        known: benched member -> reason, before.
    """
    if not signals:
        return []
    out = [abstention for signal in signals for abstention in signal.abstentions if abstention.benched]
    # A member that also fails in some market says so after the reason of its bench: the shortest one is that alone.
    reasons: dict[str, str] = {}
    for abstention in sorted(out, key=lambda each: len(each.reason)):
        reasons.setdefault(abstention.model, abstention.reason.removeprefix(BENCHED))
    moves = [records.BenchMovedRecord(time, model, True, why) for model, why in reasons.items() if model not in known]
    return moves + [records.BenchMovedRecord(time, model, False, "") for model in known if model not in reasons]


def selection_move(signals: Sequence[Signal], time: int, known: tuple[str, ...]) -> records.SelectedRecord | None:
    """A change of the members that are chosen to vote since the bar before; None without one.

    Args:
        signals: on the bars at `time`, of all markets, which have the same members; without one, nothing is known.
        time: open time in ms.
        known: names of those before, sorted; empty where all voted.
    """
    if not signals:
        return None
    first, chosen = signals[0], set[str]()
    if any(abstention.unselected for abstention in first.abstentions):
        chosen = {vote.model for vote in first.votes}
        chosen |= {abstention.model for abstention in first.abstentions if not abstention.unselected}
    after = tuple(sorted(chosen))
    return None if after == known else records.SelectedRecord(time, known, after)


def shadows(signals: Sequence[Signal], time: int) -> list[records.ShadowRecord]:
    """What benched members would have voted in each market; arguments as of `bench_moves`."""
    return [records.ShadowRecord(time, signal.symbol, signal.benched) for signal in signals if signal.benched]
