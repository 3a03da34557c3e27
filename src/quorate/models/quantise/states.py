"""An LSTM's states, and the weights that they are multiplied by, as bytes.

A state h is read in two parts of 8 bits each, H and r; a weight w has one, V, or two, V and u. All are integers:

    h = a (H + r / k)        one a for all states, which lie between -1 and 1
    w = b (V + u / k)        one b for a column of weights
    h w = a b (H V + r V / k + H u / k), and r u / k², which is left out

With w / (b k) rounded in place of V / k, and H / k rounded, too, all are of one unit. So they are one product of bytes,
two or three times as long, with one sum of 32 bits: (H, r) by (V, V / k), or (H, r, H / k) by (V, V / k, u). V and u
are rounded for the states that they are multiplied by (`rounding.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from quorate.core.types import Float32Array
from quorate.models.quantise.rounding import rounded
from quorate.models.quantise.writer import Writer

#: Of a product: two where weights have one part, three where they have two.
Parts = Literal[2, 3]

# k. Measured on a trained LSTM: of 4 to 16 this errs least.
_FINER = 12.0

# a. A state of 1 is the largest integer; bytes count from the zero.
_LARGEST, _ZERO = 127, 128
_STEP = 1 / _LARGEST


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """Of one layer's states in parts.

    Attributes:
        integers: (parts * n, u) int8, for the parts of n states.
        scale: (u,) float32, b.
        bias: (u,) float32 to be added to the products.
    """

    integers: npt.NDArray[np.int8]
    scale: Float32Array
    bias: Float32Array


def in_bytes(write: Writer, states: str, parts: Parts) -> str:
    """(B, parts * n) bytes of (B, n) states: H, r and, of three, H / k."""
    zero, step = write.constant("zero", np.uint8(_ZERO)), write.constant("step", np.float32(_STEP))
    finer = write.constant("finer step", np.float32(_STEP / _FINER))
    large = write("QuantizeLinear", states, step, zero)
    left = write("Sub", states, write("DequantizeLinear", large, step, zero))
    made = [large, write("QuantizeLinear", left, finer, zero)]
    if parts == 3:
        coarser = write.constant("coarser step", np.float32(_STEP * _FINER))
        made.append(write("QuantizeLinear", states, coarser, zero))
    return write("Concat", *made, axis=1)


def weights(multiplied: Sequence[tuple[Float32Array, Float32Array]], parts: Parts) -> Weights:
    """Of (n, u) matrices upon each other, each with (..., n) examples of the states that it is multiplied by."""
    exact = np.concatenate([matrix for matrix, _ in multiplied])
    scale = np.abs(exact).max(axis=0) / _LARGEST
    scale = np.where(scale > 0, scale, 1).astype(np.float32)
    seen = np.concatenate([states.reshape(-1, len(matrix)) for matrix, states in multiplied], axis=1)
    finer = _FINER if parts == 3 else 1.0
    wholes, bias = rounded(exact, (scale / finer).astype(np.float32), seen, _LARGEST * finer)
    large = np.round(wholes / finer)
    made = [large, np.round(exact / scale / _FINER), wholes - large * finer][:parts]
    # A state's own parts follow each other, then those of the next.
    ends = np.cumsum([len(matrix) for matrix, _ in multiplied])[:-1]
    of_each = zip(*(np.split(part, ends) for part in made), strict=True)
    return Weights(np.concatenate([part for each in of_each for part in each]).astype(np.int8), scale, bias)


def product(write: Writer, states: str, of: Weights, columns: slice, bias: Float32Array, name: str) -> str:
    """(B, u') products of states in bytes and some columns of their weights; and the (u',) bias."""
    return write(
        "MatMulIntegerToFloat",
        states,
        write.constant(f"weights of {name}", of.integers[:, columns]),
        write.constant("step", np.float32(_STEP)),
        write.constant(f"scale of {name}", of.scale[columns]),
        write.constant("zero", np.uint8(_ZERO)),
        "",
        write.constant(f"bias of {name}", bias + of.bias[columns]),
        domain="com.microsoft",
    )
