"""Inference with a loaded bundle: checking bars, running members, deciding."""

from quorate.ensemble.inference.loading import load_bundle
from quorate.ensemble.inference.predictor import Bundle
from quorate.ensemble.inference.protocol import Predictor

__all__ = ["Bundle", "Predictor", "load_bundle"]
