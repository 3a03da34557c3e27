"""The newest signals of all markets, predicted once for all who look at them."""

from __future__ import annotations

import threading

from quorate.core.clock import newest_closed_ms
from quorate.ensemble.inference import Predictor
from quorate.serving.service import Service
from quorate.workflows.results.signals import MarketSignals


class NewestSignals:
    """Signals of all markets, kept until there is a new bar, another bundle or another bench. May be read from any
    thread.

    Args:
        service: that predicts.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._lock = threading.Lock()
        self._kept: tuple[object, Predictor, MarketSignals] | None = None

    def read(self) -> tuple[Predictor, MarketSignals]:
        """The bundle, and its signals.

        Raises:
            QuorateError: as `Service.predict`.
        """
        service = self._service
        with self._lock:  # others who look at the same time wait for the one prediction
            predictor = service.champion.predictor
            bars = tuple((candles.symbol, int(candles.time[-1])) for candles in service.candles.known)
            # With the bar that should be there: signals become stale where no new candle comes.
            due = newest_closed_ms(service.candles.timeframe, service.clock())
            key = (predictor.id, predictor.newest.bench, bars, due)
            if self._kept is None or self._kept[0] != key:
                served = service.predict()
                if served.bundle != predictor.id:  # replaced meanwhile; the next to ask predicts again
                    return service.champion.predictor, served.signals
                self._kept = (key, predictor, served.signals)
            return self._kept[1:]
