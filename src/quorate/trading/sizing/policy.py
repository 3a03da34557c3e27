"""A sizing policy: from the context of an entry to one of five shares of its ordinary stake.

It is a small network of numpy: each layer but the last ends with a hyperbolic tangent, and the largest output names the
share. A linear bandit has one layer. Whatever fitted it is not needed to run it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Self

import numpy as np

from quorate.core.errors import TradingError
from quorate.core.types import FloatArray
from quorate.core.untrusted_json import MISSHAPEN
from quorate.trading.sizing.context import CONTEXT

#: Shares of the ordinary stake, in the order of the outputs. The first wins a tie: without evidence, the whole stake.
SHARES = (1.0, 0.75, 0.5, 0.25, 0.0)

# Standardised inputs beyond it are cut: far from the trades it was fitted on, a policy knows nothing.
_FURTHEST = 4.0

# Far above a policy of two hidden layers of 64.
_MOST_NUMBERS = 100_000

_EXPECTED = "a policy that `quorate size fit` wrote"


@dataclass(frozen=True, slots=True, eq=False)
class SizingPolicy:
    """Scores of the five shares as a function of the context.

    Attributes:
        inputs: k names of `CONTEXT` that it reads.
        mean, scale: (k,) float64; an input is standardised by them and then cut at 4.
        layers: (outputs, inputs) weights and (outputs,) bias of each layer; the last has one output a share.

    Raises:
        TradingError: unknown inputs, shapes that do not fit, or numbers that are not finite.
    """

    inputs: tuple[str, ...]
    mean: FloatArray
    scale: FloatArray
    layers: tuple[tuple[FloatArray, FloatArray], ...]

    def __post_init__(self) -> None:
        width, fits = len(self.inputs), bool(self.layers)
        for weights, bias in self.layers:
            fits &= weights.shape == (len(bias), width)
            width = len(bias)
        numbers = [self.mean, self.scale, *(part for layer in self.layers for part in layer)]
        fits &= width == len(SHARES) and self.mean.shape == self.scale.shape == (len(self.inputs),)
        fits &= set(self.inputs) <= set(CONTEXT) and sum(part.size for part in numbers) <= _MOST_NUMBERS
        if not fits or not all(np.isfinite(part).all() for part in numbers) or not (self.scale > 0).all():
            raise TradingError(
                "make a sizing policy",
                found=f"inputs {', '.join(self.inputs)} and layers {[weights.shape for weights, _ in self.layers]}",
                expected=f"inputs among {', '.join(CONTEXT)}, and finite layers that end with {len(SHARES)} outputs",
            )

    @classmethod
    def constant(cls, share: float) -> Self:
        """The same share whatever the context; one of `SHARES`."""
        empty = np.empty(0)
        scores = np.array([float(share == each) for each in SHARES])
        return cls((), empty, empty, ((np.empty((len(SHARES), 0)), scores),))

    def standardised(self, context: FloatArray) -> FloatArray:
        """(k,) inputs of an (8,) context, or (n, k) of (n, 8); NaN where unknown."""
        chosen = context[..., [CONTEXT.index(name) for name in self.inputs]]
        return np.asarray(np.clip((chosen - self.mean) / self.scale, -_FURTHEST, _FURTHEST))

    def scores(self, context: FloatArray) -> FloatArray:
        """(..., 5) outputs of (..., 8) contexts, in the order of `SHARES`; NaN where an input is unknown."""
        values = self.standardised(context)
        for number, (weights, bias) in enumerate(self.layers):
            values = values @ weights.T + bias
            if number + 1 < len(self.layers):
                values = np.tanh(values)
        return np.asarray(values)

    def share(self, context: FloatArray) -> float:
        """Share of the ordinary stake for an (8,) context; 1 where an input is unknown."""
        scores = self.scores(context)
        return SHARES[int(np.argmax(scores))] if np.isfinite(scores).all() else 1.0

    def to_json(self) -> dict[str, Any]:
        """The form of the overlay's file."""
        return {
            "inputs": list(self.inputs),
            "mean": self.mean.tolist(),
            "scale": self.scale.tolist(),
            "layers": [{"weights": weights.tolist(), "bias": bias.tolist()} for weights, bias in self.layers],
        }

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> Self:
        """The policy of `to_json`.

        Raises:
            TradingError: another document.
        """
        try:
            width = len(tree["inputs"])
            layers = []
            for layer in tree["layers"]:
                bias = np.array(layer["bias"], np.float64)
                layers.append((np.array(layer["weights"], np.float64).reshape(len(bias), width), bias))
                width = len(bias)
            mean, scale = (np.array(tree[name], np.float64) for name in ("mean", "scale"))
            return cls(tuple(map(str, tree["inputs"])), mean, scale, tuple(layers))
        except MISSHAPEN as error:
            raise TradingError(
                "read a sizing policy", found=f"{type(error).__name__}: {error}", expected=_EXPECTED
            ) from error

    @property
    def digest(self) -> str:
        """SHA-256 of the policy: 64 hexadecimal digits."""
        return sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()
