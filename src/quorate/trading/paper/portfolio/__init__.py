"""Paper accounts that follow target weights."""

from quorate.trading.paper.portfolio.target_session import TargetSession

__all__ = ["TargetSession"]
