"""Asynchronous predictions of a bundle: candles are read and members run in threads, outside the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator

from quorate.core.arguments import FUNCTION, TEXT, Kind, require_texts, require_types
from quorate.core.clock import now_ms, timeframe_ms
from quorate.core.errors import ArgumentError, BundleError
from quorate.core.types import Candles, Signal
from quorate.ensemble.inference.predictor import LIVE_BARS, Bundle
from quorate.market.source import CandleSource

_CANDLES = Kind((Candles,), "quorate.Candles")


class Agent:
    """A bundle with its source of candles and a clock, for use in an event loop.

    Args:
        bundle: the bundle that predicts.
        source: source of candles for `signals`; None if only `predict_direction` is used.
        clock: returns the current time in ms.
    """

    def __init__(
        self, bundle: Bundle, source: CandleSource | None = None, *, clock: Callable[[], int] = now_ms
    ) -> None:
        methods = Kind((CandleSource,), "a source of candles").optional
        require_types("make an agent", source=(source, methods), clock=(clock, FUNCTION))
        if not hasattr(bundle, "predict_many") or not hasattr(bundle, "manifest"):
            raise ArgumentError(
                "make an agent", found=f"`bundle` of type {type(bundle).__name__}", expected="a loaded bundle or series"
            )
        self.bundle = bundle
        self.source = source
        self._clock = clock

    def status(self) -> dict[str, bool]:
        """Member -> whether it is loaded."""
        return self.bundle.status()

    def predict_direction(self, symbol: str, candles: Candles) -> Signal:
        """The decision at the newest closed bar of these candles.

        Raises:
            BundleError: the candles are of another symbol. And all errors of `Bundle.predict`.
        """
        require_types("predict a market", symbol=(symbol, TEXT), candles=(candles, _CANDLES))
        if candles.symbol != symbol:
            raise BundleError(
                f"predict {symbol}", found=f"candles of {candles.symbol}", expected=f"candles of {symbol}"
            )
        return self.bundle.predict(candles, now=self._clock())

    async def signals(self, symbols: Iterable[str]) -> dict[str, Signal]:
        """The decision on each market from the newest candles of the source, in the order of `symbols`.

        Candles are read concurrently in threads; then every member runs once on the batch of all markets.

        Raises:
            BundleError: no source was given.
            DataError: candles cannot be read. And all errors of `Bundle.predict_many`.
        """
        if isinstance(symbols, Iterator):
            symbols = tuple(symbols)
        require_texts("predict signals", "symbols", symbols, "a sequence of texts")
        if self.source is None:
            raise BundleError("predict signals", found="no source of candles", expected="Agent(bundle, source)")
        names, now = tuple(dict.fromkeys(symbols)), self._clock()
        markets = await asyncio.gather(*(asyncio.to_thread(self._recent, self.source, name, now) for name in names))
        signals = await asyncio.to_thread(self.bundle.predict_many, markets, now=now)
        return dict(zip(names, signals, strict=True))

    def _recent(self, source: CandleSource, symbol: str, now: int) -> Candles:
        """The bars that a prediction reads, and one more that may not be closed."""
        timeframe = self.bundle.manifest.timeframe
        return source.candles(symbol, timeframe, now - (LIVE_BARS + 1) * timeframe_ms(timeframe), now + 1)
