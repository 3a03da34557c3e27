"""A network's graph with its weights in 8 bits."""

from quorate.models.quantise.graph import quantise

__all__ = ["quantise"]
