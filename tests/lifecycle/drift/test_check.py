"""A bundle is checked on quiet and on broken candles."""

import json
from dataclasses import replace

import numpy as np
import pytest

from quorate.core.clock import DAY_MS
from quorate.core.errors import ArgumentError, BundleError, DataError
from quorate.core.progress import silent
from quorate.core.settings import DriftSettings
from quorate.ensemble.bundle import bundle_files
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.ensemble.inference.loading import load_bundle
from quorate.evaluation.drift_reference import FILE_NAME, DriftReference
from quorate.lifecycle.drift import check_drift
from quorate.lifecycle.drift.check import judge
from quorate.lifecycle.drift.unseen import read_unseen
from quorate.workflows.train import train
from stubs.watched import SETTINGS


@pytest.fixture(scope="module")
def quiet(watched):
    return check(watched)


def check(watched, panel=None, **options):
    options.setdefault("now", watched.end)
    options.setdefault("settings", SETTINGS)
    return check_drift(watched.path, panel or watched.panel, **options)


def broken(watched, change, days=10):
    """The candles, with those of the newest days changed."""
    found = {}
    for symbol, candles in watched.panel.items():
        rows = candles.time >= watched.end - days * DAY_MS
        found[symbol] = replace(candles, **change(candles, rows))
    return found


def test_training_writes_the_reference(watched):
    manifest, files = bundle_files.read(watched.path)
    reference = DriftReference.parse(files[FILE_NAME], "read it")
    assert [feature.name for feature in reference.features] == list(manifest.feature_names)
    assert reference.scores is not None
    assert reference.lacking == {}
    assert reference.window_days == 7


def test_a_quiet_market_is_quiet(watched, quiet):
    assert (quiet.verdict, quiet.alarms, quiet.advice) == ("quiet", (), "nothing")
    assert quiet.bundle == watched.id
    assert quiet.start == BundleStore(watched.folder).manifest(watched.id).used_until
    assert quiet.end == watched.end
    assert quiet.days == (watched.end - quiet.start) // DAY_MS
    assert len(quiet.features) == 14
    shares = [feature.share_of_limit for feature in quiet.features]
    assert shares == sorted(shares, reverse=True)
    assert quiet.skill.value > quiet.skill.limit
    low, high = quiet.skill.interval
    assert low < quiet.skill.value < high
    assert quiet.calibration.value < quiet.calibration.limit
    assert quiet.rise is None
    assert quiet.synthetic
    json.dumps(quiet.to_json(), allow_nan=False)


def test_volume_in_other_units_is_found_where_it_matters(watched):
    """A feed that alternates between base units and contracts: ratios of volumes leave what training knew."""

    def contracts(candles, rows):
        volume = candles.volume.copy()
        volume[np.flatnonzero(rows)[::3]] *= 1_000
        return {"volume": volume}

    found = check(watched, broken(watched, contracts))
    assert found.verdict == "drifting"
    alarming = {feature.name for feature in found.features if feature.alarm}
    assert alarming & {"volume_ma_ratio", "volume_change"}
    assert alarming <= {"volume_ma_ratio", "volume_change"}
    alarm = next(alarm for alarm in found.alarms if alarm.detector == "features")
    # Not before it broke, and within a window after it.
    assert watched.end - 10 * DAY_MS < alarm.since <= watched.end - 3 * DAY_MS
    assert found.since == min(one.since for one in found.alarms)


@pytest.fixture(scope="module")
def judged(watched):
    """Judges outcomes that are changed in the newest days: (rows, newest) -> their outcomes."""
    bundle = load_bundle(watched.path)
    reference = DriftReference.parse(bundle_files.read_file(watched.path, bundle.manifest, FILE_NAME), "read it")
    rows = read_unseen(bundle, watched.panel, bundle.manifest.used_until, silent, scored=True)

    def judge_changed(change, days=14):
        outcomes = rows.outcomes
        newest = outcomes.time >= watched.end - days * DAY_MS
        changed = replace(rows, outcomes=change(outcomes, newest))
        return judge(bundle, reference, watched.panel, changed, watched.end, SETTINGS, watched.end)

    return judge_changed


def of_the_least_likely_class(outcomes, newest):
    least = np.argmin(outcomes.probabilities, axis=1)
    return replace(outcomes, y=np.where(newest, least, outcomes.y).astype(np.int8))


def test_outcomes_of_the_least_likely_class_are_a_loss_of_skill(watched, judged):
    found = judged(of_the_least_likely_class)
    alarms = {alarm.detector: alarm for alarm in found.alarms}
    assert "skill" in alarms
    assert "features" not in alarms
    assert found.skill.alarm
    assert found.skill.value < found.skill.limit < found.skill.at_training
    assert watched.end - 14 * DAY_MS < alarms["skill"].since <= watched.end - 7 * DAY_MS
    assert "train on newer candles" in found.advice


def test_a_rise_of_the_log_loss_is_an_alarm_for_a_window(watched, judged):
    found = judged(of_the_least_likely_class, days=6)
    assert found.rise.alarm
    assert found.rise.after > found.rise.before
    assert abs(found.rise.since - (watched.end - 6 * DAY_MS)) < DAY_MS
    assert "log_loss" in {alarm.detector for alarm in found.alarms}
    # Two weeks later it is known, and the skill tells whether it lasts.
    earlier = judged(of_the_least_likely_class, days=14)
    assert abs(earlier.rise.since - (watched.end - 14 * DAY_MS)) < DAY_MS
    assert not earlier.rise.alarm


def test_sharpened_probabilities_are_miscalibrated(judged):
    def sharpened(outcomes, newest):
        probabilities = outcomes.probabilities.copy()
        probabilities[newest] **= 20
        probabilities[newest] /= probabilities[newest].sum(axis=1, keepdims=True)
        return replace(outcomes, probabilities=probabilities)

    found = judged(sharpened)
    assert found.calibration.alarm
    assert "calibration" in {alarm.detector for alarm in found.alarms}


def test_unchanged_outcomes_are_quiet(judged, quiet):
    assert judged(lambda outcomes, _newest: outcomes).to_json() == quiet.to_json()


def test_nothing_after_until_is_read(watched, quiet):
    until = watched.end - 5 * DAY_MS
    later = broken(watched, lambda candles, rows: {"volume": np.where(rows, 1e9, candles.volume)}, days=5)
    found = check(watched, later, until=until)
    assert found.to_json() == check(watched, until=until).to_json()
    assert found.end == until
    assert found.verdict == "quiet"


def test_bars_that_are_not_closed_are_no_bars(watched):
    now = watched.end - 5 * DAY_MS
    found = check(watched, now=now)
    assert (found.end, found.checked_at) == (now, now)


@pytest.mark.parametrize(("days", "verdict"), [(6, "too_early"), (7, "quiet")])
def test_fewer_days_than_a_window_are_too_early(watched, quiet, days, verdict):
    found = check(watched, until=quiet.start + days * DAY_MS)
    assert (found.verdict, found.days) == (verdict, days)
    assert bool(found.features) == (verdict == "quiet")


def test_a_market_without_candles_is_named(watched):
    first, *rest = watched.panel
    found = check(watched, {name: watched.panel[name] for name in rest})
    assert (found.symbols, found.missing) == (tuple(rest), (first,))
    with pytest.raises(ArgumentError, match="none of the training's 3 markets"):
        check(watched, {"ELSE/USDT:USDT": replace(watched.panel[first], symbol="ELSE/USDT:USDT")})


def test_a_folder_of_bundles_means_its_champion(watched, bundles):
    BundleStore(bundles).promote(watched.id)
    assert check_drift(bundles, watched.panel, settings=SETTINGS, now=watched.end).bundle == watched.id


def test_the_action_is_that_of_the_settings(watched):
    settings = replace(SETTINGS, drift=DriftSettings(action="retrain"))
    assert check(watched, settings=settings).action == "retrain"


def test_candles_that_end_in_the_training_are_refused(watched):
    with pytest.raises(DataError, match="no bar in the span"):
        check(watched, until=watched.seam - 20 * DAY_MS)


def test_a_bundle_of_too_few_days_is_refused(watched, tmp_path):
    end = watched.end - (90 - 25) * DAY_MS
    short = replace(SETTINGS, drift=DriftSettings(window_days=14))
    made = train(watched.panel, tmp_path, models="xgboost,lightgbm", settings=short, end=end)
    with pytest.raises(BundleError, match="at least two windows of 14 days"):
        check_drift(made.path, watched.panel, settings=short, now=watched.end)
