"""Explanations of the newest signals, computed once for all who ask for them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from quorate.lifecycle.explain.explain_signal import explain_signal
from quorate.lifecycle.explain.explanation import Explanation
from quorate.serving.candles import NewestCandles
from quorate.serving.champion import Champion

# Some 20 KB each.
_MOST = 256


class KeptExplanations:
    """Explanations by market, kept until there is a new bar, another bundle or another bench. May be read from any
    thread.

    Args:
        champion: the bundle in use.
        candles: of the served markets.
        background: earlier bars that a bar is compared with.
        allow_training_span: also explain bars of the training span; these signals are marked.
        clock: returns the current time in ms.
    """

    def __init__(
        self,
        champion: Champion,
        candles: NewestCandles,
        *,
        background: int,
        allow_training_span: bool,
        clock: Callable[[], int],
    ) -> None:
        self._champion, self._candles, self._clock = champion, candles, clock
        self._background, self._allow = background, allow_training_span
        self._lock = threading.Lock()
        self._kept: OrderedDict[object, Explanation] = OrderedDict()

    def read(self, symbol: str, since: int | None = None) -> Explanation:
        """The explanation of a market's newest signal.

        Args:
            symbol: the market.
            since: time in ms, to explain the change since the newest bar that had opened by then.

        Raises:
            UnknownSymbolError: the market is not served.
            DataError: its candles could never be read.
            QuorateError: as `explain_signal`.
        """
        predictor, candles, now = self._champion.predictor, self._candles.of(symbol), self._clock()
        closed = candles.closed(now)
        # Times between two bars are the earlier of them, so that requests cannot fill the memory with equal ones.
        earlier = None if since is None else len(closed.between(None, since + 1))
        key = predictor.id, predictor.newest.bench, symbol, len(closed), int(candles.time[-1]), earlier
        with self._lock:  # others who ask at the same time wait for the one explanation
            if key not in self._kept:
                self._kept[key] = explain_signal(
                    predictor,
                    closed if len(closed) else candles,
                    background=self._background,
                    since=since,
                    now=now,
                    allow_training_span=self._allow,
                )
            self._kept.move_to_end(key)
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)
            return self._kept[key]
