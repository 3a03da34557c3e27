"""The transform of MiniRocket as a torch module: fixed convolutions, and the share of bars above each bias.

A hard threshold is exact or wrong: another order of summation, as of ONNX Runtime, could put a sum on its other side.
Windows are therefore rounded to whole multiples of a small step. Their sums are whole numbers that float32 holds
exactly, and each bias is halfway between two of them, so that every machine finds the same features.

Shapes: B rows, L bars of a window, F features, K = 84 kernels, Q features of a kernel with one dilation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from quorate.models.networks.minirocket.kernels import KERNELS, LENGTH, channels, dilations, kernel_weights, quantiles

# Steps in a standard deviation, and the largest value in standard deviations: a kernel has weights of 12 in all and
# at most 9 channels, so sums are below 2 ** 24, up to which float32 holds whole numbers.
_STEPS, _LARGEST = 1024.0, 100.0


@dataclass(frozen=True, slots=True)
class MiniRocketConfig:
    """Shape of the transform.

    Attributes:
        window: L, at least 9.
        features: F.
        each: features that each of the 84 kernels gives.
    """

    window: int
    features: int
    each: int = 12


class MiniRocketTransform(nn.Module):
    """(B, L, F) standardised windows to (B, 84 * each) shares from 0 to 1.

    The channels of each kernel are drawn from torch's random numbers. Biases are 0 until `fit`.
    """

    def __init__(self, config: MiniRocketConfig) -> None:
        super().__init__()
        self.config = config
        self.dilations, self.counts = (found.tolist() for found in dilations(config.window, config.each))
        random = np.random.default_rng(int(torch.randint(2**31, ())))
        plain = kernel_weights()[:, None]  # (K, 1, 9)
        for place, count in enumerate(self.counts):
            weights = torch.from_numpy(plain * channels(config.features, random)[:, :, None]).float()
            self.register_buffer(f"weights_{place}", weights)  # (K, F, 9)
            self.register_buffer(f"biases_{place}", torch.zeros(KERNELS, count, 1))

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            steps, found = _steps(x), []
            for place, dilation in enumerate(self.dilations):
                # Every second kernel reads zeros beyond the ends of the window; the others stay inside it.
                for first, padding in ((place % 2, dilation * (LENGTH // 2)), (1 - place % 2, 0)):
                    weights, biases = self._of(place, slice(first, None, 2))
                    sums = functional.conv1d(steps, weights, padding=padding, dilation=dilation)  # (B, K / 2, bars)
                    found.append((sums.unsqueeze(2) > biases).float().mean(dim=3).flatten(1))
            return torch.cat(found, dim=1)

    @torch.no_grad()
    def fit(self, windows: Tensor, random: np.random.Generator) -> None:
        """Set each bias to a quantile of its kernel over one training window.

        Args:
            windows: (n, L, F) standardised training windows.
            random: source of the draws of a window for each kernel.
        """
        levels = quantiles(KERNELS * self.config.each)
        for place, (dilation, count) in enumerate(zip(self.dilations, self.counts, strict=True)):
            weights, biases = self._of(place, slice(None))
            drawn = _steps(windows[torch.from_numpy(random.integers(len(windows), size=KERNELS))])
            sums = functional.conv1d(drawn, weights, padding=dilation * (LENGTH // 2), dilation=dilation)
            own, levels = levels[: KERNELS * count].reshape(KERNELS, count), levels[KERNELS * count :]
            rows = (np.quantile(sums[kernel, kernel].cpu().numpy(), own[kernel]) for kernel in range(KERNELS))
            biases.copy_(torch.from_numpy(np.floor(np.stack(list(rows))) + 0.5)[:, :, None])

    def _of(self, place: int, kernels: slice) -> tuple[Tensor, Tensor]:
        """Weights (k, F, 9) and biases (k, Q, 1) of some kernels with one dilation."""
        weights: Tensor = getattr(self, f"weights_{place}")
        biases: Tensor = getattr(self, f"biases_{place}")
        return weights[kernels], biases[kernels]


def _steps(x: Tensor) -> Tensor:
    """(B, F, L) whole numbers of steps for (B, L, F) standardised windows."""
    return (x.transpose(1, 2).clamp(-_LARGEST, _LARGEST) * _STEPS).round()
