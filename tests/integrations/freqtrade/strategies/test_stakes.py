"""Stake of one trade by each method, worked by hand."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from quorate.core.clock import DAY_MS
from quorate.core.settings import AccountSettings, CostSettings, DriftSettings, Settings
from quorate.ensemble.bundle.manifest import FILE_NAME as MANIFEST
from quorate.evaluation.drift.stored_check import check_path, write_check
from quorate.integrations.freqtrade.strategies.stakes import ShrunkStakes, stake
from stubs.drift_checks import DRIFTING, QUIET

FREE = CostSettings(taker_fee=0.0, slippage=0.0)
TRADE = {"proposed": 200.0, "confidence": 0.8, "atr": 1.0, "price": 100.0, "side": 1, "leverage": 5.0}


@pytest.mark.parametrize(
    ("method", "equity", "expected"),
    [
        ("config", 1_000.0, 200.0),
        ("confidence", 1_000.0, 160.0),
        # 5 units lose 1 % of 1,000 at a stop 2 away; they are worth 500, and the margin is a fifth of that.
        ("risk", 1_000.0, 100.0),
        # Likewise for 1,000,000; the maximum of a quarter of equity is not reached.
        ("risk", 1_000_000.0, 100_000.0),
    ],
)
def test_a_stake_by_hand(make_options, method, equity, expected):
    options = make_options(stake=method, base=replace(Settings(), costs=FREE))
    assert stake(options, equity=equity, **TRADE) == pytest.approx(expected)


def test_a_close_stop_takes_at_most_an_equal_share_of_equity(make_options):
    options = make_options(stake="risk", base=replace(Settings(), costs=FREE, account=AccountSettings(positions=4)))
    assert stake(options, equity=1_000.0, **{**TRADE, "atr": 1e-6}) == 250.0


def test_the_risk_includes_costs(make_options):
    options = make_options(stake="risk")
    assert 0 < stake(options, equity=1_000.0, **TRADE) < 100.0


def test_a_confidence_out_of_range_never_raises_the_stake(make_options):
    options = make_options(stake="confidence")
    assert stake(options, equity=1_000.0, **{**TRADE, "confidence": 3.0}) == 200.0
    assert stake(options, equity=1_000.0, **{**TRADE, "confidence": -1.0}) == 0.0


def test_a_share_of_the_stake_while_the_bundle_drifts(tmp_path, caplog):
    bundle = SimpleNamespace(newest=SimpleNamespace(id=DRIFTING.bundle, folder=tmp_path / DRIFTING.bundle))
    (tmp_path / DRIFTING.bundle).mkdir()
    (tmp_path / DRIFTING.bundle / MANIFEST).touch()
    stakes = ShrunkStakes(DriftSettings(action="shrink", shrink=0.25))
    close = DRIFTING.end + DAY_MS
    assert stakes.factor(bundle, close) == 1.0
    write_check(tmp_path, DRIFTING)
    assert [stakes.factor(bundle, close) for _ in range(2)] == [0.25, 0.25]
    assert caplog.text.count(f"from 100 % to 25 % of the ordinary ones: bundle {DRIFTING.bundle}") == 1
    check_path(tmp_path, DRIFTING.bundle).write_text("{")
    assert stakes.factor(bundle, close) == 0.25
    write_check(tmp_path, QUIET)
    assert stakes.factor(bundle, close) == 1.0
    assert stakes.factor(None, close) == 1.0
