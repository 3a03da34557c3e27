"""The status of a challenge as text: the verdict first, about ten lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorate.cli import output

if TYPE_CHECKING:
    from quorate.lifecycle.challenge import ChallengeStatus


def show(found: ChallengeStatus, *, as_json: bool) -> None:
    """Print a status."""
    if as_json:
        output.print_json(found.to_json())
    else:
        output.print_line(found.headline.text())
