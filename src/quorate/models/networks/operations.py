"""Operations of a network, by torch's own counter."""

from __future__ import annotations

import warnings

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def operations(network: nn.Module, window: int, columns: int) -> float:
    """Floating-point operations of the matrix products for one window, a multiplication and its addition as two.

    Args:
        network: (B, L, F) to its outputs.
        window: L.
        columns: F.
    """
    was_training = network.training
    network.eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, about a switch for other hardware
        # The fused LSTM of oneDNN is one operator, which the counter does not know; without it, products are counted.
        with torch.backends.mkldnn.flags(enabled=False), torch.no_grad(), FlopCounterMode(display=False) as counter:
            network(torch.zeros(1, window, columns))
    network.train(was_training)
    return float(counter.get_total_flops())
