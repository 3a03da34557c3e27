"""Scorecard of one run: the document of `quorate evaluate --json`, and the curves of its plots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from quorate.core.types import FloatArray
from quorate.evaluation import scorecard_sections
from quorate.evaluation.baselines.configurations import Configuration
from quorate.evaluation.baselines.random_entries import EquityBand, equity_band
from quorate.evaluation.labelled_predictions import LabelledPredictions
from quorate.evaluation.metrics.equity import EquityCurve
from quorate.evaluation.metrics.trades import account_curve, net_returns
from quorate.evaluation.scorecard_inputs import ScorecardInputs


@dataclass(frozen=True, slots=True, eq=False)
class Scorecard:
    """Figures of one run, and the curves that the plots need.

    Attributes:
        figures: JSON-safe; the document of `quorate evaluate --json`.
        sample: labelled rows on which scores were evaluated.
        account: equity of the backtest; None without one.
        hold: equity of buy and hold on the same bars; None without candles.
        curves: baseline -> equity of its account on the same bars.
        random_band: equity of the accounts with random entries; None without them.
        trade_returns: (trades,) net result over position value, fraction.
        configurations: backtested on the same bars, the evaluated one first.
    """

    figures: dict[str, Any]
    sample: LabelledPredictions
    account: EquityCurve | None
    hold: EquityCurve | None
    curves: Mapping[str, EquityCurve]
    random_band: EquityBand | None
    trade_returns: FloatArray
    configurations: tuple[Configuration, ...] = ()

    @property
    def synthetic(self) -> bool:
        """Whether any figure is of the synthetic market."""
        return bool(self.figures["synthetic"])


def build_scorecard(inputs: ScorecardInputs) -> Scorecard:
    """Evaluate scores, decisions and trades of one run, compared with their baselines.

    Raises:
        EvaluationError: no member, or scores or a prior that are not class shares.
    """
    return Scorecard(
        figures=scorecard_sections.document(inputs),
        sample=inputs.sample,
        account=inputs.account,
        hold=inputs.hold,
        curves={name: account_curve(baseline.result) for name, baseline in inputs.baselines.items()},
        random_band=equity_band(inputs.random_accounts or (), inputs.settings.evaluation.confidence),
        trade_returns=np.empty(0) if inputs.result is None else net_returns(inputs.result),
        configurations=tuple(inputs.configurations),
    )
