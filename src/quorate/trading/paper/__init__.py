"""Paper trading: the account on live or replayed candles, with a journal that survives anything."""

from quorate.trading.paper.history import History
from quorate.trading.paper.recovery import Recovered, redo
from quorate.trading.paper.replay import ReplayFeed
from quorate.trading.paper.session import Session
from quorate.trading.paper.status import Standing
from quorate.trading.paper.terms import Terms

__all__ = ["History", "Recovered", "ReplayFeed", "Session", "Standing", "Terms", "redo"]
