"""A small problem for a small network: classes that follow the first feature of the last bar, with noise."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from quorate.models.networks.training.examples import WindowExamples


def examples(rows, seed=0, task="class", weight=None):
    """Windows of 8 bars x 3 features; the class follows the last bar's first feature."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, 8, 3)).astype(np.float32)
    y = 0.5 * X[:, -1, 0] + 0.1 * random.normal(size=rows)
    if task == "return":
        return WindowExamples(X, torch.from_numpy(y.astype(np.float32))[:, None], weight)
    return WindowExamples(X, torch.from_numpy(np.digitize(y, (-0.2, 0.2)).astype(np.int64)), weight)


def perceptron(outputs=3, dropout=0.1, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Flatten(), nn.Linear(24, 16), nn.ReLU(), nn.Dropout(dropout), nn.Linear(16, outputs)
        )  # fmt: skip


def linear_weights(rows):
    """Weights from 0.1 to 1.9."""
    return np.linspace(0.1, 1.9, rows)


def weights(module):
    return b"".join(tensor.numpy().tobytes() for tensor in module.state_dict().values())


@pytest.fixture(name="small")
def _small():
    return SimpleNamespace(
        examples=examples, perceptron=perceptron, linear_weights=linear_weights, weights=weights, file=__file__
    )
