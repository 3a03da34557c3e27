"""A log line for each pair and closed bar of a bot that trades."""

from __future__ import annotations

import logging

from quorate.core.clock import format_ms
from quorate.core.types import Mode
from quorate.ensemble.voting.frame_signals import signal_at
from quorate.integrations.freqtrade.inference.forecaster import FrameForecast

_log = logging.getLogger(__name__)


class BarLog:
    """The decision on each newest closed bar, logged once, however often Freqtrade asks for it."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def log(
        self, pair: str, time: int, forecast: FrameForecast | None, reason: str, models: tuple[str, ...], mode: Mode
    ) -> None:
        """Log what was decided on a bar, and the vote behind it; or why nothing was.

        Args:
            pair: Freqtrade's name.
            time: open time in ms of the newest closed bar.
            forecast: of the pair's frame; None without decisions.
            reason: why there are none.
            models: the members, in the bundle's order.
            mode: of the bundle.
        """
        if self._last.get(pair) == time:
            return
        self._last[pair] = time
        row = None if forecast is None else forecast.row(time)
        if forecast is None or row is None:
            _log.info("%s %s: no decision: %s", format_ms(time), pair, reason.replace("_", " "))
            return
        signal = signal_at(forecast.decisions, row, models, mode)
        what = f"{signal.action.name} {signal.confidence:.0%} by {signal.rule}"
        _log.info("%s %s: %s | %s", format_ms(time), pair, what, signal.line())
