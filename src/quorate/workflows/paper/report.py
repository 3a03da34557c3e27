"""A paper account as an evaluation: its own trades and decisions, on the candles of a source."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from quorate.core.errors import EvaluationError
from quorate.core.progress import Progress, silent

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.ensemble.inference import Predictor
    from quorate.market.source import CandleSource
    from quorate.trading.paper import DecidedVotes
    from quorate.workflows.paper.baselines import DecidedAccount
    from quorate.workflows.results import Evaluation


def evaluation_of(
    name: str,
    account: DecidedAccount,
    votes: DecidedVotes,
    bundle: Predictor,
    source: CandleSource,
    settings: Settings,
    progress: Progress = silent,
) -> Evaluation:
    """Evaluate what an account has done so far; its trades are the journal's, and nothing is predicted again.

    Nothing is written to the trial log: an account is no attempt at a better configuration.

    Args:
        name: of the account.
        account: its rules, trades and equity.
        votes: its decisions.
        bundle: that decided.
        source: of the candles, the funding and the mark prices.
        settings: intervals and baselines.
        progress: of scoring.

    Raises:
        EvaluationError: no bar that this bundle decided and that has candles.
        DataError: candles that cannot be read.
    """
    from quorate.workflows.paper.baselines import compared_bars
    from quorate.workflows.runs.bundle_run import BundleRun
    from quorate.workflows.runs.trials import RunRecord, TrialRecorder

    decided = votes.frames(bundle.id, bundle.decides)
    compared = compared_bars(account, decided, source, settings)
    if compared is None:
        raise EvaluationError(
            f"report on the account '{name}'",
            found=f"no bar that {bundle.id} decided and that has candles",
            expected="candles of the account's markets and span",
            remedy="Name their folder with `data`, or `exchange`.",
        )
    setup, frames = compared
    result = replace(account.result, trades=tuple(trade for trade in account.result.trades if trade.symbol in frames))
    # A replay may have been allowed bars that trained the bundle.
    trained_on = any(bool(bundle.in_training_span(frame.time).any()) for frame in frames.values())
    run = BundleRun(bundle, frames, setup, result, in_training_span=trained_on, settings=setup.settings)
    recorder = TrialRecorder.open(RunRecord(log=False), settings, verb="paper report", data=name)
    from quorate.workflows.evaluate import evaluate_run

    return evaluate_run(run, recorder, progress)
