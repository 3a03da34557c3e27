"""What people ask for beside a running session."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from quorate.core.errors import GuardError
from quorate.trading.engine import TradingEngine
from quorate.trading.journal import records

_log = logging.getLogger(__name__)


def apply_requests(desk: TradingEngine, requests: Mapping[int, records.HumanRecord], time: int) -> None:
    """Re-arm and promote as it was asked for, in order; what is not allowed is said and done with.

    Args:
        desk: at the close of the bars at `time`.
        requests: by their numbers in the journal.
        time: open time in ms.
    """
    for seq, asked in sorted(requests.items()):
        try:
            if asked.action == "promote":
                if desk.ladder is not None:
                    desk.climbed([desk.ladder.promote(time, asked.who)])
            elif desk.guards is not None:
                desk.moved([desk.guards.rearm(asked.guard, time, asked.who)])
        except GuardError as error:
            _log.error("what %s asked for is refused: %s", asked.who, error)
        desk.listened = max(desk.listened, seq)
