"""Sizing overlays as lines for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quorate.cli import output


def show_gate(found: Mapping[str, Any]) -> None:
    """Whether a learner passed, and the figures of each case."""
    output.note("SYNTHETIC MARKET: all figures are from generated candles")
    verdict = "passed" if found["passed"] else f"FAILED: {'; '.join(found['failures'])}"
    output.print_line(f"The gate for {found['learner']}: {verdict}")
    for case, figures in found["cases"].items():
        output.print_line(f"  {case}")
        _show_figures(figures)


def show_fit(found: Mapping[str, Any], *, applied: bool) -> None:
    """The verdict on an overlay, and the figures behind it.

    Args:
        found: the document of a fit.
        applied: whether `sizing.apply` is set.
    """
    if found["synthetic"]:
        output.note("SYNTHETIC MARKET: all figures are from generated candles")
    output.print_line(found["verdict"])
    if found["kept"] and not applied:
        output.print_line("  it is not applied: `sizing.apply` is not set")
    span = found["span"]
    output.print_line(f"  bundle {found['bundle']}, {found['learner']}, {span['from'][:10]} to {span['to'][:10]}")
    _show_figures(found)


def show_status(found: Mapping[str, Any]) -> None:
    """The overlay of a bundle, and the gate's results."""
    if found["overlay"] is None:
        output.print_line(f"No overlay was fitted for bundle {found['bundle']}.")
    else:
        show_fit(found["overlay"], applied=found["applied"])
    for learner, result in found["gates"].items():
        text = "never judged"
        if result is not None:
            text = ("passed" if result["passed"] else "failed") + f" on {result['at']}"
            text += "" if result["current"] else ", with other code or settings"
        output.print_line(f"  gate, {learner}: {text}")


def _show_figures(found: Mapping[str, Any]) -> None:
    for name, account in found["accounts"].items():
        sharpe = "-" if account["sharpe"] is None else f"{account['sharpe']:.2f}"
        text = f"    {name:<9} {account['growth_bps']:+8.1f} bps a day, Sharpe {sharpe:>6}, {account['trades']} trades"
        rival = found["against"].get(name)
        if rival is not None:
            ends = rival["growth_bps_ci"]
            interval = "no interval" if ends is None else f"{ends[0]:+.1f} to {ends[1]:+.1f}"
            text += f"; the overlay {rival['growth_bps']:+.1f} ({interval})"
        output.print_line(text)
