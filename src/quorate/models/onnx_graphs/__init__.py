"""Checks of a serialised ONNX graph before it is loaded, without the onnx package."""

from quorate.models.onnx_graphs.costs import BATCH, require_cheap
from quorate.models.onnx_graphs.limits import MAX_BYTES, require_bounded
from quorate.models.onnx_graphs.operators import TREES

__all__ = ["BATCH", "MAX_BYTES", "TREES", "require_bounded", "require_cheap"]
