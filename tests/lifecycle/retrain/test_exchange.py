"""Retraining on candles that are downloaded first, from a local stub of Binance."""

from dataclasses import replace

import pytest

from quorate.core.clock import DAY_MS, HOUR_MS
from quorate.core.errors import ArgumentError, ExchangeError
from quorate.core.settings import ExchangeSettings
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.lifecycle.retrain.retrain_champion import retrain
from quorate.lifecycle.retrain.run_log import RunLog
from quorate.market import FreqtradeFolder
from stubs.binance import BinanceStub, Fault
from stubs.retraining import SETTINGS, START, synthetic_market


@pytest.fixture
def stub(tmp_path):
    """The exchange two hours after a bar of 4 h has opened, on the day 67."""
    synthetic_market(130).write(tmp_path / "served")
    with BinanceStub(tmp_path / "served", now=START + 67 * DAY_MS + 2 * HOUR_MS) as stub:
        yield stub


def settings(stub):
    own = ExchangeSettings(url=stub.url, timeout_s=2.0, pause_s=0.005, paced=False, attempts=2)
    return replace(SETTINGS, exchange=own)


def test_the_newest_candles_are_downloaded_first_and_only_closed_ones_train(world, stub, tmp_path):
    data = tmp_path / "candles"
    run = retrain(world.bundles, data, exchange="binanceusdm", settings=settings(stub), clock=world.clock).run
    assert run.span[1] == START + 67 * DAY_MS
    folder = FreqtradeFolder(data)
    symbols = BundleStore(world.bundles).manifest(world.champion).symbols
    assert set(folder.symbols("4h")) == set(symbols)
    stored = folder.candles(symbols[0], "4h")
    assert int(stored.time[-1]) == START + 67 * DAY_MS - 4 * HOUR_MS
    # A week later only what is missing is downloaded.
    world.clock.now += 7 * DAY_MS
    stub.clock.advance(7 * DAY_MS)
    again = retrain(world.bundles, data, exchange="binanceusdm", settings=settings(stub), clock=world.clock).run
    assert again.span[1] == run.span[1] + 7 * DAY_MS
    assert [each.state in ("kept", "promoted") for each in RunLog(world.bundles).runs()] == [True, True]


def test_an_exchange_that_is_down_fails_the_run(world, stub, tmp_path):
    stub.faults.add(Fault("status", code=503, times=1_000))
    with pytest.raises(ExchangeError):
        retrain(world.bundles, tmp_path / "candles", exchange="binanceusdm", settings=settings(stub), clock=world.clock)
    (failed,) = RunLog(world.bundles).runs()
    assert (failed.state, failed.stage) == ("failed", "candles")
    assert BundleStore(world.bundles).champion() == world.champion


def test_candles_in_memory_are_downloaded_nowhere(world):
    with pytest.raises(ArgumentError, match="`exchange`"):
        retrain(world.bundles, world.panel, exchange="binanceusdm", settings=SETTINGS, clock=world.clock)
    assert RunLog(world.bundles).runs() == ()
