"""Stake of one trade by each method, worked by hand."""

from dataclasses import replace

import pytest

from quorate.core.settings import AccountSettings, CostSettings, Settings
from quorate.integrations.freqtrade.strategies.stakes import stake

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
