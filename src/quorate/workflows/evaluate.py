"""Evaluate a bundle or a series on candles later than those that trained it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from quorate.core.progress import Progress, silent
from quorate.workflows.inputs.arguments import (
    require_arguments,
    require_callback,
    require_flags,
    settings_of,
    with_policy,
)
from quorate.workflows.inputs.selection import Selection
from quorate.workflows.results import Evaluation

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.core.types import Policy
    from quorate.workflows.inputs.market_data import Data
    from quorate.workflows.inputs.predictors import BundleLike
    from quorate.workflows.runs.bundle_run import BundleRun
    from quorate.workflows.runs.trials import Recorded, RunRecord, TrialRecorder


def evaluate(
    bundle: BundleLike,
    data: Data,
    *,
    policy: Policy | None = None,
    allow_training_span: bool = False,
    settings: Settings | None = None,
    record: RunRecord | None = None,
    progress: Progress = silent,
    **selection: Unpack[Selection],
) -> Evaluation:
    """Score and trade a bundle on later candles, beside its baselines on the same bars.

    Args:
        bundle: folder of a bundle, of bundles (its champion) or of a series, or one that is loaded.
        data: a Freqtrade data folder, or candles as `open_source` takes them.
        policy: decide by this policy instead of the bundle's own.
        allow_training_span: also use bars that trained the bundle; the result is marked.
        settings: account, costs, intervals; None for those of quorate.toml and the environment.
        record: where the run is recorded; None for the trial log of the settings.
        progress: of reading, predicting, trading and scoring.
        **selection: `symbols` (default: every market of the data of the kind the bundle was trained on), `start`,
            `end`.

    Raises:
        ArgumentError: a selection that cannot be resolved.
        BundleError: the bundle is missing, altered, or lacks the policy.
        TrainingSpanError: the span overlaps the training span and that is not allowed.
        DataError: candles that cannot be read, or none in the span.
        EvaluationError: the trial log cannot be written.
    """
    from quorate.workflows.inputs.market_data import data_name
    from quorate.workflows.inputs.predictors import load_predictor
    from quorate.workflows.runs.bundle_run import run_bundle
    from quorate.workflows.runs.trials import TrialRecorder

    require_arguments(evaluate, selection, Selection.__optional_keys__)
    settings = with_policy(settings_of(settings), policy)
    require_flags(allow_training_span=allow_training_span)
    require_callback(progress=progress)
    recorder = TrialRecorder.open(record, settings, verb="evaluate", data=data_name(data))
    run = run_bundle(
        load_predictor(bundle, settings, policy),
        data,
        selection,
        settings,
        allow_training_span=allow_training_span,
        sets=True,
        progress=progress,
    )
    return evaluate_run(run, recorder, progress)


def evaluate_run(run: BundleRun, recorder: TrialRecorder | Recorded, progress: Progress = silent) -> Evaluation:
    """Evaluate a run and record it.

    Args:
        run: a bundle's decisions and trades.
        recorder: of the trial log and the provenance.
        progress: of scoring.
    """
    from quorate.evaluation.evaluate_decisions import BEST_MEMBER, TradedDecisions, evaluate_decisions
    from quorate.evaluation.metrics.policy_evidence import evidence_of
    from quorate.evaluation.verdict import with_verdict
    from quorate.workflows.runs.evaluate_stack import evaluate_stack

    if run.bundle.stack is not None:
        return evaluate_stack(run, recorder, progress)
    manifest, settings = run.bundle.manifest, run.decision_settings
    best, fitted = run.best_member(), manifest.metrics.get("probabilities", {})
    traded = TradedDecisions(
        frames=run.frames,
        result=run.ordinary,
        setup=run.setup,
        members=[member.model for member in manifest.members],
        prior=lambda sample: run.bundle.prior_at(sample.time),
        models={} if best is None else {BEST_MEMBER: best},
        calibrated=run.calibrated(),
        would_act_at=None if run.deciding else fitted.get("would_act_at"),
        evidence=None if run.deciding else evidence_of({"": fitted}),
    )
    card = evaluate_decisions(traded, settings, progress)
    card.figures["warnings"] += run.marks
    progress("scoring", 1, 1)
    judged = [] if run.judged is None else [run.configuration]
    card.figures.update(recorder.record([*card.configurations, *judged], run.setup, run.choices, settings))
    card.figures.update(run.panel_section())
    return Evaluation(with_verdict({**run.header, **card.figures}), run.frames, run.ordinary, run.setup, card)
