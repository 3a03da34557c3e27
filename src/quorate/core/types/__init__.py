"""Frozen data types: candles, votes, signals, decision frames."""

from quorate.core.types.actions import CLASS_NAMES, Action, DecidedBy, Mode, Policy
from quorate.core.types.arrays import (
    ActionArray,
    BoolArray,
    Float32Array,
    FloatArray,
    IntArray,
    TextArray,
    finite_rows,
    of_class,
)
from quorate.core.types.bar_columns import BarColumns
from quorate.core.types.candles import CANDLE_COLUMNS, PRICE_COLUMNS, Candles, Funding
from quorate.core.types.decision_frame import NO_DECISION, DecisionFrame
from quorate.core.types.market_statistics import STATISTICS, MarketStatistics
from quorate.core.types.signals import BENCHED, NOT_SELECTED, Abstention, Forecast, Signal, Vote

__all__ = [
    "BENCHED",
    "CANDLE_COLUMNS",
    "CLASS_NAMES",
    "NOT_SELECTED",
    "NO_DECISION",
    "PRICE_COLUMNS",
    "STATISTICS",
    "Abstention",
    "Action",
    "ActionArray",
    "BarColumns",
    "BoolArray",
    "Candles",
    "DecidedBy",
    "DecisionFrame",
    "Float32Array",
    "FloatArray",
    "Forecast",
    "Funding",
    "IntArray",
    "MarketStatistics",
    "Mode",
    "Policy",
    "Signal",
    "TextArray",
    "Vote",
    "finite_rows",
    "of_class",
]
