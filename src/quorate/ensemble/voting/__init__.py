"""Votes to a decision: the consensus vote, for one bar and for frames, and its policies."""

from quorate.ensemble.voting.vote import decide
from quorate.ensemble.voting.vote_frame import decide_frame

__all__ = ["decide", "decide_frame"]
