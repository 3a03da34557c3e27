"""Choose the members of a bundle that vote, by the bars that they were not fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from quorate.core.arguments import path_of
from quorate.core.clock import now_ms
from quorate.core.errors import ArgumentError
from quorate.core.progress import Progress, silent
from quorate.ensemble.inference.bench import EMPTY, Bench, BenchOf
from quorate.ensemble.selection import EVERYBODY, Membership, SetLosses, Term, choose_members
from quorate.lifecycle.bench.check import Watched, require_votes
from quorate.lifecycle.drift.unseen import Outcomes, read_unseen
from quorate.lifecycle.drift.watched import newest_close, open_bundle, read_watched
from quorate.lifecycle.selection.selection_check import SelectedMember, SelectionCheck
from quorate.targets.matured_days import MaturedDays
from quorate.workflows.inputs.arguments import require_callback, settings_of

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.ensemble.inference import Bundle
    from quorate.workflows.inputs.market_data import Data
    from quorate.workflows.inputs.selection import Moment


def check_selection(
    bundle: str | Path,
    data: Data,
    *,
    symbols: Sequence[str] | str | None = None,
    until: Moment | None = None,
    settings: Settings | None = None,
    progress: Progress = silent,
    now: int | None = None,
) -> SelectionCheck:
    """Who votes, by the outcomes of the bars that no member was fitted on, and since when.

    The first members are those of the held-out rows of the training. From the first bar on that nothing was fitted or
    chosen on, the rule is applied day after day: what comes out does not depend on earlier checks, and at each midnight
    only labels count that were known by then.

    Args:
        bundle: folder of a bundle, of bundles (its champion) or of a series (its newest bundle).
        data: a Freqtrade data folder, or candles as `open_source` takes them.
        symbols: markets; None for those of the training that the data has.
        until: end of the newest bar, exclusive; None for the newest closed one.
        settings: `select` has the rule; None for those of quorate.toml and the environment.
        progress: of reading candles and predicting.
        now: time of the check in ms; None for the clock.

    Raises:
        ArgumentError: `select.size` is 0, no market, or a value of the wrong type.
        BundleError: no bundle there, or a stack.
        DataError: candles that cannot be read, or none after the training part.
    """
    require_callback(progress=progress)
    settings = settings_of(settings)
    now = now_ms() if now is None else now
    if not settings.select.size:
        raise ArgumentError(
            "choose the members that vote",
            found="the setting select.size = 0, by which all vote",
            expected="a number of members",
            remedy="Set it in quorate.toml, such as 4.",
        )
    _, loaded = open_bundle(path_of("choose the members that vote", "bundle", bundle), settings)
    require_votes(loaded, "choose members of")
    start = loaded.manifest.fitted_until
    panel = read_watched(loaded, data, symbols, until, now, progress, start=start)
    rows = read_unseen(loaded, panel, start, progress, scored=True)
    assert rows.outcomes is not None  # noqa: S101 - for the type checker; they are scored
    synthetic = loaded.manifest.synthetic or any(candles.synthetic for candles in panel.values())
    return choose(loaded, rows.outcomes, Watched(start, newest_close(panel), now, synthetic), settings)


def choose(bundle: Bundle, outcomes: Outcomes, watched: Watched, settings: Settings) -> SelectionCheck:
    """The check of outcomes that are known.

    Args:
        bundle: whose members are chosen.
        outcomes: of its members, on bars that they were not fitted on.
        watched: which, and when.
        settings: of the rule.
    """
    order, rule = bundle.members.order, settings.select
    days = MaturedDays.between(watched.start, watched.end)
    scores = {model: outcomes.scores[model] for model in order}
    prior = np.array(bundle.manifest.class_prior)
    losses = SetLosses(scores, outcomes.y.astype(np.int8), prior, outcomes.known_at, days, bundle.manifest.policy)
    membership = choose_members(losses, bundle.manifest.used_until, rule)
    if not membership.applies(order):
        return SelectionCheck(bundle.id, EVERYBODY, synthetic=watched.synthetic, checked_at=watched.now)
    return SelectionCheck(
        bundle=bundle.id,
        membership=membership,
        members=_members(losses, membership, rule.days),
        synthetic=watched.synthetic,
        looked_at=days.look_at(days.count, 0) if days.count >= rule.days else None,
        checked_at=watched.now,
        window_days=rule.days,
    )


def selection_history(
    bundle: str | Path,
    data: Data,
    *,
    symbols: Sequence[str] | str | None = None,
    until: Moment | None = None,
    settings: Settings | None = None,
    progress: Progress = silent,
) -> BenchOf:
    """Who would have voted on past bars, as a predictor's `with_bench` takes it; arguments as of `check_selection`.

    Every term begins after the labels that caused it were known, so that a replay may use it.
    """
    found = check_selection(bundle, data, symbols=symbols, until=until, settings=settings, progress=progress)

    def bench_of(bundle_id: str) -> Bench:
        return Bench(membership=found.membership) if bundle_id == found.bundle else EMPTY

    return bench_of


def _members(losses: SetLosses, membership: Membership, window_days: int) -> tuple[SelectedMember, ...]:
    """Each member at the newest look."""
    terms, names = membership.terms, losses.names
    voting = [names.index(name) for name in terms[-1].members]
    window = slice(max(0, losses.days.count - window_days), losses.days.count)
    prior, present = losses.prior_over(window), losses.over(voting, window)
    found = []
    for place, model in enumerate(names):
        skill = adds = None
        if losses.votes[window, place].sum():
            skill = 1 - losses.over([place], window) / prior
            if place not in voting:
                changed = ([other for other in voting if other != leaves] + [place] for leaves in voting)
                adds = (present - min(losses.over(each, window) for each in changed)) / prior
            elif len(voting) > 1:
                adds = (losses.over([other for other in voting if other != place], window) - present) / prior
        since = _since(terms, model) if place in voting else None
        found.append(SelectedMember(model, since, skill, adds))
    return tuple(found)


def _since(terms: Sequence[Term], model: str) -> int:
    """When a member that votes now began to."""
    since = 0
    for term in reversed(terms):
        if model not in term.members:
            break
        since = term.start
    return since
