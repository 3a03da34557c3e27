"""TCN: residual blocks of causal convolutions whose dilation doubles from block to block.

Bai, Kolter and Koltun, An Empirical Evaluation of Generic Convolutional and Recurrent Networks for Sequence Modeling,
2018 (arXiv 1803.01271), section 3: each block has two dilated causal convolutions with weight normalisation, ReLU and
spatial dropout, and a residual connection, through a convolution of one bar where the channels differ.

Only the newest bar is read. A block of dilation d then needs every d-th bar, counted from the newest, of the block
before it: between two blocks every second bar is dropped, and the convolutions, of a kernel without gaps on what is
left, give what dilated ones give on all bars.

Shapes: B rows, L bars of a window, F features, W channels.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from quorate.models.networks.network_model import Network
from quorate.models.networks.scaling import ScoringNetwork, near_prior


@dataclass(frozen=True, slots=True)
class TCNConfig:
    """Shape of the network.

    Attributes:
        features, outputs: F and C.
        width: W, channels of each block.
        kernel: bars that a convolution reads.
        blocks: number of them; they see 1 + 2 * (kernel - 1) * (2 ** blocks - 1) bars.
        dropout: share of the channels that are dropped after each convolution.
    """

    features: int
    outputs: int
    width: int = 24
    kernel: int = 3
    blocks: int = 3
    dropout: float = 0.2


class TCNNetwork(nn.Module):
    """The network: (B, L, F) float32 to (B, outputs)."""

    def __init__(self, config: TCNConfig) -> None:
        super().__init__()
        widths = [config.features] + [config.width] * config.blocks
        self.blocks = nn.ModuleList(
            CausalBlock(inputs, config.width, config.kernel, config.dropout) for inputs in widths[:-1]
        )
        self.head = near_prior(nn.Linear(config.width, config.outputs))

    def forward(self, x: Tensor) -> Tensor:
        series = x.transpose(1, 2)  # (B, F, L)
        for number, block in enumerate(self.blocks):
            if number:
                series = series[:, :, (series.shape[2] - 1) % 2 :: 2]  # every second bar, the newest among them
            series = block(series)
        output: Tensor = self.head(series[:, :, -1])
        return output


class CausalBlock(nn.Module):
    """Two causal convolutions and a residual connection: (B, inputs, L) to (B, W, L)."""

    def __init__(self, inputs: int, width: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.before = kernel - 1  # bars of zeros before the oldest
        self.convolutions = nn.ModuleList(
            NormalisedConvolution(channels, width, kernel) for channels in (inputs, width)
        )
        self.dropout = nn.Dropout1d(dropout)
        self.match = nn.Conv1d(inputs, width, 1) if inputs != width else None

    def forward(self, series: Tensor) -> Tensor:
        inner = series
        for convolution in self.convolutions:
            inner = self.dropout(functional.relu(convolution(functional.pad(inner, (self.before, 0)))))
        kept = series if self.match is None else self.match(series)
        return functional.relu(inner + kept)


class NormalisedConvolution(nn.Module):
    """A convolution whose kernels are a length times a direction: (B, inputs, L) to (B, W, L - kernel + 1).

    Salimans and Kingma, Weight Normalization, 2016 (arXiv 1602.07868).
    """

    def __init__(self, inputs: int, width: int, kernel: int) -> None:
        super().__init__()
        plain = nn.Conv1d(inputs, width, kernel)
        self.direction, self.bias = plain.weight, plain.bias
        self.length = nn.Parameter(_lengths(plain.weight.detach()))  # (W, 1, 1)

    def forward(self, series: Tensor) -> Tensor:
        return functional.conv1d(series, self._weight(), self.bias)

    def folded(self) -> nn.Conv1d:
        """The same as a plain convolution."""
        width, inputs, kernel = self.direction.shape
        plain = nn.Conv1d(inputs, width, kernel)
        with torch.no_grad():
            plain.weight.copy_(self._weight())
        plain.bias = self.bias
        return plain

    def _weight(self) -> Tensor:
        return self.direction * (self.length / _lengths(self.direction))


def _lengths(kernels: Tensor) -> Tensor:
    """(W, 1, 1) Euclidean norms of (W, inputs, kernel) kernels."""
    return kernels.square().sum(dim=(1, 2), keepdim=True).sqrt()


class TCN(Network):
    """TCN as a member; by default three blocks of 24 channels, which see 29 bars."""

    name: ClassVar[str] = "tcn"
    batch: ClassVar[int] = 64

    def _module(self, features: int) -> nn.Module:
        s = self.settings.tcn
        return TCNNetwork(TCNConfig(features, self.outputs, s.width, s.kernel, s.blocks, s.dropout))

    def _served(self, fitted: ScoringNetwork) -> ScoringNetwork:
        """A copy with the normalised weights in place of their direction and length."""
        served = copy.deepcopy(fitted)
        for block in served.modules():
            if isinstance(block, CausalBlock):
                plain = (part.folded() for part in block.convolutions if isinstance(part, NormalisedConvolution))
                block.convolutions = nn.ModuleList(plain)
        return served
