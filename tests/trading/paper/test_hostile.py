"""Hostile candles through the live path: checks, decisions of a real bundle, guards, journal.

No uncaught exception, and no trade on a candle that cannot be true.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.core.scale_changes import AFTER_PAUSE
from quorate.core.settings import (
    CostSettings,
    JournalSettings,
    LightGBMSettings,
    ModelSettings,
    PaperSettings,
    PolicySettings,
    Settings,
    XGBoostSettings,
)
from quorate.core.types import Action
from quorate.ensemble.inference.loading import load_bundle
from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
from quorate.market import SyntheticMarket
from quorate.market.columns import Columns
from quorate.market.exchange.live_windows import LiveWindow
from quorate.market.feed import BarReport, Freshness
from quorate.market.quality.candle_checks import check_candles
from quorate.trading.journal import DecidedRecord, FilledRecord, Journal
from quorate.trading.paper import AccountConfig, PaperSession

START = parse_ms("2024-01-01")
BARS, FIRST = 300, 260
SYMBOL = "SYNA/USDT:USDT"
# The file is made once and looked through by others: here it is only a place.
CLASSIC = PolicySettings(name="classic", refit="none")
UNCHECKED = JournalSettings(check=False)
NAMES = ("open", "high", "low", "close", "volume")

hostile = st.one_of(
    st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0, -1.0, 1e-300, 5e-324, 1e300, 1e308]),
    st.floats(allow_nan=True, allow_infinity=True),
)
# A row of the exchange: the true one with some values replaced, moved in time, sent twice, or left out.
rows = st.fixed_dictionaries(
    {
        "values": st.dictionaries(st.sampled_from(NAMES), hostile, max_size=5),
        "factor": st.sampled_from([1.0, 1.0, 1e-6, 0.5, 3.0, 1e6]),
        "shift_ms": st.sampled_from([0, 0, 0, 1, -HOUR_MS, HOUR_MS, 1800_000, -(10**15), 10**15]),
        "times": st.integers(0, 2),
        "twisted": st.booleans(),
    }
)
HOLDING_BARS = 3
open_prices = st.one_of(st.just(None), hostile)


class HostileFeed:
    """A feed whose exchange sends these rows, with the candle checks of a live feed."""

    def __init__(self, truth, sent, opened):
        self.timeframe, self.symbols = "1h", (SYMBOL,)
        self._truth, self._sent, self._opened = truth, sent, opened
        self._window = LiveWindow(SYMBOL, "1h")
        self._window.add(columns_of(truth[:FIRST]), columns_of(truth[:0]))
        self.believed: set[int] = set()

    def begin(self):
        return START + FIRST * HOUR_MS

    def wait(self, bar):
        number = (bar - START) // HOUR_MS - FIRST
        if number >= len(self._sent):
            return None
        checked = check_candles(spoiled(self._truth, FIRST + number, self._sent[number]), "1h", bar + HOUR_MS + 100)
        self._window.add(checked.kept, columns_of(self._truth[:0]))
        candles = self._window.upto(bar, 500)
        here = candles is not None and int(candles.time[-1]) == bar
        if here:
            self.believed.add(bar)
        status = {SYMBOL: Freshness.FRESH if here else Freshness.FAULTY}
        return BarReport(bar, {SYMBOL: candles} if here else {}, status)

    def opens(self, time):
        row = (time - START) // HOUR_MS
        price = self._opened[(row - FIRST) % len(self._opened)]
        return {SYMBOL: float(self._truth.open[row]) if price is None else price}

    def last_close(self, time):
        return self._window.last_before(time)

    def marks(self, start, end, symbols=None):
        return {}

    def funding(self, start, end, symbols=None):
        return {}

    def age_ms(self, time):
        return 0

    def stop(self):
        pass


def columns_of(candles):
    return Columns(candles.time, *(getattr(candles, name) for name in NAMES))


def spoiled(truth, row, sent) -> Columns:
    """The true row, spoiled."""
    values = {name: float(getattr(truth, name)[row]) * (1 if name == "volume" else sent["factor"]) for name in NAMES}
    values.update(sent["values"])
    if sent["twisted"]:
        values["high"], values["low"] = values["low"], values["high"]
    times = np.full(sent["times"], int(truth.time[row]) + sent["shift_ms"], np.int64)
    tables = [np.full(sent["times"], values[name]) for name in NAMES]
    if sent["times"] == 2 and sent["twisted"]:
        tables[3] = np.array([values["close"], 1.0])  # they contradict each other
    return Columns(times, *tables)


@pytest.fixture(scope="module")
def truth():
    return SyntheticMarket(seed=8, symbols=1, bars=BARS, start=START).candles(SYMBOL)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    models = ModelSettings(xgboost=XGBoostSettings(trees=3), lightgbm=LightGBMSettings(trees=3))
    panel = SyntheticMarket(seed=9, symbols=2, bars=400).panel()
    trained = train_ensemble(
        panel,
        "1h",
        TrainingSpec(models=("xgboost", "lightgbm"), settings=replace(Settings(), models=models, policy=CLASSIC)),
        tmp_path_factory.mktemp("bundles"),
    )
    return load_bundle(trained.path)


@pytest.fixture(scope="module")
def check(truth, bundle):
    # In memory, where there is such a place: thousands of commits wait for no disk.
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield checker(truth, bundle, folder)


def checker(truth, bundle, folder):
    numbers = count()
    address = f"sqlite:///{folder}/journal.sqlite"

    def eager(markets, now):
        """The bundle's own decisions with their actions turned into BUY, so that there is something to trade."""
        made = bundle.predict_many(markets, now=now, allow_training_span=True)
        assert all(math.isfinite(signal.confidence) for signal in made)
        return [replace(signal, action=Action.BUY, confidence=0.8) for signal in made]

    def run(sent: list[Mapping], opened: list) -> int:
        feed = HostileFeed(truth, sent, opened)
        with Journal.open(address, f"case{next(numbers)}", settings=UNCHECKED) as journal:
            session = PaperSession(
                feed,
                eager,
                journal,
                AccountConfig(HOLDING_BARS, oversight=None),
                bundle_id="b",
                mode="live",
                settings=PaperSettings(open_patience_s=0),
            )
            session.run()
            records = [entry.record for entry in journal.read(kinds=[DecidedRecord, FilledRecord])]
        account = session.engine.account
        assert math.isfinite(account.equity_usd)
        for record in records:
            if isinstance(record, DecidedRecord):
                assert record.time in feed.believed
            else:
                assert record.order.decided in feed.believed
                price = feed.opens(record.time)[SYMBOL]
                assert record.entry.reference_price == price
                assert 0 < price < math.inf
        for trade in account.trades:
            assert math.isfinite(trade.net_usd)
            if trade.exit_time not in feed.believed and trade.reason != "time":
                check_end(feed, trade)
        return sum(isinstance(record, FilledRecord) for record in records)

    return run


def check_end(feed, trade):
    """Of an open alone: one beyond the liquidation of a position that is due, or one at another scale.

    Live feeds let such opens wait. The second ends a position at its last valuation.
    """
    if trade.reason == "liquidation":
        assert trade.exit_time >= trade.entry_time + HOLDING_BARS * HOUR_MS
        assert trade.net_usd >= -trade.margin_usd - trade.fee_usd
        return
    assert trade.reason == "end"
    last = feed.last_close(trade.exit_time)
    assert abs(math.log(feed.opens(trade.exit_time)[SYMBOL] / last)) >= math.log(AFTER_PAUSE) - 1e-9
    valued = (last, trade.entry_price)
    assert min(abs(trade.exit_price / price - 1) for price in valued) <= 2.01 * CostSettings().slippage


CASES = {"sent": st.lists(rows, min_size=2, max_size=5), "opened": st.lists(open_prices, min_size=1, max_size=3)}
QUIET = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}


def test_true_candles_are_traded(check):
    """The control: without a fault there is something to find; with bad opens alone there is not."""
    true = {"values": {}, "factor": 1.0, "shift_ms": 0, "times": 1, "twisted": False}
    assert check([true] * 5, [None]) > 0
    assert check([true] * 5, [math.nan]) == 0
    assert check([{**true, "values": {"low": math.inf}}] * 5, [None]) == 0


@settings(max_examples=200, **QUIET)
@given(**CASES)
def test_hostile_candles(check, sent, opened):
    check(sent, opened)


@pytest.mark.slow
@settings(max_examples=10_000, **QUIET)
@given(**CASES)
def test_10000_hostile_candles(check, sent, opened):
    check(sent, opened)
