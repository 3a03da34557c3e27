"""Small books over markets of random walks, one with a planted cross-sectional effect and one without."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest
from tests.book.conftest import SMALL, START, Market, make_market

from quorate.book.panel.daily_panel import DailyPanel
from quorate.book.panel.outcomes import PositionOutcomes
from quorate.book.portfolio.weights import SleeveWeights
from quorate.book.sleeves.registry import build_sleeves
from quorate.core.clock import DAY_MS
from quorate.core.settings import BookSettings, CostSettings
from quorate.core.types import FloatArray
from quorate.evaluation.book.case import BookCase
from quorate.evaluation.book.judge import BookJudgement, judge_book
from quorate.evaluation.book.options import JudgementOptions

QUICK = JudgementOptions(resamples=200, shifts=(30, 45), shuffles=6, block_days=5)
PLAIN = replace(SMALL, sleeves=("trend", "carry", "dip"))


class Book(NamedTuple):
    """What `judge_book` is given."""

    panel: DailyPanel
    outcomes: PositionOutcomes
    settings: BookSettings
    forecasts: dict[str, dict[str, FloatArray]]

    def judge(self, *, first: int = 60, options: JudgementOptions = QUICK, **more: Any) -> BookJudgement:
        weights = SleeveWeights.of(build_sleeves(self.settings), self.panel, self.forecasts, self.settings)
        return judge_book(
            weights, self.panel, self.outcomes, self.settings, CostSettings(),
            **{"start": START + first * DAY_MS, "end": START + 10_000 * DAY_MS, "options": options, **more},
        )  # fmt: skip

    def case(self, *, first: int = 60, options: JudgementOptions = QUICK) -> BookCase:
        weights = SleeveWeights.of(build_sleeves(self.settings), self.panel, self.forecasts, self.settings)
        return BookCase.of(
            weights, self.panel, self.outcomes, self.settings, CostSettings(),
            START + first * DAY_MS, START + 10_000 * DAY_MS, options,
        )  # fmt: skip


def book_of(market: Market, settings: BookSettings, forecasts: dict[str, dict[str, FloatArray]] | None = None) -> Book:
    panel = market.panel(settings)
    return Book(panel, PositionOutcomes.of(panel, market.funding), settings, forecasts or {})


@pytest.fixture(scope="session")
def small() -> Book:
    return book_of(make_market(days=200), PLAIN)


@pytest.fixture(scope="session")
def judgement(small: Book) -> BookJudgement:
    return small.judge(trials=12)


def planted(drift: float, seed: int = 3) -> Book:
    """Members that know, with noise, which markets drift above the others; `drift` a day, 0 for a control."""
    market = make_market(14, 360, seed, holes=False)
    rng = np.random.default_rng(seed + 1)
    signs = np.repeat(rng.choice([-1.0, 1.0], (24, len(market.candles))), 15, axis=0)
    candles = {}
    for number, (symbol, bars) in enumerate(market.candles.items()):
        path = np.exp(np.cumsum(np.repeat(signs[:, number] * drift / 6, 6)))
        opens = np.append(1.0, path[:-1])
        candles[symbol] = replace(
            bars,
            open=bars.open * opens,
            close=bars.close * path,
            high=bars.high * np.maximum(opens, path),
            low=bars.low * np.minimum(opens, path),
        )
    settings = replace(SMALL, markets=14, sleeves=("cross_section",), band=0.6)
    book = book_of(Market(candles, market.funding), settings)
    known = np.append(signs, signs[-1:], axis=0)[: len(book.panel.time)]
    members = {name: known + rng.normal(0, 0.5, known.shape) for name in settings.members}
    return book._replace(forecasts={"cross_section": members})


@pytest.fixture(scope="session")
def planted_book() -> Callable[..., Book]:
    return planted
