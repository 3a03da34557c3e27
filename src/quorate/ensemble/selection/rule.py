"""Which members vote: chosen by what each set of them lost on labels that had matured, and kept for a while.

At every midnight UTC the members that vote are compared with each set in which another takes the place of one of them,
by the log-loss of the set's mean score over the labels of the newest days. It is what a member adds to the others that
counts: a twin of the best one adds nothing (R. Caruana and others, Ensemble selection from libraries of models, ICML
2004, choose by the score of the whole ensemble as well). A change has to save a margin, and who was chosen stays for a
minimum time, so that noise does not move members to and fro.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quorate.core.clock import DAY_MS
from quorate.core.sections.select import SelectSettings
from quorate.core.types import BoolArray
from quorate.ensemble.selection.membership import EVERYBODY, Membership, Term
from quorate.ensemble.selection.set_losses import SetLosses

# Share of the labels of a window on which a member has to vote to be chosen, and to stay.
_LEAST_VOTES = 0.5


def choose_members(losses: SetLosses, begin: int, settings: SelectSettings) -> Membership:
    """The members that vote from a moment on, as a watcher would have chosen them day after day.

    The first ones are added one by one, each time the one with which the set loses least on the labels known before
    that moment, however few days these are; without any, they are the first ones in order. Afterwards members change
    only on a whole window of known days. A member that abstains on more than half of a window's labels is replaced
    at once, whatever its tenure.

    A look reads no label that became known after it, and depends on no earlier check: the same labels give the same
    terms, however often they are computed.

    Args:
        losses: of the members on labelled rows that they were not fitted on.
        begin: ms; members are first chosen at the last midnight that is not after it.
        settings: size, window, margin and tenure.

    Returns:
        One term for each set of members; `EVERYBODY` where the settings or the number of members select nobody.
    """
    if not 0 < settings.size < len(losses.names):
        return EVERYBODY
    days = losses.days
    first = min(max(0, begin // DAY_MS - days.first), days.count)
    window = slice(max(0, first - settings.days), first)
    able = _able(losses, window)
    present = _first(losses, window, able, settings.size)
    since = dict.fromkeys(present, first)
    terms = [_term(losses, first, present, since, _about(losses, present, window))]
    for look in range(max(first + 1, settings.days), days.count + 1):
        window = slice(look - settings.days, look)
        if not losses.rows[window].sum():
            continue
        able = _able(losses, window)
        moves = []
        for _ in range(len(present)):
            move = _replaced(losses, window, present, able)
            if move is None:
                break
            present = _moved(present, move)
            moves.append(move)
        for _ in range(settings.swaps):
            movable = [place for place in present if look - since.get(place, look) >= settings.tenure_days]
            move = _better(losses, window, present, movable, able, settings.margin)
            if move is None:
                break
            present = _moved(present, move)
            moves.append(move)
        if moves:
            since = {place: since.get(place, look) for place in present}
            text = "; ".join(f"{losses.names[joins]} for {losses.names[leaves]}" for leaves, joins in moves)
            terms.append(_term(losses, look, present, since, f"{text}: {_about(losses, present, window)}"))
    return Membership(settings.size, tuple(terms))


def _able(losses: SetLosses, window: slice) -> BoolArray:
    """(m,) whether each member voted on enough labels of a window."""
    rows = losses.rows[window].sum()
    return np.asarray(losses.votes[window].sum(axis=0) >= max(1.0, _LEAST_VOTES * rows))


def _first(losses: SetLosses, window: slice, able: BoolArray, size: int) -> list[int]:
    """The first members: added one by one, those that are able before the others."""
    chosen: list[int] = []
    rest = np.flatnonzero(able).tolist()
    while rest and len(chosen) < size:
        best = min(rest, key=lambda place: losses.over([*chosen, place], window))
        chosen.append(best)
        rest.remove(best)
    others = [place for place in range(len(losses.names)) if place not in chosen]
    return [*chosen, *others[: size - len(chosen)]]


def _replaced(losses: SetLosses, window: slice, present: Sequence[int], able: BoolArray) -> tuple[int, int] | None:
    """A member that does not vote enough, and the one that takes its place; None without either."""
    gone = next((place for place in present if not able[place]), None)
    others = [place for place in np.flatnonzero(able).tolist() if place not in present]
    if gone is None or not others:
        return None
    left = [place for place in present if place != gone]
    return gone, min(others, key=lambda place: losses.over([*left, place], window))


def _better(
    losses: SetLosses,
    window: slice,
    present: Sequence[int],
    movable: Sequence[int],
    able: BoolArray,
    margin: float,
) -> tuple[int, int] | None:
    """The change of one member that saves most, if that is more than the margin."""
    others = [place for place in np.flatnonzero(able).tolist() if place not in present]
    changes = [(leaves, joins) for leaves in movable for joins in others]
    if not changes:
        return None
    after = [losses.over(_moved(present, change), window) for change in changes]
    best = int(np.argmin(after))
    saved = losses.over(present, window) - after[best]
    return changes[best] if saved > margin * losses.prior_over(window) else None


def _moved(present: Sequence[int], change: tuple[int, int]) -> list[int]:
    leaves, joins = change
    return [*(place for place in present if place != leaves), joins]


def _term(losses: SetLosses, look: int, present: Sequence[int], since: dict[int, int], reason: str) -> Term:
    """The members that vote from a look on, those of the longest standing first."""
    ordered = sorted(present, key=lambda place: (since[place], place))
    return Term(losses.days.look_at(look, 0), tuple(losses.names[place] for place in ordered), reason)


def _about(losses: SetLosses, present: Sequence[int], window: slice) -> str:
    """Skill of the members that vote over a window."""
    rows = int(losses.rows[window].sum())
    if not rows:
        return "the first in order, since nothing is known"
    skill = 1 - losses.over(present, window) / losses.prior_over(window)
    return f"skill {skill:+.2%} over {rows:,} labels"
