"""Scores to a decision: the vote, the bundle on disk, and the predictor that loads it.

`agent` stands apart: it needs a source of candles and an event loop, which a process that only predicts does not.
"""

from quorate.ensemble.loading import load_bundle
from quorate.ensemble.predictor import Bundle
from quorate.ensemble.vote import decide
from quorate.ensemble.vote_frame import decide_frame

__all__ = ["Bundle", "decide", "decide_frame", "load_bundle"]
