"""Types, errors, settings and time: what every other folder stands on. Imports nothing of ours."""

from quorate.core.types import Abstention, Action, Candles, DecisionFrame, Funding, Signal, Vote

__all__ = ["Abstention", "Action", "Candles", "DecisionFrame", "Funding", "Signal", "Vote"]
