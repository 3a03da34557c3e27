"""The bench of a bundle as a few lines for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorate.cli import output
from quorate.core.clock import format_ms

if TYPE_CHECKING:
    from quorate.ensemble.inference.bench import BenchSpan
    from quorate.lifecycle.bench import BenchCheck, MemberCheck


def show(found: BenchCheck, *, applied: bool) -> None:
    """Print who is benched, each member's figures beside their limits, and earlier times on the bench.

    Args:
        found: the bench.
        applied: whether the setting `bench.apply` is set.
    """
    if found.synthetic:
        output.note("SYNTHETIC MARKET: all figures are from generated candles")
    output.print_line(found.headline)
    if found.benched and not applied:
        output.print_line("  they vote all the same: `bench.apply` is not set")
    looked = "never checked" if found.checked_at is None else "no whole window yet"
    if found.looked_at is not None:
        looked = f"{found.window_days} days to {format_ms(found.looked_at)}"
    output.print_line(f"  bundle {found.bundle}; {looked}")
    width = max((len(member.model) for member in found.members), default=0)
    for member in found.members:
        output.print_line(f"  {member.model:<{width}}  {_figures(member)}")
    for span in found.spans:
        if span.end is not None:
            times = f"{format_ms(span.start)} to {format_ms(span.end)}"
            output.print_line(f"  earlier: {span.model}, {times}, {_why(span)}")


def _figures(member: MemberCheck) -> str:
    skill, error, behind = member.skill, member.error, member.behind
    if skill is None or error is None or behind is None:
        return member.lacking
    return (
        f"skill {skill.value:+6.1%}  limit {skill.limit:+6.1%}  "
        f"calibration error {error.value:5.1%}  limit {error.limit:5.1%}  "
        f"behind the others {behind.value:+5.1%}  limit {behind.limit:+5.1%}"
    )


def _why(span: BenchSpan) -> str:
    return f"{span.reason} (by {span.by})" if span.by else span.reason
