from dataclasses import replace

import pytest

from quorate.core.settings import AccountSettings, CostSettings, Settings
from quorate.integrations.freqtrade.strategies.stakes import stake

FREE = CostSettings(taker_fee=0.0, slippage=0.0)
TRADE = {"proposed": 200.0, "confidence": 0.8, "atr": 1.0, "price": 100.0, "side": 1, "leverage": 5.0}


@pytest.mark.parametrize(
    ("way", "equity", "expected"),
    [
        ("config", 1_000.0, 200.0),
        ("confidence", 1_000.0, 160.0),
        # 1 % of 1,000 is lost by 5 units over a stop of 2: worth 500, with a margin of a fifth.
        ("risk", 1_000.0, 100.0),
        # 1 % of 1,000,000 would take a margin of 100,000; a position gets a quarter of equity at most.
        ("risk", 1_000_000.0, 100_000.0),
    ],
)
def test_a_stake_by_hand(make_options, way, equity, expected):
    options = make_options(stake=way, base=replace(Settings(), costs=FREE))
    assert stake(options, equity=equity, **TRADE) == pytest.approx(expected)


def test_a_stop_that_is_near_does_not_take_more_than_its_share(make_options):
    options = make_options(stake="risk", base=replace(Settings(), costs=FREE, account=AccountSettings(positions=4)))
    assert stake(options, equity=1_000.0, **{**TRADE, "atr": 1e-6}) == 250.0


def test_costs_are_part_of_the_risk(make_options):
    options = make_options(stake="risk")
    assert 0 < stake(options, equity=1_000.0, **TRADE) < 100.0


def test_a_confidence_outside_its_range_never_raises_a_stake(make_options):
    options = make_options(stake="confidence")
    assert stake(options, equity=1_000.0, **{**TRADE, "confidence": 3.0}) == 200.0
    assert stake(options, equity=1_000.0, **{**TRADE, "confidence": -1.0}) == 0.0
