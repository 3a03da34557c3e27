"""Live sessions on the stub of Binance: hand-made candles, scripted decisions, a clock that jumps to each close."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.core.settings import AccountSettings, ExchangeSettings, FeedSettings, GuardSettings, PaperSettings
from quorate.core.types import Action, Candles, Signal, Vote
from quorate.market import write_candles
from quorate.market.exchange import Exchange, LiveFeed
from quorate.trading.journal import Journal, Record
from quorate.trading.oversight import Oversight
from quorate.trading.paper import AccountConfig, PaperSession
from stubs.binance import BinanceStub

START = parse_ms("2024-01-01")
BARS, FIRST_BAR = 160, 120
FIRST = START + FIRST_BAR * HOUR_MS
A, B, C = "AAA/USDT:USDT", "BBB/USDT:USDT", "CCC/USDT:USDT"

Bars = Mapping[str, np.ndarray]


class SteppedFeed(LiveFeed):
    """The live feed, on a clock that jumps to the close of the awaited bar; `before` may change the exchange first."""

    stub: BinanceStub
    last: int
    before: Callable[[int], None]

    def wait(self, bar: int) -> Any:
        if bar > self.last:
            return None
        self.stub.clock.set(max(self.stub.clock(), bar + HOUR_MS + 100))
        self.before(bar)
        return super().wait(bar)


def bar(number: int) -> int:
    """Open time of a bar of the session, from 0."""
    return FIRST + number * HOUR_MS


def flat(price: float = 100.0) -> dict[str, np.ndarray]:
    """Columns of a market that moves 0.5 % up and down in every bar."""
    noise = np.where(np.arange(BARS) % 2 == 0, 0.001, -0.001)
    close = price * (1 + noise)
    opened = np.append(close[0], close[:-1])
    return {
        "open": opened,
        "high": price * 1.005 * np.ones(BARS),
        "low": price * 0.995 * np.ones(BARS),
        "close": close,
        "volume": np.full(BARS, 10.0),
    }


def candles(symbol: str, columns: Bars, halted: Collection[int] = ()) -> Candles:
    """Candles of all bars but those of the session that are halted."""
    kept = ~np.isin(np.arange(BARS), [FIRST_BAR + number for number in halted])
    time = START + HOUR_MS * np.arange(BARS)
    return Candles(symbol, "1h", time[kept], **{name: column[kept] for name, column in columns.items()})


def serve(
    folder: Path,
    markets: Mapping[str, Bars],
    marks: Mapping[str, Bars] | None = None,
    halted: Mapping[str, Collection[int]] | None = None,
) -> None:
    """Write the candles and mark prices that the exchange has; `halted` bars have none."""
    for symbol, columns in markets.items():
        write_candles(folder, candles(symbol, columns, (halted or {}).get(symbol, ())))
    for symbol, columns in (marks or {}).items():
        whole = {**columns, "volume": np.zeros(BARS)}
        write_candles(folder, candles(symbol, whole, (halted or {}).get(symbol, ())), mark=True)


@dataclass
class Script:
    """Decisions: (symbol, number of the bar) -> action; HOLD otherwise."""

    actions: Mapping[tuple[str, int], Action]
    asked: list[tuple[str, int]] = field(default_factory=list)

    def decide(self, markets: Sequence[Candles], _now: int) -> list[Signal]:
        return [self._signal(known.symbol, int(known.time[-1])) for known in markets]

    def _signal(self, symbol: str, time: int) -> Signal:
        self.asked.append((symbol, (time - FIRST) // HOUR_MS))
        action = self.actions.get((symbol, (time - FIRST) // HOUR_MS), Action.HOLD)
        votes = tuple(Vote(name, action, 0.8) for name in ("xgboost", "lightgbm", "nhits"))
        return Signal(
            action=action,
            confidence=0.8,
            consensus="strong",
            rule="vote",
            base=0.8,
            volatility=0.01,
            votes=votes,
            symbol=symbol,
            time=time,
        )


def run(
    stub: BinanceStub,
    folder: Path,
    script: Script,
    bars: int,
    *,
    before: Callable[[int], None] = lambda _: None,
    local_ms: int = 0,
    horizon: int = 30,
    guarded: bool = False,
    listener: Callable[[Record], None] | None = None,
    symbols: Sequence[str] = (A, B, C),
    **feed_settings: Any,
) -> PaperSession:
    """Run a session over the bars from 0; `local_ms` is the error of the local clock."""
    settings = ExchangeSettings(url=stub.url, timeout_s=2.0, pause_s=0.005, attempts=1, paced=False)
    quick = {"settle_s": 0.0, "poll_s": 0.02, "patience_s": 0.1, "attempts": 1}
    loose = GuardSettings(drawdown_usd=1e6, loss_usd=1e6)
    config = AccountConfig(horizon, AccountSettings(positions=3), oversight=Oversight(loose) if guarded else None)
    clock = (lambda: stub.clock() + local_ms) if local_ms else stub.clock
    with Exchange(settings, clock=clock) as exchange, Journal.open(url(folder), "live") as journal:
        feed = SteppedFeed(exchange, symbols, "1h", FeedSettings(**{**quick, **feed_settings}))
        feed.stub, feed.before, feed.last = stub, before, bar(bars - 1)
        session = PaperSession(
            feed,
            script.decide,
            journal,
            config,
            bundle_id="script",
            mode="live",
            settings=PaperSettings(open_patience_s=0.05, open_pause_s=0.02),
            listener=listener,
        )
        session.run()
    return session


def url(folder: Path) -> str:
    return f"sqlite:///{folder}/journal.sqlite"


def records(folder: Path, *kinds: type[Record]) -> list[Any]:
    with Journal.open(url(folder), "live", role="reader") as journal:
        return [entry.record for entry in journal.read(kinds=kinds)]
