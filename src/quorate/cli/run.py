"""A bundle over a span of candles: predicted, traded, judged. What evaluate, backtest and the demo share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from quorate.cli import panel as panels

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
    """A bundle's decisions and trades over a span, and the candles behind them.

    `in_training_span` marks a run that was allowed to use bars the bundle was trained on.
    """

    bundle: Bundle
    frames: Mapping[str, DecisionFrame]
    candles: Mapping[str, Candles]
    funding: Mapping[str, Funding]
    result: BacktestResult
    in_training_span: bool

    @property
    def header(self) -> dict[str, Any]:
        """What every document of this run begins with."""
        trained_on = set(self.bundle.manifest.symbols)
        return {
            "bundle": self.bundle.manifest.id,
            "mode": self.bundle.mode,
            "in_training_span": self.in_training_span,
            "unseen_symbols": [symbol for symbol in self.frames if symbol not in trained_on],
        }


def run(
    bundle: Bundle,
    source: CandleSource,
    symbols: Sequence[str],
    start: int | None,
    end: int | None,
    settings: Settings,
    tell: Tell,
    *,
    allow_training_span: bool = False,
) -> Run:
    """Predict and trade a span; without symbols, every market of the kind the bundle was trained on.

    Raises:
        TrainingSpanError: the span meets the training span and that is not allowed.
    """
    from quorate.trading.backtest import backtest

    meets = panels.require_unseen(bundle, start, end, allow=allow_training_span)
    wanted = symbols or panels.same_kind(source, bundle)
    panel = panels.read_panel(source, bundle.manifest.timeframe, wanted, tell, start=start, end=end)
    funding = panels.read_funding(source, tuple(panel))
    frames = panels.predict_panel(bundle, panel, start, tell, allow=allow_training_span)
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
    return Run(bundle, frames, panel, funding, result, meets)


def judge(ran: Run, settings: Settings, tell: Tell) -> tuple[Scorecard, dict[str, Any]]:
    """The scorecard of a run, and the document of `quorate evaluate --json`."""
    import numpy as np

    from quorate.evaluation.sample import Sample
    from quorate.evaluation.scorecard import scorecard
    from quorate.targets import ForwardClass

    manifest = ran.bundle.manifest
    target = ForwardClass(manifest.target.horizon, manifest.target.band)
    sample = Sample.of(ran.frames, ran.candles, target)
    # The ensemble's mean score uses the weights of the bundle that is judged, as its vote does.
    own = replace(settings, vote=manifest.policy)
    card = scorecard(sample, np.array(manifest.class_prior), ran.frames, ran.result, ran.candles, ran.funding, own)
    tell("scoring", 1, 1)
    return card, {**ran.header, **card.figures}
