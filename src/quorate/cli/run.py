"""A bundle over a span of candles: predicted, traded, judged. What evaluate, backtest and the demo share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from quorate.cli import panel as panels
from quorate.cli.record import record

if TYPE_CHECKING:
    from quorate.cli.output import Tell
    from quorate.core.settings import Settings
    from quorate.core.types import Candles, DecisionFrame
    from quorate.ensemble.predictor import Bundle
    from quorate.evaluation.candidates import Candidate
    from quorate.evaluation.ledger import Ledger
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
    settings: Settings

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

    @property
    def in_force(self) -> Settings:
        """The settings, with the bundle's own policy and target: it decides by them, whatever they say today."""
        manifest = self.bundle.manifest
        target = replace(manifest.target, horizon=manifest.horizon)
        return replace(self.settings, vote=manifest.policy, target=target)

    @property
    def candidate(self) -> Candidate:
        """The bundle as a configuration among others."""
        from quorate.evaluation.candidates import Candidate, in_force, policy_json

        policy = self.bundle.manifest.policy
        members = [member.model for member in self.bundle.manifest.members]
        if self.bundle.stack is not None:
            method = self.bundle.stack.method
            return Candidate(f"stack by {method}", {"members": members, "combine": method}, self.result)
        choice = {"members": members, "combine": "vote", "policy": policy_json(policy)}
        return Candidate(in_force(self.frames, policy), choice | {"decides": self.bundle.decides}, self.result)

    @property
    def chosen(self) -> dict[str, Any]:
        """What the ledger has to know of it besides the settings."""
        from quorate.core.clock import iso_ms

        frames = [frame for frame in self.frames.values() if len(frame)]
        return {
            "kind": "bundle",
            "bundle": self.bundle.manifest.id,
            "timeframe": self.bundle.manifest.timeframe,
            "symbols": sorted(self.frames),
            "from": iso_ms(min(int(frame.time[0]) for frame in frames)) if frames else None,
            "to": iso_ms(max(int(frame.time[-1]) for frame in frames)) if frames else None,
            "features": self.bundle.manifest.features,
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
    sets: bool = False,
) -> Run:
    """Predict and trade a span; without symbols, every market of the kind the bundle was trained on.

    With `sets`, prediction sets come with the decisions even where these do not look at them.

    Raises:
        TrainingSpanError: the span meets the training span and that is not allowed.
    """
    from quorate.evaluation.venue import Venue

    meets = panels.require_unseen(bundle, start, end, allow=allow_training_span)
    wanted = symbols or panels.same_kind(source, bundle)
    panel = panels.read_panel(source, bundle.manifest.timeframe, wanted, tell, start=start, end=end)
    funding = panels.read_funding(source, tuple(panel))
    frames = panels.predict_panel(bundle, panel, start, tell, allow=allow_training_span, sets=sets)
    marks = read_marks(source, tuple(panel), bundle.manifest.timeframe, start, end)
    venue = Venue(panel, funding, settings, bundle.manifest.horizon, start, end, marks)
    result = venue.trade(frames)
    tell("trading", len(panel), len(panel))
    return Run(bundle, frames, venue, result, meets, settings)


def read_marks(
    source: CandleSource, symbols: Sequence[str], timeframe: str, start: int | None, end: int | None
) -> dict[str, Candles]:
    """The mark prices of those symbols for which there are any."""
    found = {symbol: source.mark(symbol, timeframe, start, end) for symbol in symbols}
    return {symbol: marks for symbol, marks in found.items() if marks is not None}


def judge(
    ran: Run, tell: Tell, *, data: str, ledger: Ledger | None = None, verb: str = "evaluate"
) -> tuple[Scorecard, dict[str, Any]]:
    """The scorecard of a run, and the document of `quorate evaluate --json`; with a ledger, it is recorded.

    Args:
        ran: a bundle's decisions and trades.
        tell: progress.
        data: the folder that was read.
        ledger: to record it in.
        verb: of the command line.
    """
    import numpy as np

    from quorate.evaluation import judgement
    from quorate.evaluation.candidates import revoted

    manifest = ran.bundle.manifest
    own = ran.in_force
    beside = {}
    best = _best_member(ran.bundle)
    if best is not None:
        scores = {symbol: frame.scores[best] for symbol, frame in ran.frames.items()}
        about = f"{best}, the member with the least log-loss on the bundle's own validation rows"
        beside["best_member"] = judgement.Alone(scores, about)
    prior = np.array(manifest.class_prior)
    members = [member.model for member in manifest.members]
    policy = ran.bundle.calibration.policy
    card = judgement.judge(
        ran.frames,
        ran.result,
        ran.venue,
        lambda _: prior,
        own,
        members,
        beside,
        tell,
        calibrated=None if policy is None else revoted(ran.frames, policy, len(members)),
        would_act_at=manifest.metrics.get("probabilities", {}).get("would_act_at"),
    )
    tell("scoring", 1, 1)
    card.figures.update(record(card.candidates, ran.venue, ran.chosen, own, ledger, verb=verb, data=data))
    return card, {**ran.header, **card.figures}


def _best_member(bundle: Bundle) -> str | None:
    """The loaded member that was best on the validation rows of its training; None where that was not measured."""
    losses = {
        name: part["log_loss"]
        for name, parts in bundle.manifest.metrics.items()
        if bundle.status().get(name) and (part := parts.get("validation")) is not None and part["log_loss"] is not None
    }
    return min(losses, key=lambda name: losses[name], default=None)
