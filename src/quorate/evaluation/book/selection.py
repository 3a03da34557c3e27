"""What the search for a book cost in evidence: its Sharpe ratio deflated by all trials, and the years it needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from quorate.core.clock import YEAR_DAYS
from quorate.core.errors import EvaluationError
from quorate.core.types import FloatArray
from quorate.evaluation.book.resampled_days import sharpe_of
from quorate.evaluation.json_values import Figures
from quorate.evaluation.statistics.deflated_sharpe import Moments, expected_best_sharpe, probabilistic_sharpe

#: t statistic that counts as evidence.
_WANTED_T = 2.0


def deflation(net: FloatArray, trials: int, trial_sharpes: Sequence[float] = ()) -> dict[str, Any]:
    """The deflated Sharpe ratio, JSON-safe.

    Args:
        net: (days,) returns.
        trials: configurations that were tried, the judged one among them.
        trial_sharpes: their daily Sharpe ratios where known. Without two of them the spread over the trials is that of
            books without skill over as many days: 1 / days.

    Raises:
        EvaluationError: less than one trial, or fewer trials than Sharpe ratios.
    """
    known = [sharpe for sharpe in trial_sharpes if np.isfinite(sharpe)]
    if trials < max(1, len(known)):
        raise EvaluationError(
            "deflate the Sharpe ratio of a book",
            found=f"{trials} trials with {len(known)} Sharpe ratios",
            expected="all configurations that were tried, the judged one among them",
        )
    moments, figures = Moments.of(net), Figures()
    measured = len(known) > 1
    variance = float(np.var(known, ddof=1)) if measured else 1 / max(len(net), 1)
    reference = expected_best_sharpe(trials, variance)
    why = "fewer than two days, or no day differs"
    figures.add("trials", trials)
    figures.add("expected_best_sharpe", reference * YEAR_DAYS**0.5)
    figures.add("probability", probabilistic_sharpe(moments, reference), why)
    figures.add("undeflated_probability", probabilistic_sharpe(moments), why)
    spread = "measured over them" if measured else "assumed: that of books without skill"
    return {**figures.to_json(), "spread_of_trials": spread}


def power(net: FloatArray) -> dict[str, Any]:
    """Years that a Sharpe ratio needs to be told from 0, JSON-safe.

    The t statistic of a mean is the Sharpe ratio of a year times the root of the years: a Sharpe ratio of 1 needs four
    years for t = 2.

    >>> power(np.tile([0.012, -0.01], 365))["years_at_1"]
    4.0
    """
    sharpe = float(sharpe_of(net)) if len(net) else float("nan")
    figures, years = Figures(), len(net) / YEAR_DAYS
    figures.add("years", years)
    figures.add("t", sharpe * years**0.5, "no Sharpe ratio")
    figures.add("years_needed", (_WANTED_T / sharpe) ** 2 if sharpe > 0 else None, "the Sharpe ratio is not above 0")
    figures.add("years_at_1", _WANTED_T**2)
    return figures.to_json()
