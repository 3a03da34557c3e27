"""Ensembles: votes and stacks of members, bundles on disk, inference and training."""

from quorate.ensemble.inference.loading import load_bundle
from quorate.ensemble.inference.predictor import Bundle
from quorate.ensemble.voting.vote import decide
from quorate.ensemble.voting.vote_frame import decide_frame

__all__ = ["Bundle", "decide", "decide_frame", "load_bundle"]
