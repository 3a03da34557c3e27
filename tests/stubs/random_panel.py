"""A panel of language models whose replies follow from seed, market and close; it fails as often as real ones do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from quorate.core.clock import timeframe_ms
from quorate.core.types import Action, Candles, Signal
from quorate.llm import ROLES, PanelView, RoleAbstention, RoleReply


class RandomPanel:
    """A `PanelSource`; it fails where it is given a candle after the close, or none at it.

    Args:
        seed: of the replies.
        agrees: share of the replies that confirm the signal.
        fails: share of the roles without a reply.

    Attributes:
        asked: (close, symbol) of every question, in order.
    """

    def __init__(self, seed: int = 0, agrees: float = 0.7, fails: float = 0.2) -> None:
        self.seed, self.agrees, self.fails = seed, agrees, fails
        self.asked: list[tuple[int, str]] = []

    @property
    def digest(self) -> str:
        return f"{self.seed:016x}"

    def views(self, close: int, signals: Sequence[Signal], bars: Mapping[str, Candles]) -> Mapping[str, PanelView]:
        assert all(signal.action != Action.HOLD for signal in signals)
        for signal in signals:
            candles = bars[signal.symbol]
            assert int(candles.time[-1]) + timeframe_ms(candles.timeframe) == close
        self.asked += [(close, signal.symbol) for signal in signals]
        return {signal.symbol: self._view(close, signal) for signal in signals}

    def _view(self, close: int, signal: Signal) -> PanelView:
        random = np.random.default_rng([self.seed, sum(map(ord, signal.symbol)), close // 1000])
        replies, abstentions = [], []
        for role in ROLES:
            if random.random() < self.fails:
                abstentions.append(RoleAbstention(role, "timeout after 10 s"))
                continue
            other = Action(int(random.integers(0, 3)))
            direction = signal.action if random.random() < self.agrees else other
            replies.append(RoleReply(role, "random", "random-1", direction, float(random.uniform(0.4, 1.0))))
        return PanelView(tuple(replies), tuple(abstentions))
