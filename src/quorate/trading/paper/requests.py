"""Requests of people to a running session: re-arm a guard, promote the ladder."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from quorate.core.errors import GuardError
from quorate.trading.engine import TradingEngine
from quorate.trading.journal import records

_log = logging.getLogger(__name__)


def apply_requests(engine: TradingEngine, requests: Mapping[int, records.HumanRecord], time: int) -> None:
    """Apply requests in order; one that is not allowed is logged and dropped.

    Args:
        engine: at the close of the bars at `time`.
        requests: by their numbers in the journal.
        time: open time in ms.
    """
    for seq, request in sorted(requests.items()):
        try:
            if request.action == "promote":
                if engine.ladder is not None:
                    engine.apply_ladder_moves([engine.ladder.promote(time, request.who)])
            elif engine.guards is not None:
                engine.apply_guard_moves([engine.guards.rearm(request.guard, time, request.who)])
        except GuardError as error:
            _log.error("request of %s refused: %s", request.who, error)
        engine.last_request = max(engine.last_request, seq)
