"""Promotion of the winner of a challenge by a person."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from quorate.core.errors import ArgumentError
from quorate.lifecycle.online.state_file import ONLINE
from quorate.workflows.bundles import promote_bundle

if TYPE_CHECKING:
    from quorate.core.settings import BundleSettings
    from quorate.ensemble.bundle.bundle_store import BundleStore
    from quorate.lifecycle.challenge.state import ChallengeState
    from quorate.workflows.results.champion_change import ChampionChange

#: Asks a person; gets the sentence to confirm.
ConfirmPromotion = Callable[[str], bool]


def promote_winner(
    challenge: ChallengeState,
    store: BundleStore,
    *,
    why: str = "",
    by: str | None = None,
    force: bool = False,
    confirm: ConfirmPromotion | None = None,
    trust: BundleSettings | None = None,
) -> ChampionChange | None:
    """Make the challenger of an ended challenge the champion of the folder; the history names challenge and verdict.

    Args:
        challenge: as of its newest record.
        store: folder of both bundles.
        why: the reason, for the history.
        by: who decided; None for the user of this process.
        force: also without a verdict for the challenger, or where another bundle is champion now; needs `why`.
        confirm: called with what would change; where it returns False, nothing is promoted and None returned.
        trust: keys by one of which the bundle has to be signed.

    Raises:
        ArgumentError: no victory, another champion, a challenger that learns on, or `force` without a reason.
        BundleError: no such bundle in the folder, or one that fails the verification; the champion stays.
    """
    attempted = f"promote the challenger of '{challenge.name}'"
    start, end = challenge.start, challenge.judgement
    if start.challenger.endswith(ONLINE):
        raise ArgumentError(
            attempted,
            found="a challenger that learns on, which is no bundle yet",
            expected="a bundle",
            remedy="Publish it: quorate challenge publish. Then: quorate bundle promote ID.",
        )
    if force and not why.strip():
        raise ArgumentError(attempted, found="`force` without `why`", expected="a reason, for the history")
    verdict = "no verdict yet" if end is None else f"{end.verdict}, {end.reason}"
    if not force and (end is None or end.verdict != "challenger"):
        raise ArgumentError(
            attempted,
            found=verdict,
            expected="a verdict for the challenger",
            remedy="A person may promote it against the test: with `force` and a reason in `why`.",
        )
    champion = store.champion()
    if not force and champion != start.champion:
        raise ArgumentError(
            attempted,
            found=f"the champion {champion or 'none'}, which it was not tested against",
            expected=f"the champion of the challenge, {start.champion}",
            remedy="Start a challenge against the present one.",
        )
    question = f"Make {start.challenger} the champion in place of {champion or 'none'}? Challenge: {verdict}."
    if confirm is not None and not confirm(question):
        return None
    reason = f"challenge {challenge.name}: {verdict}" + (f"; {why.strip()}" if why.strip() else "")
    return promote_bundle(store, start.challenger, why=reason, by=by, trust=trust)
