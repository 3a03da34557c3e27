"""Decisions on all candles of a market that the service has, for its chart."""

from __future__ import annotations

import threading
from collections import OrderedDict

from quorate.core.errors import TrainingSpanError
from quorate.core.types import Candles, DecisionFrame
from quorate.ensemble.inference import Predictor
from quorate.serving.service import Service

# Markets whose decisions are kept: some 300 KB each, of 2,000 bars and four members.
_MOST = 16


class MarketFrames:
    """Decisions by market, kept until there is a new bar or another bundle. May be read from any thread.

    Args:
        service: whose candles and bundle are used.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._lock = threading.Lock()
        self._kept: OrderedDict[object, DecisionFrame | None] = OrderedDict()

    def read(self, symbol: str) -> tuple[Predictor, Candles, DecisionFrame | None]:
        """The bundle, the candles, and the decisions at them; None where the bundle was trained on all of them.

        Raises:
            UnknownSymbolError: the market is not served.
            DataError: its candles could never be read.
        """
        service = self._service
        predictor, candles = service.champion.predictor, service.candles.of(symbol)
        key = predictor.id, symbol, int(candles.time[0]), int(candles.time[-1])
        with self._lock:
            if key not in self._kept:
                self._kept[key] = _decisions(predictor, candles, allow_training_span=service.allow_training_span)
            self._kept.move_to_end(key)
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)
            return predictor, candles, self._kept[key]


def _decisions(predictor: Predictor, candles: Candles, *, allow_training_span: bool) -> DecisionFrame | None:
    try:
        return predictor.predict_frame(candles, allow_training_span=allow_training_span)
    except TrainingSpanError:
        return None
