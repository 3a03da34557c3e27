"""Paper trading: the account on live or replayed candles, with a journal that survives anything."""

from quorate.trading.paper.account_config import Terms
from quorate.trading.paper.account_history import History
from quorate.trading.paper.account_status import Standing
from quorate.trading.paper.paper_session import Session
from quorate.trading.paper.recovery import Recovered, redo
from quorate.trading.paper.replay_feed import ReplayFeed

__all__ = ["History", "Recovered", "ReplayFeed", "Session", "Standing", "Terms", "redo"]
