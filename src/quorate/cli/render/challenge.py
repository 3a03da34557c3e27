"""The status of a challenge as text: the verdict first, about ten lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorate.cli import output

if TYPE_CHECKING:
    from quorate.lifecycle.challenge import ChallengeStatus
    from quorate.lifecycle.online.publish import PublishedLearner


def show(found: ChallengeStatus, *, as_json: bool) -> None:
    """Print a status."""
    if as_json:
        output.print_json(found.to_json())
    else:
        output.print_line(found.headline.text())


def show_published(found: PublishedLearner, *, as_json: bool) -> None:
    """Print a bundle of what was learnt, and how to promote it."""
    if as_json:
        output.print_json(found.to_json())
        return
    origin = found.origin
    output.print_line(
        f"published {found.manifest.id}: {', '.join(origin['members'])} of {origin['bundle']}, which learnt on to "
        f"{origin['bar'][:16]} in {origin['updates']:,} updates; verdict {origin['verdict']}"
    )
    output.note(f"promote it with quorate bundle promote {found.manifest.id} --bundles {found.path.parent}")
