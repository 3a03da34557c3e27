"""The newest check as a file, and what follows from it."""

import json
from dataclasses import replace

import pytest

from quorate.core.clock import DAY_MS
from quorate.core.errors import DataError
from quorate.core.settings import DriftSettings
from quorate.evaluation.drift.stored_check import (
    check_path,
    is_valid,
    read_check,
    retraining_reason,
    write_check,
)
from stubs.drift_checks import DRIFTING, QUIET

RETRAIN = DriftSettings(action="retrain")
NOW = QUIET.checked_at + DAY_MS


@pytest.mark.parametrize("check", [QUIET, DRIFTING, replace(QUIET, skill=None, calibration=None, features=())])
def test_what_is_written_is_read(tmp_path, check):
    assert read_check(tmp_path, check.bundle) is None
    path = write_check(tmp_path, check)
    assert path == tmp_path / "drift" / f"{check.bundle}.json"
    assert read_check(tmp_path, check.bundle) == check


def test_a_bundles_own_folder_means_the_folder_around_it(tmp_path):
    inside = tmp_path / QUIET.bundle
    inside.mkdir()
    (inside / "manifest.json").write_text("{}")
    assert check_path(inside, QUIET.bundle) == check_path(tmp_path, QUIET.bundle)


def test_a_later_check_replaces_the_one_before(tmp_path):
    write_check(tmp_path, QUIET)
    write_check(tmp_path, DRIFTING)
    assert read_check(tmp_path, QUIET.bundle).verdict == "drifting"


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", "nonsense", json.dumps(QUIET.to_json() | {"verdict": "fine"}), '{"verdict": NaN}'],
)
def test_a_damaged_file_is_refused(tmp_path, content):
    path = write_check(tmp_path, QUIET)
    path.write_text(content)
    with pytest.raises(DataError, match="check for drift"):
        read_check(tmp_path, QUIET.bundle)


def test_a_check_of_another_bundle_is_refused(tmp_path):
    path = write_check(tmp_path, replace(QUIET, bundle="fedcba9876543210"))
    path.rename(check_path(tmp_path, QUIET.bundle))
    with pytest.raises(DataError, match="fedcba9876543210"):
        read_check(tmp_path, QUIET.bundle)


@pytest.mark.parametrize(("days", "valid"), [(0, True), (3, True), (3.01, False)])
def test_a_check_counts_for_its_days(days, valid):
    assert is_valid(QUIET, DriftSettings(), QUIET.checked_at + round(days * DAY_MS)) == valid


@pytest.mark.parametrize(
    ("check", "settings", "due"),
    [
        (DRIFTING, RETRAIN, True),
        (DRIFTING, DriftSettings(), False),
        (QUIET, RETRAIN, False),
        (None, RETRAIN, False),
        (replace(DRIFTING, checked_at=NOW - 4 * DAY_MS), RETRAIN, False),
    ],
)
def test_a_retraining_is_due_with_the_reason(check, settings, due):
    reason = retraining_reason(check, settings, NOW)
    assert bool(reason) == due
    assert not due or "1 of 2 features" in reason


def test_the_headline_says_since_when_and_what():
    assert QUIET.headline == "quiet"
    assert DRIFTING.headline == ("DRIFTING since 2024-09-25 00:00: log-loss from 0.900 to 1.100, 1 of 2 features")
    assert QUIET.advice == "nothing"
    assert "retraining is due" in replace(DRIFTING, action="retrain").advice
    assert "data check" in replace(DRIFTING, alarms=DRIFTING.alarms[1:]).advice
    assert "14 days" in replace(QUIET, verdict="too_early").advice
