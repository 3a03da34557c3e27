"""A loaded bundle: members run, scores are voted on, bars are checked."""

from quorate.ensemble.inference.loading import load_bundle
from quorate.ensemble.inference.predictor import Bundle

__all__ = ["Bundle", "load_bundle"]
