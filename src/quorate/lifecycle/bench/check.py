"""Check the members of a bundle, one by one, on the bars that they were not fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from quorate.core.arguments import path_of
from quorate.core.clock import now_ms
from quorate.core.errors import BundleError
from quorate.core.progress import Progress, silent
from quorate.ensemble.inference.bench import EMPTY, Bench, BenchOf
from quorate.lifecycle.bench.looks import MemberLooks, daily_sums
from quorate.lifecycle.bench.member_check import BenchCheck, Figure, MemberCheck
from quorate.lifecycle.bench.rule import drifted_spans, expired_spans
from quorate.lifecycle.drift.unseen import Outcomes, read_unseen
from quorate.lifecycle.drift.watched import newest_close, open_bundle, read_reference, read_watched
from quorate.targets.matured_days import MaturedDays
from quorate.workflows.inputs.arguments import require_callback, settings_of

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.ensemble.inference import Bundle
    from quorate.evaluation.drift_reference import DriftReference
    from quorate.workflows.inputs.market_data import Data
    from quorate.workflows.inputs.selection import Moment


def check_bench(
    bundle: str | Path,
    data: Data,
    *,
    symbols: Sequence[str] | str | None = None,
    until: Moment | None = None,
    settings: Settings | None = None,
    progress: Progress = silent,
    now: int | None = None,
) -> BenchCheck:
    """Who is benched, by the outcomes of the bars that the bundle was not fitted on, and since when.

    Every member is scored on all of these bars, benched or not, and the rule is applied day after day from the first
    on: what comes out does not depend on earlier checks. At each day only labels count that were known by its end.

    Args:
        bundle: folder of a bundle, of bundles (its champion) or of a series (its newest bundle).
        data: a Freqtrade data folder, or candles as `open_source` takes them.
        symbols: markets; None for those of the training that the data has.
        until: end of the newest bar, exclusive; None for the newest closed one.
        settings: None for those of quorate.toml and the environment.
        progress: of reading candles and predicting.
        now: time of the check in ms; None for the clock.

    Raises:
        ArgumentError: no market, or a value of the wrong type.
        BundleError: no bundle there, one without a reference, or a stack.
        DataError: candles that cannot be read, or none after the training part.
    """
    require_callback(progress=progress)
    settings = settings_of(settings)
    now = now_ms() if now is None else now
    folder, loaded = open_bundle(path_of("check the members", "bundle", bundle), settings)
    require_votes(loaded, "check the members of")
    reference = read_reference(folder, loaded, settings.drift.window_days)
    start, panel = loaded.manifest.used_until, read_watched(loaded, data, symbols, until, now, progress)
    rows = read_unseen(loaded, panel, start, progress, scored=True)
    assert rows.outcomes is not None  # noqa: S101 - for the type checker; they are scored
    synthetic = loaded.manifest.synthetic or any(candles.synthetic for candles in panel.values())
    return judge(loaded, reference, rows.outcomes, Watched(start, newest_close(panel), now, synthetic), settings)


class Watched(NamedTuple):
    """What was watched, and when.

    Attributes:
        start, end: open time of the first bar, and close of the newest, ms.
        now: time of the check, ms.
        synthetic: candles, or those that trained the bundle, are synthetic.
    """

    start: int
    end: int
    now: int
    synthetic: bool


def judge(
    bundle: Bundle, reference: DriftReference, outcomes: Outcomes, watched: Watched, settings: Settings
) -> BenchCheck:
    """The check of outcomes that are known.

    Args:
        bundle: whose members are judged.
        reference: of its training.
        outcomes: of its members, on bars that it was not fitted on.
        watched: which, and when.
        settings: shelf lives.
    """
    order, window = bundle.members.order, reference.window_days
    days = MaturedDays.between(watched.start, watched.end)
    limits = {model: reference.members[model] for model in order if model in reference.members}
    looks = None
    if limits:
        prior = np.array(bundle.manifest.class_prior)
        members = {model: outcomes.members[model] for model in limits}
        looks = MemberLooks.of(daily_sums(outcomes.y, members, prior, outcomes.known_at, days), window, limits)
    spans = () if looks is None else drifted_spans(looks, days, window)
    expired = expired_spans(order, bundle.manifest.training_end, settings.bench.shelf_days, watched.end)
    return BenchCheck(
        bundle=bundle.id,
        members=tuple(_member(model, looks, window) for model in order),
        spans=tuple(sorted((*spans, *expired), key=lambda span: span.start)),
        synthetic=watched.synthetic,
        looked_at=days.look_at(days.count - window, window) if days.count >= window else None,
        window_days=window,
        chance=reference.chance,
        checked_at=watched.now,
    )


def bench_history(
    bundle: str | Path,
    data: Data,
    *,
    symbols: Sequence[str] | str | None = None,
    until: Moment | None = None,
    settings: Settings | None = None,
    progress: Progress = silent,
) -> BenchOf:
    """Who would have been benched on past bars, as a predictor's `with_bench` takes it; arguments as of `check_bench`.

    Every span begins after the labels that caused it were known, so that a replay may use it.
    """
    found = check_bench(bundle, data, symbols=symbols, until=until, settings=settings, progress=progress)

    def bench_of(bundle_id: str) -> Bench:
        return found.bench if bundle_id == found.bundle else EMPTY

    return bench_of


def require_votes(bundle: Bundle, attempted: str) -> None:
    """Refuse a stack, which was fitted with all of its members and has no probabilities of them.

    Raises:
        BundleError: a stack.
    """
    if bundle.stack is not None:
        raise BundleError(
            f"{attempted} the bundle {bundle.id}",
            found="a stack, which decides with all of its members or not at all",
            expected="a bundle whose members vote",
        )


def _member(model: str, looks: MemberLooks | None, window: int) -> MemberCheck:
    """A member at the newest look."""
    if looks is None or model not in looks.limits:
        return MemberCheck(model, lacking=f"fewer than two windows of {window} days of held-out rows in its training")
    if not len(looks.skill):
        return MemberCheck(model, lacking=f"fewer than {window} days of outcomes since its training")
    place, own = list(looks.limits).index(model), looks.limits[model]
    skill, error, behind = (float(figure[-1, place]) for figure in (looks.skill, looks.error, looks.behind))
    if not looks.judged[-1, place]:
        return MemberCheck(model, lacking="too few outcomes in the newest window")
    return MemberCheck(
        model,
        Figure(skill, own.skill_limit, own.skill),
        Figure(error, own.error_limit, own.error),
        Figure(behind, own.behind_limit, own.behind),
    )
