"""Check that the processor sums products of bytes exactly, as 8-bit graphs require.

x86 processors without VNNI (most before 2019) add two products in 16 bits and saturate: an 8-bit network would give
other outputs there, without an error.

Source: ONNX Runtime, Quantize ONNX Models, on U8S8 and saturation.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from quorate.core.errors import ModelError
from quorate.models.telemetry import disable_telemetry

#: Metadata key of a graph that multiplies bytes; its value is the number of bits.
BITS = "quorate.bits"

_ROWS, _INPUTS, _OUTPUTS = 16, 64, 16
_LEFT, _RIGHT = 255, 127  # the largest uint8 and int8

# One MatMulInteger: x (any, 64) uint8 by w (64, 16) int8 gives y int32. Serialised here because serving does not have
# the onnx library; a test parses it.
_PRODUCT = (
    b'\x08\x08\x12\x00:^\n\x18\n\x01x\n\x01w\x12\x01y"\rMatMulInteger\x12\x01pZ\x14\n\x01x\x12\x0f\n\r\x08\x02\x12\t\n\x03'
    b"\x12\x01B\n\x02\x08@Z\x13\n\x01w\x12\x0e\n\x0c\x08\x03\x12\x08\n\x02\x08@\n\x02\x08\x10b\x14\n\x01y\x12\x0f\n\r\x08"
    b"\x06\x12\t\n\x03\x12\x01B\n\x02\x08\x10B\x04\n\x00\x10\n"
)


def require_exact(attempted: str) -> None:
    """Raise on a processor whose sums of byte products saturate.

    Args:
        attempted: for error messages.

    Raises:
        ModelError: the sum of the largest products is not exact.
    """
    found, expected = _sum_of_largest(), _INPUTS * _LEFT * _RIGHT
    if found != expected:
        raise ModelError(
            attempted,
            found=f"a processor on which {_INPUTS} times {_LEFT} x {_RIGHT} is {found:,}",
            expected=f"{expected:,}, as 8-bit graphs require",
            remedy='Train with train.precision = "float32", or use a processor with VNNI.',
        )


@cache
def _sum_of_largest() -> int:
    """The smallest of several sums of the largest products; computed once per process."""
    disable_telemetry()
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(_PRODUCT, options, providers=["CPUExecutionProvider"])
    inputs = {
        "x": np.full((_ROWS, _INPUTS), _LEFT, np.uint8),
        "w": np.full((_INPUTS, _OUTPUTS), _RIGHT, np.int8),
    }
    (sums,) = session.run(["y"], inputs)
    return int(sums.min())
