"""Head of the report: what was run, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from quorate.core.clock import iso_ms, timeframe_ms
from quorate.evaluation.baselines.configurations import CONFIGURED
from quorate.evaluation.report.formatting import text_of
from quorate.evaluation.report.page.template import Html

if TYPE_CHECKING:
    from quorate.evaluation.report.reported_run import ReportedRun
    from quorate.evaluation.verdict import Verdict

_NAMED = 8  # markets in a sentence


def header(run: ReportedRun, title: str, verdict: Verdict) -> Html:
    """Title, facts of the run, and the verdict in sentences."""
    facts = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in _facts(run).items())
    lines = "".join(f"<p>{escape(line)}</p>" for line in (verdict.sentence, *verdict.details))
    return Html(
        f'<h1>{escape(title)}</h1><dl class="facts">{facts}</dl>'
        f'<div class="verdict {escape(verdict.outcome)}">{lines}</div>'
    )


def title_of(document: Mapping[str, Any]) -> str:
    """What was run, in a few words: the heading, and the title of the tab."""
    recipe = "stack" if "rmse" in document.get("ensemble", {}) else "ensemble"
    if "folds" in document:
        return f"Walk-forward of {', '.join(document['models'])}"
    if "bundles" in document:
        return f"Series {document['bundle']}"
    return f"{'Stack' if recipe == 'stack' else 'Bundle'} {document['bundle']}"


def _facts(run: ReportedRun) -> dict[str, str]:
    document, costs = run.figures, run.setup.settings.costs
    spread = f"fee {10_000 * costs.taker_fee:g} bps and slippage {10_000 * costs.slippage:g} bps a side"
    ledger = document.get("provenance", {}).get("measured", "")
    return {
        "Markets": f"{listed(list(run.frames))}, {run.result.timeframe}",
        "Span": _span(run),
        "Policy": _policy(document),
        "Account": f"{text_of(run.result.start_equity_usd, 'count')} {run.currency}, {spread}",
        **({"Folds": f"{len(document['folds'])}, tested one after the other"} if "folds" in document else {}),
        **({"Measured": str(ledger)[:10]} if ledger else {}),
    }


def _span(run: ReportedRun) -> str:
    time = run.result.time
    if not len(time):
        return "no bar"
    end = int(time[-1]) + timeframe_ms(run.result.timeframe)
    days = (end - int(time[0])) / 86_400_000
    begin, until = (iso_ms(at)[:16].replace("T", " ") for at in (int(time[0]), end))
    return f"{begin} to {until} UTC, {days:,.0f} days"


def _policy(document: Mapping[str, Any]) -> str:
    if "rmse" in document.get("ensemble", {}):
        return "stack: predicted returns"
    deciding = [row["policy"] for row in document.get("signals_by_policy", ()) if row["in_force"]]
    name = deciding[0] if deciding else "each fold's own"
    floors = document.get("floors")
    floor = f", floor {floors['floor']:g}" if floors and name in ("classic", "consensus", CONFIGURED) else ""
    return f"{'classic as configured' if name == CONFIGURED else name}{floor}"


def listed(symbols: Sequence[str]) -> str:
    """The first few names, and the number of others."""
    few = ", ".join(symbols[:_NAMED])
    return few if len(symbols) <= _NAMED else f"{few} and {len(symbols) - _NAMED} more"
