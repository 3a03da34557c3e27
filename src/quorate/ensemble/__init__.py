"""Scores to a decision: the vote, the bundle on disk, and the predictor that loads it.

`agent` stands apart: it needs a source of candles and an event loop, which a process that only predicts does not.
"""

from quorate.ensemble.inference.loading import load_bundle
from quorate.ensemble.inference.predictor import Bundle
from quorate.ensemble.voting.vote import decide
from quorate.ensemble.voting.vote_frame import decide_frame

__all__ = ["Bundle", "decide", "decide_frame", "load_bundle"]
