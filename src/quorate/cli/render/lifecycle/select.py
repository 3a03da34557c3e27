"""Who votes in a bundle as a few lines for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorate.cli import output
from quorate.core.clock import format_ms

if TYPE_CHECKING:
    from quorate.lifecycle.selection import SelectedMember, SelectionCheck


def show(found: SelectionCheck) -> None:
    """Print who votes, each member's figures, and the changes.

    Args:
        found: the selection.
    """
    if found.synthetic:
        output.note("SYNTHETIC MARKET: all figures are from generated candles")
    output.print_line(found.headline)
    looked = "never checked" if found.checked_at is None else "no whole window yet"
    if found.looked_at is not None:
        looked = f"{found.window_days} days to {format_ms(found.looked_at)}"
    output.print_line(f"  bundle {found.bundle}; {looked}")
    width = max((len(member.model) for member in found.members), default=0)
    for member in found.members:
        output.print_line(f"  {member.model:<{width}}  {_figures(member)}")
    for term in found.terms:
        output.print_line(f"  from {format_ms(term.start)}: {', '.join(term.members)} ({term.reason})")


def _figures(member: SelectedMember) -> str:
    votes = "does not vote" if member.since is None else f"votes since {format_ms(member.since)}"
    skill = "unknown" if member.skill is None else f"{member.skill:+.2%}"
    adds = "unknown" if member.adds is None else f"{member.adds:+.3%}"
    return f"{votes:<28}  skill alone {skill:>7}  {'would add' if member.since is None else 'adds':>9} {adds:>8}"
