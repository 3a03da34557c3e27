"""What markets that ended could have cost: the candles at hand are mostly of markets that are still listed."""

from __future__ import annotations

from typing import Any

import numpy as np

from quorate.core.clock import YEAR_DAYS
from quorate.core.types import FloatArray
from quorate.evaluation.book.case import BookCase
from quorate.evaluation.book.performance import drawdown
from quorate.evaluation.book.resampled_days import TOO_FEW, DayResamples, sharpe_of, yearly
from quorate.evaluation.json_values import Figures


def survivorship(case: BookCase) -> dict[str, Any]:
    """Two bounds of the bias, JSON-safe.

    First: a stated share of the markets held long ends each year, and a stated part of the position is lost; shorts of
    such markets gain nothing. The loss is spread evenly over the days, in proportion to the weights held long.
    Second: only markets that were listed when the judgement began, which leaves out what was listed later because it
    did well; the other weights stay as they are, and the members of learned sleeves are not fitted anew.
    """
    options, panel = case.options, case.panel
    ended = ~np.isfinite(panel.close[-1]) & np.isfinite(panel.close).any(axis=0)
    figures = Figures()
    figures.add("markets", len(panel.symbols))
    figures.add("ended", int(ended.sum()))
    figures.add("lost_share", options.lost_share)
    figures.add("lost_part", options.lost_part)
    if not case.days.any():
        return figures.to_json()
    long = long_exposure(case)
    drag = long * options.lost_share * options.lost_part / YEAR_DAYS
    net = case.net - drag
    figures.add("long_exposure", float(long.mean()))
    figures.add("yearly_loss", float(drag.mean()) * YEAR_DAYS)
    figures.add("sharpe", float(sharpe_of(net)), "no day differs")
    figures.add_interval("sharpe_ci", DayResamples(len(net), options).sharpe(net), TOO_FEW)
    figures.add("yearly_return", float(yearly(net)))
    figures.add_interval("yearly_return_ci", DayResamples(len(net), options).yearly_return(net), TOO_FEW)
    figures.add("max_drawdown", drawdown(net))
    lost = float(long.mean()) * options.lost_part
    even = float(case.net.mean()) * YEAR_DAYS / lost if lost > 0 else None
    figures.add("share_that_takes_all", even if even is None or even > 0 else None, "no gain, or nothing held long")
    kept = case.listed_at_start()
    return {
        **figures.to_json(),
        "listed_at_start": {
            "markets": int(kept.sum()),
            **case.figures(case.returns(case.only_markets(kept))),
        },
    }


def long_exposure(case: BookCase) -> FloatArray:
    """(days,) sum of the weights held long."""
    return np.asarray(np.maximum(case.held[case.days], 0.0).sum(axis=1))
