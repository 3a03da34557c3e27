"""A check of the members that is kept and told, in this process and in that of the check for drift."""

import threading
from dataclasses import replace

import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.errors import SettingsError
from quorate.core.settings import BenchSettings, NotifySettings
from quorate.lifecycle.bench import read_bench, watch_bench
from quorate.lifecycle.drift.child import check_in_child
from quorate.market.synthetic import SyntheticMarket
from stubs.watched import DAYS, SETTINGS

HASTY = replace(SETTINGS, notify=NotifySettings(timeout_s=1.0, attempts=1, last_s=5.0))
EXPIRING = replace(HASTY, bench=BenchSettings(shelf_days={"xgboost": 20.0}))
ASIDE = replace(HASTY, bench=BenchSettings(shelf_days={"xgboost": 20.0}, apply=False))


def test_every_move_is_told_once_and_none_that_is_not_applied(watched, bundles, receiver):
    for hour, settings in enumerate((HASTY, ASIDE, HASTY, EXPIRING, EXPIRING, HASTY)):
        found = watch_bench(
            bundles, watched.panel, settings=settings, clock=lambda hour=hour: watched.end + hour * HOUR_MS
        )
        assert read_bench(bundles, watched.id) == found
    benched, returned = receiver.bodies[-2:]
    assert (benched["event"], benched["model"]) == ("benched", "xgboost")
    assert benched["text"] == f"Bundle {watched.id}: xgboost is benched: expired: older than 20 days"
    assert (returned["event"], returned["model"]) == ("returned", "xgboost")
    # The member came off a bench that was not applied: whoever reads the channel hears that it votes.
    assert [body["event"] for body in receiver.bodies] == ["returned", "benched", "returned"]


def test_an_invalid_address_is_an_error_before_anything_is_done(watched, bundles, monkeypatch):
    monkeypatch.setenv("QUORATE_WEBHOOK", "no address")
    with pytest.raises(SettingsError):
        watch_bench(bundles, watched.panel, settings=HASTY)
    assert read_bench(bundles, watched.id) is None


def test_the_check_for_drift_of_a_service_checks_the_members_too(watched, bundles, tmp_path):
    SyntheticMarket(seed=5, symbols=3, bars=DAYS * 24, edge=0.4).write(tmp_path / "data")
    assert check_in_child(bundles / watched.id, tmp_path / "data", None, threading.Event()) == 0
    found = read_bench(bundles, watched.id)
    assert [member.model for member in found.members] == ["xgboost", "lightgbm"]
    assert found.benched == ()
