"""An overlay for a bundle: fitted on the trades of its decisions, and kept only where it wins out of fold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from quorate.core.arguments import path_of
from quorate.core.errors import EvaluationError
from quorate.core.files import write_text_atomic
from quorate.core.progress import Progress, silent
from quorate.core.text.plural import counted
from quorate.workflows.inputs.arguments import require_arguments, require_callback, settings_of
from quorate.workflows.inputs.selection import Selection

if TYPE_CHECKING:
    from quorate.core.sections.sizing import SizingSettings
    from quorate.core.settings import Settings
    from quorate.core.types import Policy
    from quorate.lifecycle.sizing.learners import Learner
    from quorate.lifecycle.sizing.sized_market import SizedMarket
    from quorate.trading.backtest.backtest_result import BacktestResult
    from quorate.trading.sizing import SizingPolicy
    from quorate.workflows.inputs.market_data import Data
    from quorate.workflows.runs.trials import RunRecord


@dataclass(frozen=True, slots=True, eq=False)
class JudgedSizes:
    """A learner's sizes out of fold.

    Attributes:
        figures: of the four accounts, as of `compare`.
        kept: whether the overlay grew by clearly more than the ordinary stake and than the best constant one.
        policy: fitted on everything; to be used after `until`.
        until: close in ms of the newest bar that it has read.
        sized: the run out of fold.
    """

    figures: Mapping[str, Any]
    kept: bool
    policy: SizingPolicy
    until: int
    sized: BacktestResult

    @property
    def verdict(self) -> str:
        """The result in one sentence."""
        if self.kept:
            return "Kept: the overlay grows by more than the ordinary stake and than the best constant one."
        reasons = []
        for name, rival in (("ordinary", "the ordinary stake"), ("constant", "the best constant one")):
            found = self.figures["against"][name]
            ends = found["growth_bps_ci"]
            interval = "no interval" if ends is None else f"{ends[0]:+.1f} to {ends[1]:+.1f}"
            reasons.append(f"{found['growth_bps']:+.1f} bps a day against {rival} ({interval})")
        return f"Not kept, entries have their ordinary stake: {', '.join(reasons)}."


def judge_sizes(learner: Learner, market: SizedMarket, settings: Settings, progress: Progress = silent) -> JudgedSizes:
    """Walk a learner along the trades of a market, and fit it on all of them.

    Args:
        learner: from `LEARNERS`.
        market: decisions by what was not trained on their bars.
        settings: of the learner, and of the intervals.
        progress: callback.

    Raises:
        EvaluationError: fewer closed trades than `sizing.fewest`, or a span too short for the stretches.
    """
    from quorate.lifecycle.sizing.comparison import above_zero, compare, walk_sizes
    from quorate.lifecycle.sizing.learners import learn

    own = settings.sizing
    if len(market.trades) < own.fewest:
        raise EvaluationError(
            "fit sizes",
            found=counted(len(market.trades), "closed trade"),
            expected=f"{own.fewest} or more (`sizing.fewest`)",
            remedy="Take more markets or a longer span, or a policy that decides more often.",
        )
    runs = walk_sizes(learner, market, own, progress)
    figures = compare([runs], settings.evaluation)
    kept = all(above_zero(figures["against"][rival]) for rival in ("ordinary", "constant"))
    until = market.span[1]
    return JudgedSizes(figures, kept, learn(learner, market, until, own), until, runs.results["overlay"])


def fit_overlay(
    bundle: str | Path,
    data: Data,
    *,
    policy: Policy | None = None,
    settings: Settings | None = None,
    record: RunRecord | None = None,
    progress: Progress = silent,
    **selection: Unpack[Selection],
) -> dict[str, Any]:
    """Fit and judge an overlay for a bundle, and write it beside the bundle with the verdict.

    Args:
        bundle: folder of a bundle, of bundles (its champion) or of a series.
        data: a Freqtrade data folder, or candles as `open_source` takes them.
        policy: decide by this policy instead of the bundle's own.
        settings: None for those of quorate.toml and the environment.
        record: where the trial is recorded; None for the trial log of the settings.
        progress: callback.
        **selection: `symbols`, `start`, `end`; the bars must be later than the bundle's training.

    Returns:
        The document of `quorate size fit --json`, as it is written.

    Raises:
        EvaluationError: a learner that has not passed the gate, a stack, or too few closed trades.
        BundleError, TrainingSpanError, DataError, ArgumentError: see `quorate.backtest`.
    """
    from quorate.core.clock import iso_ms
    from quorate.ensemble.series.sizing_file import sizing_path
    from quorate.evaluation.baselines.configurations import Configuration
    from quorate.lifecycle.sizing.gate import require_passed
    from quorate.lifecycle.sizing.learners import LEARNERS
    from quorate.lifecycle.sizing.sized_market import SizedMarket
    from quorate.workflows.inputs.market_data import data_name
    from quorate.workflows.inputs.predictors import load_predictor
    from quorate.workflows.runs.bundle_run import run_bundle
    from quorate.workflows.runs.trials import TrialRecorder

    require_arguments(fit_overlay, selection, Selection.__optional_keys__)
    require_callback(progress=progress)
    path, settings = path_of("fit sizes", "bundle", bundle), settings_of(settings)
    gate = require_passed(path, settings.sizing)
    recorder = TrialRecorder.open(record, settings, verb="size", data=data_name(data))
    predictor = load_predictor(path, settings, policy)
    if predictor.stack is not None:
        raise EvaluationError("fit sizes", found="a stack, which has no votes", expected="a bundle that votes")
    ordinary = replace(settings, sizing=replace(settings.sizing, apply=False))
    run = run_bundle(predictor, data, selection, ordinary, progress=progress)
    judged = judge_sizes(LEARNERS[settings.sizing.learner], SizedMarket(run.frames, run.setup), settings, progress)
    choice = {**run.configuration.choice, "sizing": _learner_settings(settings.sizing)}
    sized = Configuration(f"sized by {settings.sizing.learner}", choice, judged.sized)
    provenance = recorder.record([sized], run.setup, run.choices, run.decision_settings)
    document = {
        "bundle": predictor.newest.id,
        "kept": judged.kept,
        "verdict": judged.verdict,
        "learner": settings.sizing.learner,
        "gate": gate,
        "from": judged.until,
        "until": iso_ms(judged.until),
        "symbols": sorted(run.frames),
        "span": {name: run.choices[name] for name in ("from", "to")},
        "synthetic": run.result.synthetic,
        **judged.figures,
        "policy": judged.policy.to_json(),
        "digest": judged.policy.digest,
        "provenance": provenance["provenance"],
    }
    text = json.dumps(document, indent=1, allow_nan=False) + "\n"
    write_text_atomic(sizing_path(path, predictor.newest.id), text)
    return document


def _learner_settings(settings: SizingSettings) -> dict[str, Any]:
    from dataclasses import asdict

    return {name: value for name, value in asdict(settings).items() if not name.startswith(("apply", "gate"))}
