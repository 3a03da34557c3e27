"""A walk-forward over a span of candles: read, trained along the way, traded, judged."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from quorate.cli import panel as panels
from quorate.cli.record import record
from quorate.cli.run import read_marks

if TYPE_CHECKING:
    from quorate.cli.output import Tell
    from quorate.core.settings import Settings
    from quorate.evaluation.scorecard import Scorecard
    from quorate.evaluation.statistics.trial_log import TrialLog
    from quorate.market.source import CandleSource
    from quorate.trading.account.contract import Contract

# Trained on the same rows as the members, to be compared with; it has no vote.
_BESIDE = ("logistic",)


def walk_forward(
    source: CandleSource,
    symbols: Sequence[str],
    timeframe: str,
    models: Sequence[str],
    start: int | None,
    end: int | None,
    settings: Settings,
    tell: Tell,
    *,
    folds: int | None = None,
    anchored: bool = True,
    ledger: TrialLog | None = None,
    data: str = "",
    contracts: Mapping[str, Contract] | None = None,
) -> tuple[Scorecard, dict[str, Any]]:
    """The scorecard of a walk, and the document of `quorate evaluate --json`; with a ledger, it is recorded.

    Raises:
        DataError: no symbol has a bar in the span.
        ModelError: an unknown member, or none that could be fitted.
        EvaluationError: too few bars for the folds.
    """
    from quorate.core.clock import iso_ms
    from quorate.evaluation.backtest_setup import BacktestSetup
    from quorate.evaluation.walk_forward.evaluate_walk import verdict
    from quorate.evaluation.walk_forward.labelled_bars import build_rows
    from quorate.evaluation.walk_forward.permutation_importance import Importance
    from quorate.evaluation.walk_forward.walk import require_members, walk
    from quorate.targets import ForwardClass

    require_members(models)
    clock = [time.perf_counter()]
    panel = panels.read_panel(source, timeframe, symbols, tell, start=start, end=end)
    funding = panels.read_funding(source, tuple(panel))
    marks = read_marks(source, tuple(panel), timeframe, start, end)
    clock.append(time.perf_counter())
    target = ForwardClass(settings.target.horizon, settings.target.band)
    rows = build_rows(panel, settings.train.features, target, start, end, funding)
    tell("features and labels", len(panel), len(panel))
    clock.append(time.perf_counter())
    shuffled = Importance(rows, models, settings.evaluation)
    walked = walk(rows, models, settings, folds=folds, anchored=anchored, beside=_BESIDE, tell=tell, watch=shuffled)
    clock.append(time.perf_counter())
    venue = BacktestSetup(panel, funding, settings, settings.target.horizon, walked.start, end, marks, contracts or {})
    card = verdict(walked, venue, settings, tell)
    card.figures["importance"] = shuffled.to_json()
    chosen = {
        "kind": "walk-forward",
        "timeframe": timeframe,
        "symbols": sorted(panel),
        "from": iso_ms(int(rows.time.min())),
        "to": iso_ms(int(rows.time.max()) + rows.bar_ms),
        "folds": len(walked.steps),
        "training": "anchored" if anchored else "rolling",
        "features": settings.train.features,
        "split": asdict(settings.split),
        "seed": settings.train.seed,
    }
    card.figures.update(record(card.candidates, venue, chosen, settings, ledger, verb="evaluate", data=data))
    clock.append(time.perf_counter())
    names = ("candles", "features and labels", "training and scoring", "trading and judging")
    header = {
        "models": list(models),
        "features": settings.train.features,
        "training": "anchored" if anchored else "rolling",
        "in_training_span": False,
        "unseen_symbols": [],
        "contracts_unknown": sorted(panel.keys() - venue.contracts.keys()),
        "bars": len(rows),
        "cost": {name: round(after - before, 3) for name, (before, after) in zip(names, pairwise(clock), strict=True)},
    }
    return card, {**header, **card.figures}
