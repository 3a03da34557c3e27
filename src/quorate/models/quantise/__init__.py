"""8-bit quantisation of the ONNX graphs of networks."""

from quorate.models.quantise.graph import quantise
from quorate.models.quantise.not_quantisable import NotQuantisable

__all__ = ["NotQuantisable", "quantise"]
