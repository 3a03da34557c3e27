"""InceptionTime: modules of convolutions of several lengths side by side, with a bottleneck before them.

Ismail Fawaz and others, InceptionTime: Finding AlexNet for Time Series Classification, 2019 (arXiv 1909.04939): a
module narrows its input to few channels, reads them by convolutions of several kernels and by a max pooling, and joins
the results, with batch normalisation and ReLU. After every third module the input of the three is added. The mean over
the window goes to a linear layer. The paper averages five such networks; this is one.

Shapes: B rows, L bars of a window, F features.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from quorate.models.networks.network_model import Network
from quorate.models.networks.scaling import near_prior

# Modules between two residual connections.
_RESIDUAL = 3


@dataclass(frozen=True, slots=True)
class InceptionConfig:
    """Shape of the network.

    Attributes:
        features, outputs: F and C.
        filters: of each convolution of a module, and of its bottleneck.
        kernels: odd lengths of the convolutions of a module, bars.
        modules: number of them.
    """

    features: int
    outputs: int
    filters: int = 8
    kernels: tuple[int, ...] = (3, 7, 15)
    modules: int = 3


class InceptionNetwork(nn.Module):
    """The network: (B, L, F) float32 to (B, outputs)."""

    def __init__(self, config: InceptionConfig) -> None:
        super().__init__()
        width = config.filters * (len(config.kernels) + 1)
        inputs = [config.features] + [width] * config.modules
        self.stages = nn.ModuleList(InceptionModule(each, config) for each in inputs[: config.modules])
        self.shortcuts = nn.ModuleList(
            nn.Sequential(nn.Conv1d(each, width, 1, bias=False), nn.BatchNorm1d(width))
            for each in inputs[: config.modules - _RESIDUAL + 1 : _RESIDUAL]
        )
        self.head = near_prior(nn.Linear(width, config.outputs))

    def forward(self, x: Tensor) -> Tensor:
        series = kept = x.transpose(1, 2)  # (B, F, L)
        for number, stage in enumerate(self.stages, 1):
            series = stage(series)
            if number % _RESIDUAL == 0:
                series = kept = functional.relu(series + self.shortcuts[number // _RESIDUAL - 1](kept))
        output: Tensor = self.head(series.mean(dim=2))
        return output


class InceptionModule(nn.Module):
    """One module: (B, inputs, L) to (B, filters * (kernels + 1), L)."""

    def __init__(self, inputs: int, config: InceptionConfig) -> None:
        super().__init__()
        filters, kernels = config.filters, config.kernels
        self.bottleneck = nn.Conv1d(inputs, filters, 1, bias=False) if inputs > 1 else nn.Identity()
        narrow = filters if inputs > 1 else inputs
        self.convolutions = nn.ModuleList(
            nn.Conv1d(narrow, filters, kernel, padding=kernel // 2, bias=False) for kernel in kernels
        )
        self.pooled = nn.Conv1d(inputs, filters, 1, bias=False)
        self.norm = nn.BatchNorm1d(filters * (len(kernels) + 1))

    def forward(self, series: Tensor) -> Tensor:
        narrow = self.bottleneck(series)
        made = [convolution(narrow) for convolution in self.convolutions]
        made.append(self.pooled(functional.max_pool1d(series, 3, stride=1, padding=1)))
        return functional.relu(self.norm(torch.cat(made, dim=1)))


class Inception(Network):
    """InceptionTime as a member; by default three modules of 32 channels."""

    name: ClassVar[str] = "inception"
    batch: ClassVar[int] = 64

    def _module(self, features: int) -> nn.Module:
        s = self.settings.inception
        return InceptionNetwork(InceptionConfig(features, self.outputs, s.filters, s.kernels, s.modules))
