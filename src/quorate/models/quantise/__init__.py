"""8-bit quantisation of the ONNX graphs of networks."""

from quorate.models.quantise.graph import quantise

__all__ = ["quantise"]
