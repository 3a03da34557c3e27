"""TabM: a perceptron that is many, which share their weights but for a scale of each input and output.

Every hidden layer of member i computes s_i * (W (r_i * x)) + b_i (BatchEnsemble); W is common to all k members, the
rest and the last layer are their own. Each member is trained on its own error, and their scores are averaged: the
errors that they make alone cancel, at little more than the cost of the weights of one.

Gorishniy, Kotelnikov and Babenko, TabM: Advancing Tabular Deep Learning with Parameter-Efficient Ensembling, 2024
(arXiv 2410.24210), without embeddings of the columns; Wen, Tran and Ba, BatchEnsemble, 2020.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn

from quorate.models.networks.tabular.tabular_network import TabularNetwork
from quorate.models.networks.training.losses import Loss


@dataclass(frozen=True, slots=True)
class TabMConfig:
    """Shape of the network.

    Attributes:
        inputs: columns times bars.
        outputs: C.
        members: k, perceptrons that share their weights.
        width: of the hidden layers.
        layers: number of hidden layers.
        dropout: after each of them.
    """

    inputs: int
    outputs: int
    members: int
    width: int
    layers: int
    dropout: float


class BatchEnsembleLinear(nn.Module):
    """A linear layer of k members, (B, k, inputs) -> (B, k, outputs), which share its weights.

    Args:
        members: k.
        inputs, outputs: numbers of values.
        random_scales: whether the scales of the inputs begin at 1 or -1 at random, so that the members differ; else
            at 1.
    """

    def __init__(self, members: int, inputs: int, outputs: int, *, random_scales: bool) -> None:
        super().__init__()
        self.shared = nn.Linear(inputs, outputs, bias=False)
        signs = torch.randint(2, (members, inputs)) * 2.0 - 1.0
        self.input_scales = nn.Parameter(signs if random_scales else torch.ones(members, inputs))
        self.output_scales = nn.Parameter(torch.ones(members, outputs))
        self.bias = nn.Parameter(torch.empty(members, outputs).uniform_(-(inputs**-0.5), inputs**-0.5))

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.shared(x * self.input_scales) * self.output_scales + self.bias
        return output


class TabMNetwork(nn.Module):
    """The network, (B, L, F) -> (B, k, outputs)."""

    def __init__(self, config: TabMConfig) -> None:
        super().__init__()
        sizes = [config.inputs, *[config.width] * config.layers]
        layers: list[nn.Module] = []
        for number, (inputs, outputs) in enumerate(pairwise(sizes)):
            layers.append(BatchEnsembleLinear(config.members, inputs, outputs, random_scales=number == 0))
            layers += [nn.ReLU(), nn.Dropout(config.dropout)]
        self.hidden = nn.Sequential(*layers)
        # Small, so that every member starts near the class shares.
        self.head = nn.Parameter(0.1 * config.width**-0.5 * torch.randn(config.members, config.width, config.outputs))
        self.bias = nn.Parameter(torch.zeros(config.members, config.outputs))

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.hidden(x.flatten(1)[:, None])
        return (found.transpose(0, 1) @ self.head).transpose(0, 1) + self.bias


class TabM(TabularNetwork):
    """TabM as a member; by default of the newest bar."""

    name: ClassVar[str] = "tabm"
    batch: ClassVar[int] = 256

    def _module(self, features: int) -> nn.Module:
        s = self.settings.tabm
        inputs = features * s.window
        return TabMNetwork(TabMConfig(inputs, self.outputs, s.members, s.width, s.layers, s.dropout))

    def _loss(self) -> Loss:
        """The mean loss of the members, each on its own outputs, (B, k, C)."""
        loss = super()._loss()

        def of_each(output: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
            k = output.shape[1]
            own = None if weight is None else weight.repeat_interleave(k)
            return loss(output.flatten(0, 1), target.repeat_interleave(k, dim=0), own)

        return of_each
