"""Base class of the networks that read the columns of a bar; by default of the newest one alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from torch import Tensor, nn

from quorate.core.types import FloatArray
from quorate.models.base import FitRequest
from quorate.models.input_checks import Matrix
from quorate.models.networks.network_model import Network
from quorate.models.networks.scaling import ScoringNetwork


class SingleBar(nn.Module):
    """A network of windows of one bar as one of rows.

    Args:
        network: (B, 1, F) -> (B, C).
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, row: Tensor) -> Tensor:
        """(B, F) -> (B, C)."""
        output: Tensor = self.network(row[:, None])
        return output


class TabularNetwork(Network):
    """A member of rows, (B, F); with a window of more bars than one, of all their columns, (B, L, F)."""

    def _fit(self, request: FitRequest) -> None:
        stopping = request.stopping
        if stopping is not None:
            stopping = replace(stopping, X=self._windows(stopping.X))
        super()._fit(replace(request, X=self._windows(request.X), stopping=stopping))

    def _infer(self, X: Matrix) -> FloatArray:
        return super()._infer(self._windows(X))

    def _windows(self, X: Matrix) -> Matrix:
        """(B, L, F) windows, without a copy."""
        return X if self.window > 1 else np.asarray(X)[:, None]

    def _served(self, fitted: ScoringNetwork) -> nn.Module:
        network = self._predicting(fitted)
        return network if self.window > 1 else SingleBar(network).eval()

    def _reads(self, features: int) -> tuple[int, ...]:
        """Places of the columns that are read, ascending: those of the settings, or all."""
        return super()._reads(features) if self._own.columns else tuple(range(features))
