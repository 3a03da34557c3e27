"""A bundle over a span of candles: predicted, traded, judged. What evaluate, backtest and the demo share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from quorate.cli import panel as panels

if TYPE_CHECKING:
    from quorate.cli.output import Tell
    from quorate.core.settings import Settings
    from quorate.core.types import Candles, DecisionFrame
    from quorate.ensemble.predictor import Bundle
    from quorate.evaluation.scorecard import Scorecard
    from quorate.evaluation.venue import Venue
    from quorate.market.source import CandleSource
    from quorate.trading.result import BacktestResult


@dataclass(frozen=True, slots=True)
class Run:
    """A bundle's decisions and trades over a span, and the candles behind them.

    `in_training_span` marks a run that was allowed to use bars the bundle was trained on.
    """

    bundle: Bundle
    frames: Mapping[str, DecisionFrame]
    venue: Venue
    result: BacktestResult
    in_training_span: bool

    @property
    def candles(self) -> Mapping[str, Candles]:
        """Symbol -> candles, with those that warm the features up."""
        return self.venue.candles

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
    from quorate.evaluation.venue import Venue

    meets = panels.require_unseen(bundle, start, end, allow=allow_training_span)
    wanted = symbols or panels.same_kind(source, bundle)
    panel = panels.read_panel(source, bundle.manifest.timeframe, wanted, tell, start=start, end=end)
    funding = panels.read_funding(source, tuple(panel))
    frames = panels.predict_panel(bundle, panel, start, tell, allow=allow_training_span)
    marks = read_marks(source, tuple(panel), bundle.manifest.timeframe, start, end)
    venue = Venue(panel, funding, settings, bundle.manifest.target.horizon, start, end, marks)
    result = venue.trade(frames)
    tell("trading", len(panel), len(panel))
    return Run(bundle, frames, venue, result, meets)


def read_marks(
    source: CandleSource, symbols: Sequence[str], timeframe: str, start: int | None, end: int | None
) -> dict[str, Candles]:
    """The mark prices of those symbols for which there are any."""
    found = {symbol: source.mark(symbol, timeframe, start, end) for symbol in symbols}
    return {symbol: marks for symbol, marks in found.items() if marks is not None}


def judge(ran: Run, settings: Settings, tell: Tell) -> tuple[Scorecard, dict[str, Any]]:
    """The scorecard of a run, and the document of `quorate evaluate --json`."""
    import numpy as np

    from quorate.evaluation.chance import chance_figures
    from quorate.evaluation.rivals import model_rival, momentum_rival, rules_rival
    from quorate.evaluation.sample import Sample
    from quorate.evaluation.scorecard import scorecard
    from quorate.targets import ForwardClass

    manifest = ran.bundle.manifest
    target = ForwardClass(manifest.target.horizon, manifest.target.band)
    sample = Sample.of(ran.frames, ran.candles, target)
    # The ensemble's mean score uses the weights of the bundle that is judged, as its vote does.
    own = replace(settings, vote=manifest.policy)
    rivals = {
        "momentum": momentum_rival(ran.frames, ran.venue, manifest.target),
        "rules": rules_rival(ran.frames, ran.venue, manifest.target),
    }
    best = _best_member(ran.bundle)
    if best is not None:
        scores = {symbol: frame.scores[best] for symbol, frame in ran.frames.items()}
        about = f"{best}, the member with the least log-loss on the bundle's own validation rows"
        members = len(manifest.members)
        rivals["best_member"] = model_rival(
            "best_member", scores, ran.frames, ran.venue, manifest.target, members, manifest.policy, about
        )
    tell("trading the baselines", len(rivals), len(rivals))
    prior = np.array(manifest.class_prior)
    card = scorecard(sample, prior, ran.frames, ran.result, ran.candles, ran.venue.funding, own, rivals)
    card.figures["baselines"]["random"] = chance_figures(ran.result, ran.frames, ran.venue)
    tell("scoring", 1, 1)
    return card, {**ran.header, **card.figures}


def _best_member(bundle: Bundle) -> str | None:
    """The loaded member that was best on the validation rows of its training; None where that was not measured."""
    losses = {
        name: part["log_loss"]
        for name, parts in bundle.manifest.metrics.items()
        if bundle.status().get(name) and (part := parts.get("validation")) is not None and part["log_loss"] is not None
    }
    return min(losses, key=lambda name: losses[name], default=None)
