"""Members refitted at the start of each month on all labels known by then, and their forecasts of the month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from quorate.book.panel.daily_panel import DailyPanel
from quorate.book.panel.outcomes import PositionOutcomes
from quorate.book.sleeves.learned import LearnedSleeve
from quorate.book.training.learning_rows import LearningRows
from quorate.core.clock import format_ms
from quorate.core.errors import BookError
from quorate.core.machine import LOCAL, free_workers, run_tasks
from quorate.core.machine.worker import Report
from quorate.core.progress import Progress, silent
from quorate.core.sections.engine import EngineSettings
from quorate.core.settings import ModelSettings
from quorate.core.types import FloatArray
from quorate.models import Model
from quorate.models.own_models import own_sources
from quorate.models.registry import build

# Rows on which a member may be fitted, at least.
FEWEST_ROWS = 1_000

# Memory of a process with the libraries of training.
_PROCESS_BYTES = 500_000_000


def fit_member(name: str, learning: LearningRows, day: int, columns: Sequence[str], settings: ModelSettings) -> Model:
    """A member fitted on the labels that were known when a day began.

    Args:
        name: registered.
        learning: rows and labels.
        day: row of the panel.
        columns: names of the columns.
        settings: of all models.

    Raises:
        BookError: too few rows.
        ModelError: it cannot be fitted.
    """
    X, y = learning.known_by(day)
    if len(y) < FEWEST_ROWS:
        raise BookError(
            f"fit {name} for a book",
            found=f"{len(y)} rows with a known label",
            expected=f"{FEWEST_ROWS:,} or more",
            remedy="Use more markets or an earlier start of the candles.",
        )
    # Every member is fitted in a process of its own: further threads would wait for each other.
    return build(name, "return", settings, seed=0, threads=1, features=columns).fit(X, y)


@dataclass(frozen=True, slots=True, eq=False)
class MonthlyForecasts:
    """Forecasts of the members of a learned sleeve, each month's by members that were fitted before it.

    Attributes:
        days: (R + 1,) first day of each month that was forecast, as rows of the panel, and the end of the last.
        forecasts: member -> (D, S), NaN before the first month and outside the universe.
    """

    days: tuple[int, ...]
    forecasts: Mapping[str, FloatArray]


def forecast_by_month(
    sleeve: LearnedSleeve,
    panel: DailyPanel,
    outcomes: PositionOutcomes,
    start: int,
    settings: ModelSettings,
    *,
    workers: int = 0,
    engine: EngineSettings = LOCAL,
    progress: Progress = silent,
) -> MonthlyForecasts:
    """Refit every member at `start` and at the start of each month after it, and forecast until the next.

    Args:
        sleeve: whose members.
        panel: of all markets, also of the days before `start`.
        outcomes: of the same panel.
        start: ms of the first forecast.
        settings: of all models.
        workers: processes; 0 for the free cores.
        engine: where the members are fitted.
        progress: called with the fits done and in all.

    Raises:
        BookError: no day from `start` on, or too few rows before it.
        ModelError: a member cannot be fitted.
    """
    learning = LearningRows.of(sleeve, panel, outcomes)
    days = _first_days(panel, start)
    keys = [(name, first, end) for first, end in pairwise(days) for name in sleeve.models]
    out = {name: np.full(len(learning.y), np.nan) for name in sleeve.models}
    work = _Work(learning, sleeve.columns, settings)
    processes = workers or free_workers(_PROCESS_BYTES + learning.rows.X.nbytes)
    about = own_sources(sleeve.models, settings)
    fitted = run_tasks(work, keys, processes, report=lambda *_: None, engine=engine, about=about)
    for done, ((name, first, end), values) in enumerate(fitted, 1):
        out[name][learning.between(first, end)] = values
        progress("fitting by month", done, len(keys))
    return MonthlyForecasts(days, {name: learning.rows.spread(values, panel) for name, values in out.items()})


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    """A fit and its forecasts, as a task for a process."""

    learning: LearningRows
    columns: tuple[str, ...]
    settings: ModelSettings

    def __call__(self, key: tuple[str, int, int], given: object, report: Report) -> FloatArray:  # noqa: ARG002
        name, first, end = key
        rows = self.learning.between(first, end)
        if not len(rows):
            return np.empty(0)
        model = fit_member(name, self.learning, first, self.columns, self.settings)
        return model.predict(np.ascontiguousarray(self.learning.rows.X[rows]))


def _first_days(panel: DailyPanel, start: int) -> tuple[int, ...]:
    """The first day at or after `start`, the first one of each later month, and the number of days."""
    first, end = panel.row(start), len(panel.time)
    if first == end:
        raise BookError(
            "forecast by month",
            found=f"candles that end at {format_ms(int(panel.time[-1]))}",
            expected=f"days from {format_ms(start)} on",
        )
    month = panel.time.astype("datetime64[ms]").astype("datetime64[M]")
    later = np.flatnonzero(month[1:] != month[:-1]) + 1
    return (first, *later[later > first].tolist(), end)
