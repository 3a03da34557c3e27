"""Drift of a bundle at the close of a bar, by its newest check."""

from dataclasses import replace

import pytest

from quorate.core.clock import DAY_MS
from quorate.core.errors import SettingsError
from quorate.core.settings import DriftSettings
from quorate.evaluation.drift.stored_check import check_path, write_check
from quorate.evaluation.drift.stored_drift import StoredDrift
from stubs.drift_checks import DRIFTING, QUIET

SHRINK = DriftSettings(action="shrink", shrink=0.4)
END = QUIET.end


@pytest.fixture
def drift(tmp_path):
    return StoredDrift(tmp_path, QUIET.bundle, SHRINK)


def test_an_alarm_shrinks_until_a_newer_check_is_quiet(tmp_path, drift):
    assert drift(END).stake_factor == 1
    write_check(tmp_path, DRIFTING)
    assert drift(END) == (True, 0.4, f"bundle {QUIET.bundle} {DRIFTING.headline}")
    write_check(tmp_path, replace(QUIET, checked_at=QUIET.checked_at + DAY_MS))
    assert drift(END + DAY_MS).stake_factor == 1


def test_bars_before_the_check_know_nothing_of_it(tmp_path, drift):
    write_check(tmp_path, DRIFTING)
    assert [drift(END + shift).stake_factor for shift in (-DAY_MS, -1, 0, 1)] == [1, 1, 0.4, 0.4]


def test_an_old_alarm_ends_by_no_age(tmp_path, drift):
    write_check(tmp_path, DRIFTING)
    assert drift(END + 100 * DAY_MS).stake_factor == 0.4


@pytest.mark.parametrize("action", ["tell", "retrain"])
def test_other_actions_leave_the_stake_and_tell(tmp_path, action):
    write_check(tmp_path, DRIFTING)
    assert StoredDrift(tmp_path, QUIET.bundle, replace(SHRINK, action=action))(END)[:2] == (True, 1.0)


def test_the_check_of_another_bundle_and_no_folder_leave_the_stake(tmp_path):
    write_check(tmp_path, DRIFTING)
    assert StoredDrift(tmp_path, "f" * 16, SHRINK)(END).stake_factor == 1
    assert StoredDrift(None, QUIET.bundle, SHRINK)(END).stake_factor == 1


def test_a_check_that_cannot_be_read_changes_nothing(tmp_path, drift, caplog):
    write_check(tmp_path, DRIFTING)
    assert drift(END).stake_factor == 0.4
    check_path(tmp_path, QUIET.bundle).write_text("{broken")
    assert drift(END) is None
    assert "stay as they are" in caplog.text
    write_check(tmp_path, DRIFTING)
    assert drift(END).stake_factor == 0.4


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5, 2.0])
def test_a_share_that_would_not_shrink_is_refused(share):
    with pytest.raises(SettingsError, match=r"drift\.shrink"):
        DriftSettings(shrink=share)


def test_the_advice_says_what_follows():
    advice = replace(DRIFTING, action="shrink").advice
    assert "smaller stake" in advice
    assert "smaller stake" not in DRIFTING.advice
