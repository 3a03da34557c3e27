"""Quantisation of LSTM states and their weights to bytes.

A state h has two 8-bit parts, H and r; a weight w has one, V, or two, V and u. All are integers:

    h = a (H + r / k)        one a for all states, which are between -1 and 1
    w = b (V + u / k)        one b per column of weights
    h w = a b (H V + r V / k + H u / k), neglecting r u / k²

With w / (b k) rounded in place of V / k, and H / k rounded too, all terms have one unit. They are then one product of
bytes, two or three times as long, with one 32-bit sum: (H, r) by (V, V / k), or (H, r, H / k) by (V, V / k, u). V and u
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

#: Parts of a product: two if weights have one part, three if they have two.
Parts = Literal[2, 3]

# k. The value from 4 to 16 with the smallest error, measured on a trained LSTM.
_FINER = 12.0

# a. A state of 1 is the largest integer; _ZERO is the zero point of the bytes.
_LARGEST, _ZERO = 127, 128
_STEP = 1 / _LARGEST


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """Quantised weights of the states of one layer.

    Attributes:
        integers: (parts * n, u) int8, for the parts of n states.
        scale: (u,) float32, b.
        bias: (u,) float32 to add to the products.
    """

    integers: npt.NDArray[np.int8]
    scale: Float32Array
    bias: Float32Array


def quantised_states(write: Writer, states: str, parts: Parts) -> str:
    """(B, parts * n) bytes of (B, n) states: H, r and, with three parts, H / k."""
    zero, step = write.constant("zero", np.uint8(_ZERO)), write.constant("step", np.float32(_STEP))
    finer = write.constant("finer step", np.float32(_STEP / _FINER))
    large = write("QuantizeLinear", states, step, zero)
    left = write("Sub", states, write("DequantizeLinear", large, step, zero))
    quantised = [large, write("QuantizeLinear", left, finer, zero)]
    if parts == 3:
        coarser = write.constant("coarser step", np.float32(_STEP * _FINER))
        quantised.append(write("QuantizeLinear", states, coarser, zero))
    return write("Concat", *quantised, axis=1)


def quantised_weights(factors: Sequence[tuple[Float32Array, Float32Array]], parts: Parts) -> Weights:
    """Quantise stacked (n, u) matrices, each given with (..., n) examples of the states that it is multiplied by."""
    exact = np.concatenate([matrix for matrix, _ in factors])
    scale = np.abs(exact).max(axis=0) / _LARGEST
    scale = np.where(scale > 0, scale, 1).astype(np.float32)
    examples = np.concatenate([states.reshape(-1, len(matrix)) for matrix, states in factors], axis=1)
    finer = _FINER if parts == 3 else 1.0
    integers, bias = rounded(exact, (scale / finer).astype(np.float32), examples, _LARGEST * finer)
    large = np.round(integers / finer)
    quantised = [large, np.round(exact / scale / _FINER), integers - large * finer][:parts]
    # All parts of one matrix, then those of the next, in the order of `quantised_states`.
    ends = np.cumsum([len(matrix) for matrix, _ in factors])[:-1]
    by_matrix = zip(*(np.split(part, ends) for part in quantised), strict=True)
    return Weights(np.concatenate([part for matrix in by_matrix for part in matrix]).astype(np.int8), scale, bias)


def product(write: Writer, states: str, weights: Weights, columns: slice, bias: Float32Array, name: str) -> str:
    """(B, u') products of quantised states and some columns of their weights, plus the (u',) bias."""
    return write(
        "MatMulIntegerToFloat",
        states,
        write.constant(f"weights of {name}", weights.integers[:, columns]),
        write.constant("step", np.float32(_STEP)),
        write.constant(f"scale of {name}", weights.scale[columns]),
        write.constant("zero", np.uint8(_ZERO)),
        "",
        write.constant(f"bias of {name}", bias + weights.bias[columns]),
        domain="com.microsoft",
    )
