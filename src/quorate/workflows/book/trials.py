"""Books in the trial log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from quorate.core.clock import iso_ms, now_ms
from quorate.core.settings import BookSettings

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.core.types import FloatArray
    from quorate.workflows.book.markets import BookMarkets
    from quorate.workflows.runs.trials import TrialRecorder


def record_book(
    recorder: TrialRecorder,
    returns: FloatArray,
    book: BookSettings,
    settings: Settings,
    markets: BookMarkets,
    choices: Mapping[str, Any],
    headline: Mapping[str, Any],
) -> dict[str, Any]:
    """Write a configuration of a book to the log, deflate it by all that the log holds, and give the provenance.

    Args:
        recorder: of the run.
        returns: (days,) net daily returns.
        book: its settings.
        settings: in force: costs and account.
        markets: that were traded.
        choices: what is not in the settings, such as the span.
        headline: a few figures of the result.

    Returns:
        `provenance`, and with a log `deflation` over the whole of it, JSON-safe.
    """
    from quorate.evaluation.provenance import code_version, data_hash
    from quorate.evaluation.selection_bias import trial_log_figures
    from quorate.evaluation.statistics.deflated_sharpe import Moments
    from quorate.evaluation.statistics.trial_log import Trial

    funding = {symbol: each for symbol, each in markets.funding.items() if each is not None}
    found, code, now = data_hash(markets.candles, funding), code_version(), iso_ms(now_ms())
    provenance = {
        "command": recorder.command,
        "data": recorder.data,
        "data_hash": found,
        "code": code,
        "measured": now,
    }
    log = recorder.trial_log
    if log is None:
        return {"provenance": provenance}
    moments = Moments.of(returns)
    trial = Trial(
        time=now,
        code=code,
        verb=recorder.verb,
        name="book",
        configuration={
            "recipe": "book",
            "book": asdict(book),
            "costs": asdict(settings.costs),
            "account": asdict(settings.account),
            **choices,
        },
        data=found,
        synthetic=markets.synthetic,
        moments=moments,
        headline=dict(headline),
    )
    log.record([trial])
    return {
        "provenance": {**provenance, "ledger": str(log.path)},
        "deflation": trial_log_figures(moments, log.read(), str(log.path), synthetic=markets.synthetic),
    }
