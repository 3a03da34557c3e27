"""A check that is kept and told, in this process and in one of its own."""

import threading
from dataclasses import replace

import pytest

from quorate.core.clock import DAY_MS, HOUR_MS
from quorate.core.errors import SettingsError
from quorate.core.settings import NotifySettings
from quorate.evaluation.drift.stored_check import check_path, read_check
from quorate.lifecycle.drift import watch_drift
from quorate.lifecycle.drift.child import check_in_child
from stubs.watched import SETTINGS

HASTY = replace(SETTINGS, notify=NotifySettings(timeout_s=1.0, attempts=1, last_s=5.0))


def in_contracts(watched):
    """The candles, with volumes in another unit in the newest days."""
    found = {}
    for symbol, candles in watched.panel.items():
        volume = candles.volume.copy()
        volume[candles.time >= watched.end - 10 * DAY_MS] *= [1_000 if n % 3 == 0 else 1 for n in range(240)]
        found[symbol] = replace(candles, volume=volume)
    return found


def test_an_alarm_is_told_when_it_begins_and_when_it_ends(watched, bundles, receiver):
    broken = in_contracts(watched)
    verdicts = []
    for hour, panel in enumerate((watched.panel, broken, broken, watched.panel, watched.panel)):
        found = watch_drift(bundles, panel, settings=HASTY, clock=lambda hour=hour: watched.end + hour * HOUR_MS)
        assert read_check(bundles, watched.id) == found
        verdicts.append(found.verdict)
    assert verdicts == ["quiet", "drifting", "drifting", "quiet", "quiet"]
    began, over = receiver.bodies
    assert (began["event"], began["bundle"], began["action"]) == ("drift_alarm", watched.id, "tell")
    assert began["text"].startswith(f"Drift of {watched.id}: DRIFTING since ")
    assert over["event"] == "drift_over"


def test_a_damaged_check_before_and_a_webhook_that_fails_hold_up_nothing(watched, bundles, receiver, caplog):
    receiver.status = 500
    path = check_path(bundles, watched.id)
    path.parent.mkdir()
    path.write_text("{")
    found = watch_drift(bundles, in_contracts(watched), settings=HASTY, clock=lambda: watched.end)
    assert read_check(bundles, watched.id) == found
    assert len(receiver.bodies) == 1
    assert "the check before this one" in caplog.text


def test_an_invalid_address_is_an_error_before_anything_is_done(watched, bundles, monkeypatch):
    monkeypatch.setenv("QUORATE_WEBHOOK", "no address")
    with pytest.raises(SettingsError):
        watch_drift(bundles, watched.panel, settings=HASTY)
    assert read_check(bundles, watched.id) is None


def test_a_child_that_fails_says_so(watched, bundles, tmp_path, capfd):
    assert check_in_child(bundles, tmp_path / "none", None, threading.Event()) == 1
    assert "the check for drift failed" in capfd.readouterr().err
    assert read_check(bundles, watched.id) is None


def test_a_child_is_ended_when_its_parent_stops(watched, bundles, tmp_path):
    stop = threading.Event()
    stop.set()
    assert check_in_child(bundles, tmp_path, None, stop) < 0
