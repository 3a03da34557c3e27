"""`quorate evaluate`: how good a bundle is on bars it has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quorate.cli import options

if TYPE_CHECKING:
    from quorate.cli.output import Tell
    from quorate.core.settings import Settings
    from quorate.core.types import Candles, DecisionFrame, Funding
    from quorate.ensemble.predictor import Bundle
    from quorate.evaluation.scorecard import Scorecard
    from quorate.market.source import CandleSource
    from quorate.trading.result import BacktestResult


@dataclass(frozen=True, slots=True)
class Run:
    """A bundle's decisions and trades over a span, and the candles behind them."""

    frames: Mapping[str, DecisionFrame]
    candles: Mapping[str, Candles]
    funding: Mapping[str, Funding]
    result: BacktestResult


def evaluate(
    bundle: options.BundlePath,
    data: options.Data,
    start: options.Start = None,
    end: options.End = None,
    symbols: options.Symbols = None,
    allow_training_span: options.AllowTrainingSpan = False,
    report: options.Report = None,
    as_json: options.Json = False,
) -> None:
    """Score a frozen bundle on later candles, beside its baselines on the same rows.

    Without --symbols it is every market of the folder of the kind it was trained on, seen or unseen.
    """
    from quorate.cli import output
    from quorate.core.configuration import load_settings
    from quorate.ensemble.predictor import load_bundle
    from quorate.market import FreqtradeFolder

    settings = load_settings()
    loaded = load_bundle(bundle, settings.predict)
    with output.progress() as tell:
        ran = run(
            loaded, FreqtradeFolder(data), options.split_symbols(symbols), start, end, settings, tell, allow=allow_training_span
        )
        card, document = judge(loaded, ran, settings, tell, marked=allow_training_span)
    if report is not None:
        from quorate.evaluation.report import write_report

        write_report(report, card)
        output.note(f"report written to {report}")
    if as_json:
        output.print_json(document)
    else:
        from quorate.cli.scoreboard import show

        show(document)


def run(
    bundle: Bundle,
    source: CandleSource,
    symbols: Sequence[str],
    start: int | None,
    end: int | None,
    settings: Settings,
    tell: Tell,
    *,
    allow: bool,
) -> Run:
    """Predict and trade a span: what evaluate, backtest and the demo share.

    Raises:
        TrainingSpanError: the span meets the training span and that is not allowed.
    """
    from quorate.cli import panel as panels
    from quorate.trading.backtest import backtest

    panels.require_unseen(bundle, start, end, allow=allow)
    wanted = symbols or panels.same_kind(source, bundle)
    panel = panels.read_panel(source, bundle.manifest.timeframe, wanted, tell, start=start, end=end)
    funding = panels.read_funding(source, tuple(panel))
    frames = panels.predict_panel(bundle, panel, start, tell, allow=allow)
    result = backtest(
        frames,
        panel,
        funding,
        horizon=bundle.manifest.target.horizon,
        costs=settings.costs,
        account=settings.account,
        exits=settings.exits,
        start=start,
        end=end,
    )
    tell("trading", len(panel), len(panel))
    return Run(frames, panel, funding, result)


def judge(bundle: Bundle, ran: Run, settings: Settings, tell: Tell, *, marked: bool) -> tuple[Scorecard, dict[str, Any]]:
    """The scorecard of a run, and the document of `quorate evaluate --json`."""
    import numpy as np

    from quorate.evaluation.sample import Sample
    from quorate.evaluation.scorecard import scorecard
    from quorate.targets import ForwardClass

    target = bundle.manifest.target
    sample = Sample.of(ran.frames, ran.candles, ForwardClass(target.horizon, target.band))
    card = scorecard(
        sample, np.array(bundle.manifest.class_prior), ran.frames, ran.result, ran.candles, ran.funding, settings
    )
    tell("scoring", 1, 1)
    trained_on = set(bundle.manifest.symbols)
    unseen = [symbol for symbol in ran.frames if symbol not in trained_on]
    return card, {
        "bundle": bundle.manifest.id,
        "mode": bundle.mode,
        "in_training_span": marked and bool(any(bundle.in_training_span(candles).any() for candles in ran.candles.values())),
        "unseen_symbols": unseen,
        **card.figures,
    }
