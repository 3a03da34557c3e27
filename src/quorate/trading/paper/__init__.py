"""Paper trading: an account on live or replayed candles, rebuilt from its journal after any interruption."""

from quorate.trading.paper.account_config import AccountConfig
from quorate.trading.paper.account_history import AccountHistory
from quorate.trading.paper.account_status import AccountStatus
from quorate.trading.paper.decided_votes import DecidedVotes
from quorate.trading.paper.paper_session import PaperSession
from quorate.trading.paper.recovery import Recovered, redo
from quorate.trading.paper.replay_feed import ReplayFeed

__all__ = [
    "AccountConfig",
    "AccountHistory",
    "AccountStatus",
    "DecidedVotes",
    "PaperSession",
    "Recovered",
    "ReplayFeed",
    "redo",
]
