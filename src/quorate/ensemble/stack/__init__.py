"""The stack: combines members that predict returns; folds, combiners and confidence."""

from quorate.ensemble.stack.combiner import Combiner, Forest, Linear
from quorate.ensemble.stack.sign_probability import SignProbability
from quorate.ensemble.stack.stack import Predicted, Stack

__all__ = ["Combiner", "Forest", "Linear", "Predicted", "SignProbability", "Stack"]
