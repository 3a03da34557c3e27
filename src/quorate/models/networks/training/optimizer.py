"""The optimizer: Adam, or AdamW (Loshchilov and Hutter, 2017, arXiv 1711.05101)."""

from __future__ import annotations

import torch
from torch import nn

from quorate.core.settings import NetworkSettings


def optimizer(parameters: list[nn.Parameter], settings: NetworkSettings) -> torch.optim.Optimizer:
    """The optimizer of the settings, with weight decay for matrices only, not for biases and normalisation scales."""
    groups = [
        {
            "params": [parameter for parameter in parameters if parameter.ndim >= 2],
            "weight_decay": settings.weight_decay,
        },
        {"params": [parameter for parameter in parameters if parameter.ndim < 2], "weight_decay": 0.0},
    ]
    kind = torch.optim.AdamW if settings.optimizer == "adamw" else torch.optim.Adam
    return kind([group for group in groups if group["params"]], lr=settings.learning_rate, fused=True)
