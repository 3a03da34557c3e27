"""Inputs of a scorecard, and the quantities that its sections share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from quorate.core.settings import Settings
from quorate.core.types import BoolArray, Candles, DecisionFrame, FloatArray, Funding
from quorate.evaluation.baselines.configurations import Configuration
from quorate.evaluation.baselines.naive import buy_and_hold
from quorate.evaluation.baselines.strategies import BaselineStrategy
from quorate.evaluation.labelled_predictions import LabelledPredictions
from quorate.evaluation.metrics import classification
from quorate.evaluation.metrics.classification_report import ScoreFigures
from quorate.evaluation.metrics.equity import EquityCurve
from quorate.evaluation.metrics.paired_difference import log_loss_difference
from quorate.evaluation.metrics.skill_split import LOG_HAR
from quorate.evaluation.metrics.trades import account_curve
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.trading.backtest.backtest_result import BacktestResult


@dataclass(frozen=True, eq=False)
class ScorecardInputs:
    """Scores, decisions and trades of one run, and the baselines they are compared with.

    Attributes:
        sample: labelled rows with the members' scores.
        prior: (3,) class shares of the training rows; (n, 3) if rows have different training rows.
        frames: symbol -> decisions on every bar of the run.
        result: backtest of these decisions; None without one.
        candles: symbol -> candles of the run, for buy and hold and the signals; None without them.
        funding: symbol -> settlements, for buy and hold.
        settings: intervals, criteria, costs, target and vote.
        baselines: name -> strategy on the same bars.
        configurations: backtested on the same bars, the evaluated one first.
        random_accounts: backtests of random entries; None to leave them out.
        member_count: members of the ensemble, loaded or not; None for those of the sample.
    """

    sample: LabelledPredictions
    prior: FloatArray
    frames: Mapping[str, DecisionFrame]
    result: BacktestResult | None = None
    candles: Mapping[str, Candles] | None = None
    funding: Mapping[str, Funding | None] | None = None
    settings: Settings = field(default_factory=Settings)
    baselines: Mapping[str, BaselineStrategy] = field(default_factory=dict)
    configurations: Sequence[Configuration] = ()
    random_accounts: Sequence[BacktestResult] | None = None
    member_count: int | None = None

    @cached_property
    def blocks(self) -> TimeBlocks:
        """Blocks of time of the sample, for the intervals."""
        return TimeBlocks(self.sample.time, self.settings.evaluation)

    @cached_property
    def ensemble(self) -> FloatArray:
        """(n, 3) mean scores of the members."""
        return self.sample.ensemble(self.settings.vote)

    @cached_property
    def voted(self) -> BoolArray:
        """(n,) rows on which at least one member voted."""
        return classification.voted(self.ensemble)

    @cached_property
    def account(self) -> EquityCurve | None:
        """Equity of the backtest; None without one."""
        return None if self.result is None else account_curve(self.result)

    @cached_property
    def hold(self) -> EquityCurve | None:
        """Equity of buy and hold over exactly the bars of the frames; None without candles."""
        spans = {
            symbol: self.candles[symbol].between(int(frame.time[0]), int(frame.time[-1]) + 1)
            for symbol, frame in self.frames.items()
            if self.candles is not None and symbol in self.candles and len(frame)
        }
        if not spans:
            return None
        start = self.settings.account.equity_usd if self.result is None else self.result.start_equity_usd
        return buy_and_hold(spans, start, self.settings.costs, self.funding)

    @property
    def members(self) -> int:
        """Number of members of the ensemble."""
        return len(self.sample.members) if self.member_count is None else self.member_count

    @cached_property
    def log_har(self) -> FloatArray | None:
        """(n, 3) scores of log-HAR, as a member or a baseline; None where it was not evaluated."""
        baseline = self.baselines.get(LOG_HAR)
        return self.sample.members.get(LOG_HAR) if baseline is None else baseline.scores

    @cached_property
    def figures(self) -> ScoreFigures:
        """Metrics of scores on the sample's rows."""
        return ScoreFigures(self.sample, self.prior, self.blocks, self.settings.target.horizon)

    def score(self, scores: FloatArray) -> dict[str, Any]:
        """Metrics of (n, 3) scores on the sample's rows, with the difference to log-HAR, if it was evaluated."""
        horizon = self.settings.target.horizon
        found = self.figures.of(scores)
        if self.log_har is not None and scores is not self.log_har:
            found["skill"]["vs_log_har"] = log_loss_difference(self.sample, scores, self.log_har, self.blocks, horizon)
        return found

    def prior_scores(self) -> FloatArray:
        """(n, 3) class prior of each row on which the ensemble voted, else NaN, so that both have the same rows."""
        return np.where(self.voted[:, None], classification.prior_scores(self.prior, len(self.sample)), np.nan)
