"""Small synthetic markets, scripted decisions, and paper sessions over them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from quorate.core.clock import HOUR_MS
from quorate.core.settings import AccountSettings, GuardSettings, LadderSettings
from quorate.core.types import Action, Candles, DecisionFrame, Funding, Signal, Vote
from quorate.market.synthetic import SyntheticMarket
from quorate.trading import BacktestResult
from quorate.trading.backtest import backtest
from quorate.trading.journal import Journal, Record
from quorate.trading.oversight import Oversight
from quorate.trading.paper import AccountConfig, PaperSession, ReplayFeed

MODELS = ("xgboost", "lightgbm", "nhits", "patchtst")
WARM_UP = 30


@dataclass
class World:
    """Markets, the decisions on each of their bars, and the configuration of an account.

    The decisions depend only on seed, symbol and time, so that repeated calls return the same.
    """

    candles: Mapping[str, Candles]
    funding: Mapping[str, Funding]
    marks: Mapping[str, Candles]
    config: AccountConfig
    seed: int = 0
    start: int = 0
    end: int | None = None
    asked: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.frames = {symbol: self._frame(candles) for symbol, candles in self.candles.items()}
        self._rows = {
            symbol: dict(zip(frame.time.tolist(), range(len(frame)), strict=True))
            for symbol, frame in self.frames.items()
        }

    def _frame(self, candles: Candles) -> DecisionFrame:
        n = len(candles)
        random = np.random.default_rng([self.seed, sum(map(ord, candles.symbol))])
        action = random.choice([0, 1, 2], size=n, p=[0.1, 0.8, 0.1]).astype(np.int8)
        base = random.uniform(0.5, 0.9, size=n).round(3)
        voters = random.choice([2, 3, 4], size=n, p=[0.02, 0.08, 0.9])
        volatility = random.uniform(0.0, 0.12, size=n) * (random.random(n) < 0.9)
        scores = {}
        for number, model in enumerate(MODELS):
            table = np.full((n, 3), 0.1)
            table[np.arange(n), action] = 0.8
            table[number >= voters] = np.nan
            scores[model] = table
        text = np.full(n, "strong")
        return DecisionFrame(
            candles.symbol, candles.timeframe, candles.time, action, base, base, text, text, volatility, scores
        )

    def decide(self, markets: Sequence[Candles], now: int) -> list[Signal]:
        """The scripted signals, in the form of a bundle's."""
        self.asked.append(now - HOUR_MS)
        return [self.signal(candles.symbol, int(candles.time[-1])) for candles in markets]

    def signal(self, symbol: str, time: int) -> Signal:
        frame, row = self.frames[symbol], self._rows[symbol][time]
        votes = tuple(
            Vote(model, Action(int(frame.action[row])), 0.8, scores=tuple(frame.scores[model][row].tolist()))
            for model in MODELS
            if np.isfinite(frame.scores[model][row, 0])
        )
        return Signal(
            action=Action(int(frame.action[row])),
            confidence=float(frame.confidence[row]),
            consensus="strong",
            rule="vote",
            base=float(frame.base[row]),
            volatility=float(frame.volatility[row]),
            votes=votes,
            symbol=symbol,
            time=time,
        )

    def feed(self, end: int | None = None) -> ReplayFeed:
        return ReplayFeed(self.candles, self.start, end or self.end, funding=self.funding, marks=self.marks)

    def session(
        self, journal: Journal, end: int | None = None, listener: Callable[[Record], None] | None = None
    ) -> PaperSession:
        return PaperSession(
            self.feed(end), self.decide, journal, self.config, bundle_id="script", mode="replay", listener=listener
        )

    def backtest(self) -> BacktestResult:
        return backtest(
            self.frames,
            self.candles,
            self.funding,
            horizon=self.config.horizon,
            costs=self.config.costs,
            account=self.config.account,
            exits=self.config.exits,
            start=self.start,
            end=self.end,
            marks=self.marks,
            oversight=self.config.oversight,
        )


def make_world(seed: int = 1, *, symbols: int = 3, bars: int = 160, guarded: bool = True, gaps: bool = True) -> World:
    """A world of a seed: gaps, a market that ends early, funding that is settled at opens and inside bars."""
    market = SyntheticMarket(seed=seed, symbols=symbols, bars=bars)
    random = np.random.default_rng(seed)
    candles, marks, funding = {}, {}, {}
    for number, symbol in enumerate(market.names):
        whole = market.candles(symbol)
        kept = np.ones(len(whole), np.bool_)
        if gaps:
            kept[WARM_UP:] = random.random(len(whole) - WARM_UP) > 0.05
            if number == 1:
                kept[-40:] = False
        columns = [getattr(whole, name)[kept] for name in ("open", "high", "low", "close", "volume")]
        candles[symbol] = Candles(symbol, "1h", whole.time[kept], *columns, synthetic=True)
        shifted = [column[kept] * 1.0005 for column in (whole.open, whole.high, whole.low, whole.close)]
        marks[symbol] = Candles(symbol, "1h", whole.time[kept], *shifted, np.zeros(int(kept.sum())))
        settled = np.arange(int(whole.time[0]), int(whole.time[-1]), 3 * HOUR_MS // 2, dtype=np.int64)
        funding[symbol] = Funding(symbol, settled, 0.001 * random.standard_normal(len(settled)))
    # Limits so tight that guards and ladder become active.
    guards = GuardSettings(losses=4, loss_usd=0.5, drawdown_usd=60.0, confidence=0.55, signals_needed=10)
    oversight = Oversight(guards, LadderSettings()) if guarded else None
    config = AccountConfig(5, AccountSettings(positions=3), oversight=oversight)
    return World(candles, funding, marks, config, seed, start=int(market.candles(market.names[0]).time[WARM_UP]))
