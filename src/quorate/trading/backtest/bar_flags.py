"""What happens in the bars of a market, by step of a run: most bars of most positions need no more than a valuation."""

from __future__ import annotations

from typing import Final

import numpy as np

from quorate.core.types import IntArray
from quorate.trading.account.tape import Tape

#: The market has a bar at the step.
BAR: Final = 1
#: Funding is settled between the bar before and the open.
SETTLED_AT_OPEN: Final = 2
#: Funding is settled inside the bar.
SETTLED_INSIDE: Final = 4
#: Prices continue at another scale.
RESCALED: Final = 8
#: A settlement of the bar is missing.
FUNDING_MISSING: Final = 16
#: The mark price is not the exchange's.
MARK_MISSING: Final = 32


class BarFlags:
    """The bars of one market by step of a run.

    Args:
        tape: the market.
        time: (n,) open times in ms of the steps, increasing; they include the market's.

    Attributes:
        tape: as given.
        flags: step -> sum of the constants above; 0 without a bar.
        rows: step -> row of the tape; 0 without a bar.
    """

    __slots__ = ("flags", "rows", "tape")

    def __init__(self, tape: Tape, time: IntArray) -> None:
        self.tape = tape
        steps = np.searchsorted(time, np.asarray(tape.time, dtype=np.int64))
        of_rows = np.full(len(steps), BAR, dtype=np.uint8)
        for settled, flag in ((tape.settled_at_open, SETTLED_AT_OPEN), (tape.settled_inside, SETTLED_INSIDE)):
            of_rows[np.fromiter(settled, np.int64, len(settled))] |= flag
        of_rows[np.asarray(tape.rescaled, dtype=np.bool_)] |= RESCALED
        for missing, flag in ((tape.funding_missing, FUNDING_MISSING), (tape.mark_missing, MARK_MISSING)):
            if missing is not None:
                of_rows[np.diff(np.asarray(missing), prepend=0) > 0] |= flag
        flags, rows = np.zeros(len(time), dtype=np.uint8), np.zeros(len(time), dtype=np.int64)
        flags[steps], rows[steps] = of_rows, np.arange(len(steps))
        self.flags, self.rows = flags.data, rows.data
