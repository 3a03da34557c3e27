"""A check for drift as about ten lines for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorate.cli import output
from quorate.core.clock import format_ms

if TYPE_CHECKING:
    from quorate.evaluation.drift import DriftCheck, FeatureDrift

# Features that are listed, the worst.
_FEATURES = 4


def show(found: DriftCheck) -> None:
    """Print the verdict and what to do, the worst features, calibration, skill and log-loss, each with its limit."""
    if found.synthetic:
        output.note("SYNTHETIC MARKET: all figures are from generated candles")
    if found.missing:
        output.note(f"without candles, and left out: {', '.join(found.missing)}")
    output.print_line(found.headline)
    output.print_line(f"  do: {found.advice}")
    output.print_line(
        f"  bundle {found.bundle}, {len(found.symbols)} of {len(found.symbols) + len(found.missing)} markets, "
        f"{found.timeframe}; {found.window_days} days to {format_ms(found.end)}, of {found.days} days watched"
    )
    for one in found.features[:_FEATURES]:
        output.print_line(_feature(one))
    if found.calibration is not None:
        error = found.calibration
        output.print_line(
            f"  {'calibration error':<22} {error.value:7.1%}  limit {error.limit:7.1%}  "
            f"at training {error.at_training:.1%}" + _mark(error.alarm)
        )
    if found.skill is not None:
        skill = found.skill
        interval = "" if skill.interval is None else f" [{skill.interval[0]:+.1%}, {skill.interval[1]:+.1%}]"
        output.print_line(
            f"  {'skill over the prior':<22} {skill.value:+7.1%}{interval}  limit {skill.limit:+7.1%}  "
            f"at training {skill.at_training:+.1%}" + _mark(skill.alarm)
        )
        output.print_line(f"  {'log-loss (ADWIN)':<22} {_rise(found)}")
    for part, why in found.lacking.items():
        output.print_line(f"  {part} are not watched: {why}")


def _feature(one: FeatureDrift) -> str:
    return (
        f"  {one.name:<22} PSI {one.index:6.2f}  limit {one.index_limit:6.2f}  "
        f"KS {one.gap:5.2f}  limit {one.gap_limit:5.2f}" + _mark(one.alarm)
    )


def _rise(found: DriftCheck) -> str:
    rise = found.rise
    if rise is None:
        return "no rise"
    text = f"rose from {rise.before:.3f} to {rise.after:.3f} about {format_ms(rise.since)}"
    return text + (_mark(rise.alarm) or "  (before the newest window)")


def _mark(alarm: bool) -> str:
    return "  ALARM" if alarm else ""
