"""Small markets whose every number can be worked out by hand."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS, parse_ms, timeframe_ms
from quorate.core.types import Action, Candles, DecisionFrame, Funding
from quorate.trading import Order, Trade

START = parse_ms("2025-01-01")
QUIET = (100.0, 101.0, 99.0, 100.0)  # a bar with a true range of 2
WARM_UP = 20  # quiet bars: ATR(14) is 2 on every one of them from the 14th on

Prices = tuple[float, float, float, float]
MakeCandles = Callable[..., Candles]
MakeFrame = Callable[..., DecisionFrame]


@pytest.fixture
def candles() -> MakeCandles:
    """Quiet bars, then the bars given as (open, high, low, close); `missing` rows are left out."""

    def make(
        *bars: Prices,
        symbol: str = "BTC/USDT:USDT",
        timeframe: str = "1h",
        warm_up: int = WARM_UP,
        missing: Sequence[int] = (),
        start: int = START,
        synthetic: bool = False,
    ) -> Candles:
        rows = np.array([QUIET] * warm_up + list(bars), dtype=np.float64)
        time = start + timeframe_ms(timeframe) * np.arange(len(rows), dtype=np.int64)
        kept = np.setdiff1d(np.arange(len(rows)), missing)
        rows, time = rows[kept], time[kept]
        return Candles(symbol, timeframe, time, *rows.T, np.ones(len(rows)), synthetic=synthetic)

    return make


@pytest.fixture
def frame() -> MakeFrame:
    """HOLD on every candle, but for `decisions`: row -> action, or (action, confidence)."""

    def make(candles: Candles, decisions: dict[int, Action | tuple[Action, float]]) -> DecisionFrame:
        n = len(candles)
        action, confidence = np.full(n, Action.HOLD, dtype=np.int8), np.zeros(n)
        for row, decision in decisions.items():
            action[row], confidence[row] = decision if isinstance(decision, tuple) else (decision, 0.8)
        text = np.full(n, "")
        return DecisionFrame(
            candles.symbol,
            candles.timeframe,
            candles.time,
            action,
            confidence,
            confidence,
            text,
            text,
            np.zeros(n),
            synthetic=candles.synthetic,
        )

    return make


@pytest.fixture
def funding() -> Callable[..., Funding]:
    """Settlements at whole hours after the start: hour -> rate."""

    def make(rates: dict[float, float], symbol: str = "BTC/USDT:USDT") -> Funding:
        time = START + (np.array(sorted(rates)) * 3_600_000).astype(np.int64)
        return Funding(symbol, time, np.array([rates[hour] for hour in sorted(rates)]))

    return make


@pytest.fixture
def order() -> Callable[..., Order]:
    """An order decided at time 0 on ATR 2 that is due at time 1,000."""

    def make(symbol: str = "BTC/USDT:USDT", side: int = 1, **changes: float) -> Order:
        return Order(symbol, side, decided=0, due=1_000, confidence=0.8, atr=2.0)._replace(**changes)

    return make


@pytest.fixture
def trade() -> Callable[..., Trade]:
    """A trade of the given net result that was closed at `time`, an hour after its entry unless `entry` says when."""

    def make(net_usd: float, time: int = START, symbol: str = "BTC/USDT:USDT", entry: int | None = None) -> Trade:
        return Trade(
            symbol=symbol,
            side=1,
            quantity=1.0,
            leverage=5.0,
            margin_usd=20.0,
            confidence=0.8,
            decided=(entry if entry is not None else time - HOUR_MS) - HOUR_MS,
            entry_time=entry if entry is not None else time - HOUR_MS,
            entry_price=100.0,
            exit_time=time,
            exit_price=100.0 + net_usd,
            stop=96.0,
            target=110.0,
            reason="time",
            gross_usd=net_usd,
            fee_usd=0.0,
            slippage_usd=0.0,
            funding_usd=0.0,
            funding_known=True,
            mark_known=True,
        )

    return make
