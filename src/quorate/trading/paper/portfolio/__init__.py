"""Paper accounts that follow target weights."""

from quorate.trading.paper.portfolio.target_session import DecideTargets, TargetSession

__all__ = ["DecideTargets", "TargetSession"]
