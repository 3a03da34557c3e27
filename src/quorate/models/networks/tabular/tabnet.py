"""TabNet: a network that attends to some columns at each of several steps, and to others at the next.

At each step an attentive transformer chooses a sparse mask of the columns from what the step before found, a feature
transformer reads the masked columns, and what it decides is added to the output. Columns that were used are used less
at later steps. Feature transformers are gated linear units, the first of them common to all steps, normalised over
parts of the batch (ghost batch normalisation).

Arik and Pfister, TabNet: Attentive Interpretable Tabular Learning, 2019 (arXiv 1908.07442); Hoffer, Hubara and Soudry,
Train Longer, Generalize Better, 2017, for ghost batches.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from quorate.models.networks.network_model import TrainingExamples
from quorate.models.networks.scaling import ScoringNetwork, StandardisedNetwork
from quorate.models.networks.tabular.sparsemax import sparsemax
from quorate.models.networks.tabular.tabular_network import TabularNetwork
from quorate.models.networks.training.loss_history import LossHistory
from quorate.models.networks.training.losses import Loss

# Of the sums of two layers, so that their variance stays.
_HALF = 0.5**0.5

# Added to shares of a mask before their logarithm.
_LEAST = 1e-10

# Share of a batch in the running means and variances.
_MOMENTUM = 0.1


@dataclass(frozen=True, slots=True)
class TabNetConfig:
    """Shape of the network.

    Attributes:
        inputs: columns times bars.
        outputs: C.
        width: of what is decided at a step, and of what the next mask is chosen from.
        steps: of attention.
        shared, own: gated layers of a feature transformer that all steps have in common, and of its own.
        relaxation: how often a column may be used, 1 for once.
        ghost: rows that are normalised together.
    """

    inputs: int
    outputs: int
    width: int
    steps: int
    shared: int
    own: int
    relaxation: float
    ghost: int


class GhostNorm(nn.Module):
    """Batch normalisation of (B, n) values over parts of the batch of about `ghost` rows.

    Args:
        values: n.
        ghost: rows of a part.
    """

    def __init__(self, values: int, ghost: int) -> None:
        super().__init__()
        self.ghost = ghost
        self.norm = nn.BatchNorm1d(values, momentum=_MOMENTUM)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            output: Tensor = self.norm(x)
            return output
        if len(x) == 1:  # has no variance
            return functional.batch_norm(
                x, self.norm.running_mean, self.norm.running_var, self.norm.weight, self.norm.bias
            )
        return torch.cat([self.norm(part) for part in x.chunk(max(1, -(-len(x) // self.ghost)))])


class FeatureTransformer(nn.Module):
    """Linear layers, normalised, with gated linear units whose outputs are added up: (B, inputs) -> (B, 2 width).

    Args:
        config: of the network.
    """

    def __init__(self, config: TabNetConfig) -> None:
        super().__init__()
        wide = 2 * config.width
        self.own = nn.ModuleList(nn.Linear(wide, 2 * wide, bias=False) for _ in range(config.own))
        self.norms = nn.ModuleList(GhostNorm(2 * wide, config.ghost) for _ in range(config.shared + config.own))

    def forward(self, x: Tensor, common: nn.ModuleList) -> Tensor:
        """The layers that all steps have in common come first; what is normalised is each step's own."""
        found = x
        for number, (linear, norm) in enumerate(zip((*common, *self.own), self.norms, strict=True)):
            gated = functional.glu(norm(linear(found)), dim=1)
            found = (found + gated) * _HALF if number else gated
        return found


class TabNetNetwork(nn.Module):
    """The network, (B, L, F) -> (B, outputs).

    Attributes:
        entropy: () mean entropy of the masks of the last batch in training, in nats: how spread the attention was.
    """

    entropy: Tensor

    def __init__(self, config: TabNetConfig) -> None:
        super().__init__()
        self.config = config
        wide = 2 * config.width
        sizes = [config.inputs, *[wide] * (config.shared - 1)]
        self.common = nn.ModuleList(nn.Linear(size, 2 * wide, bias=False) for size in sizes)
        self.norm = nn.BatchNorm1d(config.inputs, momentum=_MOMENTUM)
        self.transformers = nn.ModuleList(FeatureTransformer(config) for _ in range(config.steps + 1))
        self.attention = nn.ModuleList(
            nn.Sequential(nn.Linear(config.width, config.inputs, bias=False), GhostNorm(config.inputs, config.ghost))
            for _ in range(config.steps)
        )
        self.head = nn.Linear(config.width, config.outputs)
        # Small, so that the member starts near the class shares.
        nn.init.normal_(self.head.weight, std=0.1 * config.width**-0.5)
        nn.init.zeros_(self.head.bias)
        self.entropy = torch.zeros(())

    def forward(self, x: Tensor) -> Tensor:
        columns, width = x.flatten(1), self.config.width
        if len(columns) > 1 or not self.training:
            columns = self.norm(columns)
        first, *transformers = self.transformers
        passed = first(columns, self.common)[:, width:]
        unused, decided = torch.ones_like(columns), torch.zeros_like(passed)
        entropies = []
        for attention, transformer in zip(self.attention, transformers, strict=True):
            mask = sparsemax(attention(passed) * unused)
            unused = unused * (self.config.relaxation - mask)
            found = transformer(columns * mask, self.common)
            decided = decided + torch.relu(found[:, :width])
            passed = found[:, width:]
            if self.training:
                entropies.append(-(mask * torch.log(mask + _LEAST)).sum(dim=1).mean())
        if self.training:
            self.entropy = torch.stack(entropies).mean()
        output: Tensor = self.head(decided)
        return output


class DoublePrecision(nn.Module):
    """A copy of a network that computes in double precision: (B, L, F) -> (B, C), both single.

    Where the values before a normalisation differ little between rows, it magnifies what was rounded, and steps of
    attention magnify it again.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = deepcopy(network).double()

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.network(x.double())
        return output.float()


class TabNet(TabularNetwork):
    """TabNet as a member; by default of the newest bar."""

    name: ClassVar[str] = "tabnet"
    batch: ClassVar[int] = 256

    def _predicting(self, fitted: ScoringNetwork) -> nn.Module:
        return DoublePrecision(fitted).eval()

    def _module(self, features: int) -> nn.Module:
        s = self.settings.tabnet
        inputs = features * s.window
        return TabNetNetwork(
            TabNetConfig(inputs, self.outputs, s.width, s.steps, s.shared, s.own, s.relaxation, s.ghost)
        )

    def _train(self, network: StandardisedNetwork, data: TrainingExamples) -> LossHistory:
        inner = network.network
        if not isinstance(inner, TabNetNetwork):
            return super()._train(network, data)
        history = self._run(network, data, _with_entropy(self._loss(), inner, self.settings.tabnet.sparsity))
        inner.entropy = torch.zeros(())  # the last one holds all that it was computed from
        return history


def _with_entropy(loss: Loss, network: TabNetNetwork, sparsity: float) -> Loss:
    """The loss and, in training, `sparsity` times the entropy of the masks of the same batch."""

    def of_both(output: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
        cost = loss(output, target, weight)
        return cost + sparsity * network.entropy if network.training else cost

    return of_both
