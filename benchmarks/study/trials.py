"""Trials of the study: each configuration is walked forward, evaluated, and recorded in the trial log."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from configuration import Configuration
from perpetuals import Perpetuals
from signal_metrics import (
    BLOCKS,
    Signal,
    money_figures,
    rank_figures,
    row_losses,
    score_figures,
    sided_figures,
    traded,
)

from quorate.core.types import BoolArray, FloatArray
from quorate.evaluation import LabelledBars, TimeBlocks, WalkResult
from quorate.evaluation.provenance import code_version, data_hash
from quorate.evaluation.statistics.deflated_sharpe import Moments
from quorate.evaluation.statistics.trial_log import Trial, TrialLog
from quorate.evaluation.walk_forward.walk import WalkOptions, walk
from quorate.features.catalogue import GROUPS


@dataclass
class Trials:
    """Trials in order; each is recorded in the trial log before the next one begins.

    Attributes:
        market: data of all trials.
        log: one line for every configuration and holding time.
        verb: of the trials in the log.
        first: start of the first test span, ms; None for equal parts.
        found: name -> figures.
        daily: (name, hold) -> (days,) net returns.
        losses: name -> (n,) log-loss of each sampled row; NaN where not evaluated.
    """

    market: Perpetuals
    log: TrialLog
    verb: str
    first: int | None = None
    found: dict[str, dict[str, Any]] = field(default_factory=dict)
    daily: dict[tuple[str, int], FloatArray] = field(default_factory=dict)
    losses: dict[str, FloatArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._data = data_hash(self.market.panel, self.market.funding)
        self._code = code_version()
        self._rows: tuple[tuple[Any, ...], LabelledBars] | None = None

    def learn(self, tried: Configuration) -> tuple[WalkResult, Signal]:
        """Walk a configuration forward and evaluate it."""
        began, rows = time.process_time(), self._rows_of(tried)
        options = WalkOptions(folds=tried.folds, anchored=tried.anchored, first=self.first, workers=1)
        walked = walk(rows, [tried.model], tried.all_settings(), options)
        signal = Signal.of(self.market, walked, tried.model, tried.horizon)
        self.losses[tried.name] = row_losses(walked, tried.model)
        figures = score_figures(walked, tried.model)
        figures |= {"directional": sided_figures(self.market, walked, signal)}
        self._evaluate(tried.name, tried.to_json(), signal, tried.holds, figures)
        self.found[tried.name]["seconds"] = round(time.process_time() - began, 1)
        return walked, signal

    def paired(self, name: str, base: str) -> dict[str, Any]:
        """Relative reduction in log-loss against another configuration with the same labels, on the rows of both."""
        this, other = self.losses[name], self.losses[base]
        both = np.isfinite(this) & np.isfinite(other)
        blocks = TimeBlocks(self.market.base.time[self.market.sampled][both], BLOCKS)
        return {
            "what": name,
            "against": base,
            "rows": int(both.sum()),
            "gain": float(1 - this[both].mean() / other[both].mean()),
            "gain_ci": blocks.interval(1 - blocks.ratios(this[both], other[both])),
        }

    def compare(self, name: str, values: FloatArray, start: int, horizon: int, holds: tuple[int, ...]) -> Signal:
        """Evaluate a signal without a model on the same bars."""
        signal = Signal(np.where((self.market.time >= start)[:, None], values, np.nan), start, horizon)
        self._evaluate(name, {"signal": name, "horizon": horizon, "start": start}, signal, holds, {})
        return signal

    def _evaluate(
        self, name: str, configuration: dict[str, Any], signal: Signal, holds: tuple[int, ...], figures: dict[str, Any]
    ) -> None:
        ranked, held, trials = rank_figures(self.market, signal), {}, []
        for hold in holds:
            portfolio = traded(self.market, signal, hold)
            held[str(hold)] = money = money_figures(portfolio)
            self.daily[name, hold] = portfolio.daily()
            trials.append(
                Trial(
                    time=datetime.now(UTC).isoformat(timespec="seconds"),
                    code=self._code,
                    verb=self.verb,
                    name=f"{name}, held {hold} h",
                    configuration={**configuration, "hold": hold, "span": [self.market.start, self.market.end]},
                    data=self._data,
                    synthetic=False,
                    moments=Moments.of(portfolio.daily()),
                    headline={**ranked, "net_bp": money["net_bp"], "net_bp_ci": money["net_bp_ci"]},
                )
            )
        self.log.record(trials)
        self.found[name] = {**figures, **ranked, "start": signal.start, "held": held}
        best = max(held, key=lambda hold: held[hold]["net_bp"])
        print(
            f"{name}: skill {figures.get('skill', float('nan')):.4f}, IC {ranked['rank_ic']:.4f}, "
            f"net {held[best]['net_bp']:.1f} bp a day held {best} h",
            file=sys.stderr,
            flush=True,
        )

    def _rows_of(self, tried: Configuration) -> LabelledBars:
        """Rows of a trial; cached until target or columns change."""
        key = (tried.target, tried.horizon, tried.features, tried.shuffled, tried.funded)
        if self._rows is None or self._rows[0] != key:
            rows = self.market.rows(tried.make_target(self.market), tried.columns(), tried.features)
            if tried.funded:
                X = np.where(self._funded()[:, None], rows.X, np.float32(np.nan))
                rows = replace(rows, X=X, usable=np.isfinite(X).all(axis=1))
            if tried.shuffled:
                y, known = rows.y.copy(), np.flatnonzero(rows.trainable)
                y[known] = np.random.default_rng(tried.shuffled).permutation(y[known])
                rows = replace(rows, y=y)
            self._rows = key, rows
        return self._rows[1]

    def _funded(self) -> BoolArray:
        base = self.market.base
        places = [base.columns.index(column.name) for column in GROUPS["funding"]]
        return np.isfinite(base.X[np.ix_(self.market.sampled, places)]).all(axis=1)
