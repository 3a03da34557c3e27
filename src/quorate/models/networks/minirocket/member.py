"""MiniRocket as a member: its transform, standardised, and a linear head that the training loop fits.

As in the paper's section on large data sets, the head is a logistic regression trained by Adam, not a ridge
regression, which would need the features of all windows at once; for returns it is a linear regression.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from quorate.models.networks.minirocket.kernels import KERNELS
from quorate.models.networks.minirocket.transform import MiniRocketConfig, MiniRocketTransform
from quorate.models.networks.network_model import Network, TrainingExamples
from quorate.models.networks.scaling import StandardisedNetwork
from quorate.models.networks.training.loss_history import LossHistory

# Training windows that biases and scales are fitted on.
_SAMPLE = 4_096
# Of them at once.
_PIECE = 256

# Least standard deviation of a feature, a share of bars; one that varies less is the same in nearly all windows.
_LEAST = 1e-3


class MiniRocketNetwork(nn.Module):
    """The network: (B, L, F) float32 to (B, outputs).

    Attributes:
        mean, inverse: (84 * each,) mean of the features, and what they are multiplied by after it is subtracted.
    """

    mean: Tensor
    inverse: Tensor

    def __init__(self, config: MiniRocketConfig, outputs: int) -> None:
        super().__init__()
        count = KERNELS * config.each
        self.transform = MiniRocketTransform(config)
        self.register_buffer("mean", torch.zeros(count))
        self.register_buffer("inverse", torch.ones(count))
        self.head = nn.Linear(count, outputs)
        # Its loss is convex: any other start would only be noise that the training has to remove.
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            features = (self.transform(x) - self.mean) * self.inverse
        output: Tensor = self.head(features)
        return output

    @torch.no_grad()
    def fit_transform(self, windows: Tensor, random: np.random.Generator) -> None:
        """Set biases, means and scales from (n, L, F) standardised training windows."""
        self.transform.fit(windows, random)
        found = torch.cat([self.transform(piece) for piece in torch.split(windows, _PIECE)]).double()
        spread = found.std(dim=0, correction=0)
        self.mean.copy_(found.mean(dim=0))
        # Their sum has the size of a single one, so that the rate of the head does not grow with their number.
        size = len(spread) ** -0.5
        self.inverse.copy_(torch.where(spread > _LEAST, size / spread, 0.0))


class MiniRocket(Network):
    """MiniRocket as a member; by default 1,008 features of 24 bars."""

    name: ClassVar[str] = "minirocket"
    batch: ClassVar[int] = 32

    def _module(self, features: int) -> nn.Module:
        s = self.settings.minirocket
        return MiniRocketNetwork(MiniRocketConfig(s.window, features, s.features_each), self.outputs)

    def _train(self, network: StandardisedNetwork, data: TrainingExamples) -> LossHistory:
        """Fit the transform on a sample of the training windows, then train the head.

        The sample follows from the seed, so that a resumed run has the same transform; one that begins at earlier
        weights keeps theirs.
        """
        inner = network.network
        if isinstance(inner, MiniRocketNetwork) and not data.warm:
            random, count = np.random.default_rng(self.seed), len(data.examples)
            windows, _, _ = data.examples.batch(np.sort(random.permutation(count)[:_SAMPLE]))
            inner.fit_transform(network.scaled(windows.to(network.offset.device)), random)
        return super()._train(network, data)
