"""A bundle over a span of candles: predicted, traded, judged. What evaluate, backtest and the demo share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from quorate.cli import panel as panels
from quorate.cli.record import record
from quorate.core.types import DecisionFrame

if TYPE_CHECKING:
    from quorate.cli.output import Tell
    from quorate.core.settings import Settings
    from quorate.core.types import Candles, FloatArray
    from quorate.ensemble.inference import Predictor
    from quorate.ensemble.inference.predictor import Bundle
    from quorate.evaluation.backtest_setup import BacktestSetup
    from quorate.evaluation.baselines.configurations import Configuration
    from quorate.evaluation.evaluate_decisions import SingleModel
    from quorate.evaluation.labelled_predictions import LabelledPredictions
    from quorate.evaluation.scorecard import Scorecard
    from quorate.evaluation.statistics.trial_log import TrialLog
    from quorate.market.source import CandleSource
    from quorate.trading.account.contract import Contract
    from quorate.trading.backtest.backtest_result import BacktestResult


@dataclass(frozen=True, slots=True)
class Run:
    """A bundle's decisions and trades over a span, and the candles behind them.

    `in_training_span` marks a run that was allowed to use bars the bundle was trained on.
    """

    bundle: Predictor
    frames: Mapping[str, DecisionFrame]
    venue: BacktestSetup
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
            "bundle": self.name,
            **({"bundles": self.spoke} if self.spoke else {}),
            "mode": self.bundle.mode,
            "in_training_span": self.in_training_span,
            "unseen_symbols": [symbol for symbol in self.frames if symbol not in trained_on],
            "contracts_unknown": [symbol for symbol in self.frames if symbol not in self.venue.contracts],
        }

    @property
    def name(self) -> str:
        """The id of the bundle, or of the series."""
        return self.bundle.id

    @property
    def spoke(self) -> list[str]:
        """Ids of the bundles of a series that decided some bar, oldest first; none of a single bundle."""
        if self.bundle.first_bar is None:
            return []
        decided = [bundle.manifest for frame in self.frames.values() for bundle, _ in self.bundle.parts(frame)]
        return list(dict.fromkeys(manifest.id for manifest in sorted(decided, key=lambda one: one.training_end)))

    def parts(self, frame: DecisionFrame) -> list[tuple[Bundle, DecisionFrame]]:
        """A frame's bars by the bundle that decided them, oldest first."""
        return self.bundle.parts(frame)

    @property
    def in_force(self) -> Settings:
        """The settings, with the bundle's own policy and target: it decides by them, whatever they say today."""
        manifest = self.bundle.manifest
        target = replace(manifest.target, horizon=manifest.horizon)
        return replace(self.settings, vote=manifest.policy, target=target)

    @property
    def candidate(self) -> Configuration:
        """The bundle as a configuration among others."""
        from quorate.evaluation.baselines.configurations import Configuration, in_force, policy_json

        policy = self.bundle.manifest.policy
        members = [member.model for member in self.bundle.manifest.members]
        if self.bundle.stack is not None:
            method = self.bundle.stack.method
            return Configuration(f"stack by {method}", {"members": members, "combine": method}, self.result)
        choice = {"members": members, "combine": "vote", "policy": policy_json(policy)}
        return Configuration(in_force(self.frames, policy), choice | {"decides": self.bundle.decides}, self.result)

    @property
    def chosen(self) -> dict[str, Any]:
        """What the ledger has to know of it besides the settings."""
        from quorate.core.clock import iso_ms

        frames = [frame for frame in self.frames.values() if len(frame)]
        return {
            "kind": "series" if self.spoke else "bundle",
            "bundle": self.name,
            "timeframe": self.bundle.manifest.timeframe,
            "symbols": sorted(self.frames),
            "from": iso_ms(min(int(frame.time[0]) for frame in frames)) if frames else None,
            "to": iso_ms(max(int(frame.time[-1]) for frame in frames)) if frames else None,
            "features": self.bundle.manifest.features,
        }


def run(
    bundle: Predictor,
    source: CandleSource,
    symbols: Sequence[str],
    start: int | None,
    end: int | None,
    settings: Settings,
    tell: Tell,
    *,
    allow_training_span: bool = False,
    sets: bool = False,
    guards: bool = False,
    contracts: Mapping[str, Contract] | None = None,
) -> Run:
    """Predict and trade a span; without symbols, every market of the kind the bundle was trained on.

    With `sets`, prediction sets come with the decisions even where these do not look at them; with `guards`, guards and
    ladder watch as in paper trading. Markets that are not in `contracts` have conservative tiers, any price and any
    quantity.

    Raises:
        TrainingSpanError: the span meets the training span and that is not allowed.
    """
    from quorate.evaluation.backtest_setup import BacktestSetup
    from quorate.trading.oversight import Oversight

    meets = panels.require_unseen(bundle, start, end, allow=allow_training_span)
    wanted = symbols or panels.same_kind(source, bundle)
    panel = panels.read_panel(source, bundle.manifest.timeframe, wanted, tell, start=start, end=end)
    funding = panels.read_funding(source, tuple(panel))
    frames = panels.predict_panel(bundle, panel, start, tell, allow=allow_training_span, sets=sets)
    marks = read_marks(source, tuple(panel), bundle.manifest.timeframe, start, end)
    watch = Oversight(settings.guards, settings.ladder, bundle.manifest.training_end) if guards else None
    known = {symbol: rules for symbol, rules in (contracts or {}).items() if symbol in panel}
    venue = BacktestSetup(panel, funding, settings, bundle.manifest.horizon, start, end, marks, known, watch)
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
    ran: Run, tell: Tell, *, data: str, ledger: TrialLog | None = None, verb: str = "evaluate"
) -> tuple[Scorecard, dict[str, Any]]:
    """The scorecard of a run, and the document of `quorate evaluate --json`; with a ledger, it is recorded.

    Args:
        ran: a bundle's decisions and trades.
        tell: progress.
        data: the folder that was read.
        ledger: to record it in.
        verb: of the command line.
    """
    from quorate.evaluation import evaluate_decisions

    manifest = ran.bundle.manifest
    own = ran.in_force
    members = [member.model for member in manifest.members]
    card = evaluate_decisions.judge(
        ran.frames,
        ran.result,
        ran.venue,
        partial(_prior, ran),
        own,
        members,
        _best_alone(ran),
        tell,
        calibrated=_calibrated(ran, len(members)),
        would_act_at=None if ran.spoke else manifest.metrics.get("probabilities", {}).get("would_act_at"),
    )
    tell("scoring", 1, 1)
    card.figures.update(record(card.candidates, ran.venue, ran.chosen, own, ledger, verb=verb, data=data))
    return card, {**ran.header, **card.figures}


def _prior(ran: Run, sample: LabelledPredictions) -> FloatArray:
    """Class shares of the rows that trained whoever decided: (3,), or for a series (n, 3) bar by bar."""
    return ran.bundle.prior_at(sample.time)


def _calibrated(ran: Run, members: int) -> dict[str, DecisionFrame] | None:
    """What the calibrated policies decide on the same bars; None where a bundle that decided some has none."""
    from quorate.evaluation.baselines.configurations import revoted

    made = {}
    for symbol, frame in ran.frames.items():
        again = []
        for bundle, part in ran.parts(frame):
            policy = bundle.calibration.policy
            if policy is None:
                return None
            again.append(revoted({symbol: part}, policy, members)[symbol])
        made[symbol] = DecisionFrame.concat(again) if again else frame
    return made


def _best_alone(ran: Run) -> dict[str, SingleModel]:
    """The member with the least log-loss on its own bundle's validation rows, on the bars of that bundle."""
    from quorate.evaluation.evaluate_decisions import SingleModel

    scores, names = {}, set()
    for symbol, frame in ran.frames.items():
        own = []
        for bundle, part in ran.parts(frame):
            best = _best_member(bundle)
            if best is None:
                return {}
            names.add(best)
            own.append(part.scores[best])
        scores[symbol] = np.concatenate(own) if own else np.empty((0, 3))
    named = " or ".join(sorted(names))
    about = f"{named}, the member with the least log-loss on the bundle's own validation rows"
    return {"best_member": SingleModel(scores, about)} if names else {}


def _best_member(bundle: Bundle) -> str | None:
    """The loaded member that was best on the validation rows of its training; None where that was not measured."""
    losses = {
        name: part["log_loss"]
        for name, parts in bundle.manifest.metrics.items()
        if bundle.status().get(name) and (part := parts.get("validation")) is not None and part["log_loss"] is not None
    }
    return min(losses, key=lambda name: losses[name], default=None)
