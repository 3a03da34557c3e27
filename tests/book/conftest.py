"""Markets of random walks for books: some listed later, with missing bars and without funding."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import pytest

from quorate.book.panel.daily_panel import DailyPanel
from quorate.book.panel.funding_days import settled_by
from quorate.core.clock import DAY_MS, HOUR_MS
from quorate.core.sections.book import BookSettings
from quorate.core.types import Candles, Funding

START = 18_628 * DAY_MS  # 2021-01-01
BAR = 4 * HOUR_MS


class Market(NamedTuple):
    candles: Mapping[str, Candles]
    funding: Mapping[str, Funding | None]

    def panel(self, settings: BookSettings | None = None) -> DailyPanel:
        return DailyPanel.of(self.candles, self.funding, settings or SMALL)

    def until(self, end: int) -> Market:
        """What was known just after `end`: the settlement of that time too, whose stamp is some milliseconds late."""
        funding = {symbol: None if each is None else settled_by(each, end) for symbol, each in self.funding.items()}
        return Market({symbol: each.between(end=end) for symbol, each in self.candles.items()}, funding)


SMALL = BookSettings(
    markets=8, carry_markets=8, age_days=30, band=0.6, step=1.0, target_volatility=0.1, scale_half_life=30.0
)


def make_market(markets: int = 10, days: int = 150, seed: int = 1, *, holes: bool = True) -> Market:
    rng = np.random.default_rng(seed)
    bars = days * 6
    common = rng.normal(0, 0.01, bars)
    candles, funding = {}, {}
    for number in range(markets):
        symbol = f"{'BTC' if number == 0 else f'C{number:02d}'}/USDT:USDT"
        steps = common + rng.normal(0, 0.012, bars)
        close = 100 * np.exp(np.cumsum(steps))
        open_ = np.append(100.0, close[:-1]) * np.exp(rng.normal(0, 1e-4, bars))
        high = np.maximum(open_, close) * np.exp(np.abs(rng.normal(0, 0.004, bars)))
        low = np.minimum(open_, close) * np.exp(-np.abs(rng.normal(0, 0.004, bars)))
        volume = np.exp(rng.normal(10, 0.5, bars)) * (markets - number)
        keep = np.ones(bars, bool)
        if holes and number:
            keep[: rng.integers(0, bars // 4)] = False
            keep[rng.integers(bars // 3, bars, 3)] = False
        if holes and number == markets - 1:
            keep[-bars // 6 :] = False
        time = START + BAR * np.arange(bars)
        candles[symbol] = Candles(
            symbol, "4h", time[keep], open_[keep], high[keep], low[keep], close[keep], volume[keep]
        )
        settled = START + 2 * BAR * np.arange(days * 3) + rng.integers(0, 20, days * 3)
        known = rng.random(days * 3) > (0.02 if holes else -1)
        rate = rng.normal(1e-4, 2e-4, days * 3)
        funding[symbol] = None if holes and number % 5 == 4 else Funding(symbol, settled[known], rate[known])
    return Market(candles, funding)


@pytest.fixture(scope="session")
def market() -> Market:
    return make_market()


@pytest.fixture(scope="session")
def market_of() -> Callable[..., Market]:
    return make_market
