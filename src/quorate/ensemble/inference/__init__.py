"""A loaded bundle: members run, scores are voted on, bars are checked."""

from quorate.ensemble.inference.loading import load_bundle
from quorate.ensemble.inference.predictor import Bundle
from quorate.ensemble.inference.protocol import Predictor

__all__ = ["Bundle", "Predictor", "load_bundle"]
