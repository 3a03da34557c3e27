"""The consensus vote, on one bar and on frames, and its policies."""

from quorate.ensemble.voting.vote import decide
from quorate.ensemble.voting.vote_frame import decide_frame

__all__ = ["decide", "decide_frame"]
