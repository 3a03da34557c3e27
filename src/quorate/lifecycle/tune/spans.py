"""Spans of a study: test spans of the search, and the later bars that judge the winner once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from quorate.core.clock import DAY_MS, HOUR_MS, timeframe_ms
from quorate.core.errors import EvaluationError
from quorate.core.types import Candles
from quorate.evaluation.statistics.block_bootstrap import FEWEST_BLOCKS

if TYPE_CHECKING:
    from quorate.core.settings import Settings

#: First bar and end (excluded), in ms UTC.
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class StudySpans:
    """Spans of a study, the same for all its trials.

    Attributes:
        start: first bar that may have a row, ms.
        folds: test spans of the search, in order of time.
        judge: the later bars.
        embargo_ms: between the last label that anything is fitted on and a test span.
    """

    start: int
    folds: tuple[Span, ...]
    judge: Span
    embargo_ms: int

    @property
    def search_end(self) -> int:
        """End of the bars that trials may read, ms."""
        return self.judge[0]


def split_span(panel: Mapping[str, Candles], start: int | None, end: int | None, settings: Settings) -> StudySpans:
    """Cut a span: its last part judges, the rest is a first training span and test spans of equal length.

    The embargo is that of the split, at least the longest horizon that is searched, so that all trials may read the
    same bars.

    Args:
        panel: symbol -> candles, with those that warm the features up.
        start: first bar, ms; None for the first of the panel.
        end: ms, excluded; None for the end of the panel.
        settings: of the search, the split, the target and the evaluation.

    Raises:
        EvaluationError: too few bars.
    """
    tune, bar_ms = settings.tune, timeframe_ms(next(iter(panel.values())).timeframe)
    within = [candles.between(start, end) for candles in panel.values()]
    first = min(int(candles.time[0]) for candles in within if len(candles))
    last = max(int(candles.time[-1]) for candles in within if len(candles)) + bar_ms
    bars = (last - first) // bar_ms
    judged = int(tune.judge * bars)
    tested = (bars - judged) // (tune.folds + 1)
    searched = tune.horizons if "horizon" in tune.over else ()
    embargo = max(settings.split.embargo_bars, settings.target.horizon, *searched)
    least = max(tune.block_days * DAY_MS, 4 * embargo * bar_ms) // bar_ms
    least_judged = (FEWEST_BLOCKS * settings.evaluation.block_hours * HOUR_MS) // bar_ms + embargo
    if tested < least or judged < least_judged:
        raise EvaluationError(
            "search for settings",
            found=f"{bars} bars: {tested} for each of {tune.folds} test spans, {judged} to judge the winner",
            expected=f"at least {least} and {least_judged}",
            remedy="Choose a longer span, or fewer tune.folds.",
        )
    judge = last - judged * bar_ms
    begins = [judge - (tune.folds - number) * tested * bar_ms for number in range(tune.folds)]
    folds = tuple((begin, begin + tested * bar_ms) for begin in begins)
    return StudySpans(first, folds, (judge, last), embargo * bar_ms)
