"""Scores to a decision: the vote, the bundle on disk, and the predictor that loads it."""

from quorate.ensemble.agent import Agent
from quorate.ensemble.predictor import Bundle, load_bundle
from quorate.ensemble.vote import decide
from quorate.ensemble.vote_frame import decide_frame

__all__ = ["Agent", "Bundle", "decide", "decide_frame", "load_bundle"]
