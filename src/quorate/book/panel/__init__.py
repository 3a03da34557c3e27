"""Candles and funding of all markets as arrays by day, with what was known at each day's start."""

from quorate.book.panel.daily_panel import DailyPanel
from quorate.book.panel.outcomes import PositionOutcomes

__all__ = ["DailyPanel", "PositionOutcomes"]
