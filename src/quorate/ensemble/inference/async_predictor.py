"""A bundle as a trading agent asks it: a direction for one market, signals for many while it does other things."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from quorate.core.clock import now_ms, timeframe_ms
from quorate.core.errors import BundleError
from quorate.core.types import Candles, Signal
from quorate.ensemble.inference.predictor import LIVE_BARS, Bundle
from quorate.market.source import CandleSource


class Agent:
    """Thin over the predictor: where candles come from, and what time it is.

    Args:
        bundle: what predicts.
        source: of candles; None where every call brings its own.
        clock: the present in ms.
    """

    def __init__(
        self, bundle: Bundle, source: CandleSource | None = None, *, clock: Callable[[], int] = now_ms
    ) -> None:
        self.bundle = bundle
        self.source = source
        self._clock = clock

    def status(self) -> dict[str, bool]:
        """Every member of the bundle, and whether it is loaded."""
        return self.bundle.status()

    def predict_direction(self, symbol: str, candles: Candles) -> Signal:
        """The decision at the newest closed bar of these candles.

        Raises:
            BundleError: candles of another symbol; and whatever `Bundle.predict` raises.
        """
        if candles.symbol != symbol:
            raise BundleError(
                f"predict {symbol}", found=f"candles of {candles.symbol}", expected=f"candles of {symbol}"
            )
        return self.bundle.predict(candles, now=self._clock())

    async def signals(self, symbols: Iterable[str]) -> dict[str, Signal]:
        """The decision on each market, by the newest candles of the source, in the order asked for.

        Reading and predicting happen in threads: the caller's loop goes on. Candles are read side by side; then every
        member is asked about all markets in one batch.

        Raises:
            BundleError: an agent without a source.
            DataError: candles that cannot be read; and whatever `Bundle.predict_many` raises.
        """
        if self.source is None:
            raise BundleError(
                "give signals", found="an agent without a source of candles", expected="Agent(bundle, source)"
            )
        wanted, now = tuple(dict.fromkeys(symbols)), self._clock()
        markets = await asyncio.gather(*(asyncio.to_thread(self._recent, self.source, name, now) for name in wanted))
        made = await asyncio.to_thread(self.bundle.predict_many, markets, now=now)
        return dict(zip(wanted, made, strict=True))

    def _recent(self, source: CandleSource, symbol: str, now: int) -> Candles:
        """As many bars as a prediction reads, and one more that may still be running."""
        timeframe = self.bundle.manifest.timeframe
        return source.candles(symbol, timeframe, now - (LIVE_BARS + 1) * timeframe_ms(timeframe), now + 1)
