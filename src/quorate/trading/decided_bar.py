"""A decision on a closed bar, as the engine takes it."""

from __future__ import annotations

from typing import NamedTuple

from quorate.core.types import Action
from quorate.trading.journal import records


class DecidedBar(NamedTuple):
    """A decision on a closed bar, as the engine needs it for the guards and the journal.

    Attributes:
        base: mean score of the agreeing models, before the boost.
        volatility: volatility_20 as a fraction; NaN where unknown.
        record: the journal's record of it; None in a backtest.
    """

    symbol: str
    action: Action
    base: float
    volatility: float
    record: records.DecidedRecord | None = None
