"""What a run leaves behind: its trials in the ledger, and on the page where every figure comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.evaluation.backtest_setup import BacktestSetup
    from quorate.evaluation.baselines.configurations import Configuration
    from quorate.evaluation.statistics.trial_log import TrialLog


def open_ledger(settings: Settings) -> TrialLog:
    """The ledger that the settings name, known to be writable before any work begins.

    Raises:
        EvaluationError: it cannot be written.
    """
    from quorate.evaluation.statistics.trial_log import TrialLog

    ledger = TrialLog(Path(settings.evaluation.ledger))
    ledger.require_writable()
    return ledger


def record(
    candidates: Sequence[Configuration],
    venue: BacktestSetup,
    chosen: Mapping[str, Any],
    settings: Settings,
    ledger: TrialLog | None,
    *,
    verb: str,
    data: str,
) -> dict[str, Any]:
    """Write every candidate to the ledger, deflate the first by all it holds, and say where the figures come from.

    Args:
        candidates: what was traded, the judged one first.
        venue: what was read and where it was traded.
        chosen: of the configuration, what is not in the settings: markets, span, folds, features.
        settings: in force.
        ledger: None where nothing is to be recorded, as in a benchmark.
        verb: of the command line.
        data: the folder that was read.

    Returns:
        `provenance`, and with a ledger `deflation` over the whole of it: figures to be shown.
    """
    from quorate.core.clock import iso_ms, now_ms
    from quorate.evaluation.provenance import code_version, command_line, data_hash
    from quorate.evaluation.selection_bias import ledger_figures, trials

    found, code, now = data_hash(venue.candles, venue.funding, venue.marks), code_version(), iso_ms(now_ms())
    provenance = {"command": command_line(), "data": data, "data_hash": found, "code": code, "measured": now}
    if ledger is None or not candidates:
        return {"provenance": provenance}
    shared = {**chosen, **{name: asdict(getattr(settings, name)) for name in ("target", "costs", "account", "exits")}}
    ledger.record(trials(candidates, shared, asdict(settings.models), time=now, code=code, verb=verb, data=found))
    judged = candidates[0]
    return {
        "provenance": {**provenance, "ledger": str(ledger.path)},
        "deflation": ledger_figures(judged.moments, ledger.read(), str(ledger.path), synthetic=judged.result.synthetic),
    }
