"""Online learning: a challenger whose members learn on from matured labels."""

from quorate.lifecycle.online.learner import OnlineLearner
from quorate.lifecycle.online.state_file import ONLINE, LearntState, StateFile, state_file

__all__ = ["ONLINE", "LearntState", "OnlineLearner", "StateFile", "state_file"]
