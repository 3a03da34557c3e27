"""Members that predict returns, combined: folds, combiners, confidence, and the stack that serves."""

from quorate.ensemble.stack.combiner import Combiner, Forest, Linear
from quorate.ensemble.stack.sign_probability import SignProbability
from quorate.ensemble.stack.stack import Predicted, Stack

__all__ = ["Combiner", "Forest", "Linear", "Predicted", "SignProbability", "Stack"]
