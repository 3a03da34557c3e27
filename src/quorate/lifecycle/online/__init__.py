"""Online learning: a challenger that learns on from matured labels."""

from quorate.lifecycle.online.learner import OnlineLearner

__all__ = ["OnlineLearner"]
