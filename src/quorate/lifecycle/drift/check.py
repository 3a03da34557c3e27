"""Check a bundle for drift on the bars that it was not fitted on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from quorate.core.arguments import path_of
from quorate.core.clock import DAY_MS, now_ms
from quorate.core.progress import Progress, silent
from quorate.evaluation.daily_sums import daily_counts, daily_outcomes
from quorate.evaluation.drift.drift_check import (
    DriftAlarm,
    DriftCheck,
    FeatureDrift,
    LogLossRise,
    ScoreDrift,
)
from quorate.evaluation.drift_reference import DriftReference
from quorate.evaluation.metrics.classification import prior_scores, row_log_loss, unforeseen, voted
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.lifecycle.drift.adwin import rises
from quorate.lifecycle.drift.looks import FeatureLooks, ScoreLooks, WatchedDays, run_start
from quorate.lifecycle.drift.unseen import Outcomes, UnseenRows, horizon_losses, read_unseen
from quorate.lifecycle.drift.watched import newest_close, open_bundle, read_reference, read_watched
from quorate.workflows.inputs.arguments import require_callback, settings_of

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.core.types import Candles, FloatArray
    from quorate.ensemble.inference import Bundle
    from quorate.workflows.inputs.market_data import Data
    from quorate.workflows.inputs.selection import Moment


def check_drift(
    bundle: str | Path,
    data: Data,
    *,
    symbols: Sequence[str] | str | None = None,
    until: Moment | None = None,
    settings: Settings | None = None,
    progress: Progress = silent,
    now: int | None = None,
) -> DriftCheck:
    """Compare the newest days of the markets with the training of a bundle.

    Watched are the bars after those that members and calibration were fitted on: the test part of the training and
    what came since. A label counts once its bars are there.

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
        BundleError: no bundle there, or one without a reference.
        DataError: candles that cannot be read, or none after the training part.
        MissingExtraError: river is not installed.
    """
    require_callback(progress=progress)
    settings = settings_of(settings)
    now = now_ms() if now is None else now
    folder, loaded = open_bundle(path_of("check for drift", "bundle", bundle), settings)
    reference = read_reference(folder, loaded, settings.drift.window_days)
    panel = read_watched(loaded, data, symbols, until, now, progress)
    rows = read_unseen(loaded, panel, loaded.manifest.used_until, progress, scored=reference.scores is not None)
    last = newest_close(panel)
    return judge(loaded, reference, panel, rows, last, settings, now)


def judge(
    bundle: Bundle,
    reference: DriftReference,
    panel: Mapping[str, Candles],
    rows: UnseenRows,
    end: int,
    settings: Settings,
    now: int,
) -> DriftCheck:
    """The check of rows that are known.

    Args:
        bundle: that decides.
        reference: of its training.
        panel: symbol -> candles.
        rows: of these markets, from the end of the rows that anything was fitted on.
        end: close of the newest bar, ms.
        settings: of ADWIN, the intervals and the action.
        now: time of the check, ms.
    """
    days = WatchedDays.between(bundle.manifest.used_until, end)
    window = reference.window_days
    enough = days.count >= window
    features: tuple[FeatureDrift, ...] = ()
    skill = calibration = rise = None
    alarms: list[DriftAlarm] = []
    alarm_days: dict[str, int] = {}
    if enough and reference.features:
        looks = _feature_looks(bundle, rows, reference, days)
        features, found = _feature_alarm(looks, days)
        alarms += found
        alarm_days["features"] = int(looks.alarms.any(axis=1).sum())
    if enough and reference.scores is not None and rows.outcomes is not None:
        outcomes, prior = rows.outcomes, np.array(bundle.manifest.class_prior)
        if voted(outcomes.probabilities).any() and not _foreign(outcomes, prior):
            number = days.number(outcomes.time)
            kept = number >= 0
            sums = daily_outcomes(outcomes.y[kept], outcomes.probabilities[kept], prior, number[kept], days.count)
            watched = ScoreLooks.of(sums, window, reference.scores)
            skill, calibration, found = _score_alarms(watched, outcomes, prior, days, window, settings)
            alarms += found
            alarm_days |= {
                "skill": int(watched.skill_alarms.sum()),
                "calibration": int(watched.error_alarms.sum()),
            }
            rise = newest_rise(outcomes, bundle.manifest.horizon, settings.drift.adwin_delta, end - window * DAY_MS)
            if rise is not None and rise.alarm:
                text = f"log-loss from {rise.before:.3f} to {rise.after:.3f}"
                alarms.append(DriftAlarm("log_loss", rise.since, text))
    return DriftCheck(
        bundle=bundle.id,
        timeframe=bundle.manifest.timeframe,
        symbols=tuple(panel),
        missing=tuple(symbol for symbol in bundle.manifest.symbols if symbol not in panel),
        synthetic=bundle.manifest.synthetic or any(candles.synthetic for candles in panel.values()),
        start=bundle.manifest.used_until,
        end=end,
        window_days=window,
        days=days.count,
        checked_at=now,
        verdict="too_early" if not enough else "drifting" if alarms else "quiet",
        alarms=tuple(sorted(alarms, key=lambda alarm: alarm.since)),
        alarm_days=alarm_days,
        features=features,
        skill=skill,
        calibration=calibration,
        rise=rise,
        chance=reference.chance,
        action=settings.drift.action,
        lacking=reference.lacking,
    )


def newest_rise(outcomes: Outcomes, horizon: int, delta: float, from_time: int) -> LogLossRise | None:
    """The newest rise of the ensemble's log-loss; None without one.

    Args:
        outcomes: in any order.
        horizon: bars that a label looks ahead.
        delta: of ADWIN.
        from_time: ms; a rise that was found from then on is an alarm.
    """
    time, losses = horizon_losses(outcomes, horizon)
    found = rises(losses, delta)
    if not found:
        return None
    newest = found[-1]
    at = int(time[newest.at])
    return LogLossRise(at, int(time[newest.since]), newest.before, newest.after, at >= from_time)


def _feature_looks(bundle: Bundle, rows: UnseenRows, reference: DriftReference, days: WatchedDays) -> FeatureLooks:
    number = days.number(rows.time)
    kept = number >= 0
    cells = [feature.cells for feature in reference.features]
    columns = [bundle.manifest.feature_names.index(feature.name) for feature in reference.features]
    return FeatureLooks.of(daily_counts(cells, rows.X[kept][:, columns], number[kept], days.count), reference)


def _feature_alarm(looks: FeatureLooks, days: WatchedDays) -> tuple[tuple[FeatureDrift, ...], list[DriftAlarm]]:
    """Every feature at the newest look, the worst first, and an alarm if any is beyond its limits."""
    reference = looks.reference
    features = [
        FeatureDrift(one.name, float(index), one.index_limit, float(gap), one.gap_limit)
        for one, index, gap in zip(reference.features, looks.index[-1], looks.gap[-1], strict=True)
    ]
    began = run_start(np.asarray(looks.alarms.any(axis=1)))
    alarms = []
    if began is not None:
        count = int(looks.alarms[-1].sum())
        text = f"{count} of {len(features)} features"
        alarms = [DriftAlarm("features", days.look_at(began, reference.window_days), text)]
    return tuple(sorted(features, key=lambda one: -one.share_of_limit)), alarms


def _score_alarms(
    looks: ScoreLooks,
    outcomes: Outcomes,
    prior: FloatArray,
    days: WatchedDays,
    window: int,
    settings: Settings,
) -> tuple[ScoreDrift | None, ScoreDrift | None, list[DriftAlarm]]:
    """Skill and calibration error at the newest look with their intervals, and their alarms."""
    if not np.isfinite(looks.skill[-1]):
        return None, None, []
    limits, skill, error = looks.limits, float(looks.skill[-1]), float(looks.error[-1])
    newest = (days.number(outcomes.time) >= days.count - window) & voted(outcomes.probabilities)
    y, probabilities = outcomes.y[newest], outcomes.probabilities[newest]
    blocks = TimeBlocks(outcomes.time[newest], settings.evaluation)
    losses = row_log_loss(y, probabilities), row_log_loss(y, prior_scores(prior, len(y)))
    interval = blocks.interval(1 - blocks.ratios(*losses))
    alarms = []
    began = run_start(looks.skill_alarms)
    if began is not None:
        alarms.append(DriftAlarm("skill", days.look_at(began, window), f"skill {skill:+.1%}"))
    below = ScoreDrift(skill, interval, limits.skill_limit, limits.skill, began is not None)
    began = run_start(looks.error_alarms)
    if began is not None:
        alarms.append(DriftAlarm("calibration", days.look_at(began, window), f"calibration error {error:.1%}"))
    above = ScoreDrift(error, None, limits.error_limit, limits.error, began is not None)
    return below, above, alarms


def _foreign(outcomes: Outcomes, prior: FloatArray) -> bool:
    """Whether a class came that the training rows do not have: no skill is counted then."""
    return bool(unforeseen(outcomes.y, prior_scores(prior, len(outcomes.y))))
