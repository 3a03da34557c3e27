"""Weights as settings for quorate.toml."""

from __future__ import annotations

import json
from collections.abc import Mapping

from quorate.lifecycle.weights.weighting import settable


def settings_snippet(weights: Mapping[str, float], about: str) -> str:
    """A text for quorate.toml that sets the weights of the vote.

    >>> print(settings_snippet({"xgboost": 0.625, "nhits": 0.375}, "convex weights"), end="")
    # convex weights
    [vote.weights]
    "xgboost" = 0.625
    "nhits" = 0.375
    """
    lines = [f"{json.dumps(name)} = {weight}" for name, weight in settable(weights).items()]
    return "\n".join([f"# {about}", "[vote.weights]", *lines, ""])
