"""Attention among the few patches of one channel.

Vaswani et al., Attention Is All You Need, 2017; scores that add up over the layers: He et al., RealFormer, 2021
(arXiv 2012.11747), which PatchTST uses.

The tiles are tiny (10 x 10 at the member's size), and there are tens of thousands of them in a batch. The fused kernel
is made for long sequences and is slow on these; so is a softmax over rows of 10. Two batched products and a softmax of
elementwise steps are several times faster, in bfloat16 above all (benchmarks/networks_step.py).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from quorate.models.networks.dropout import Dropout


class Attention(nn.Module):
    """Multi-head self-attention over (S, N, D) tokens.

    Args:
        width: D.
        heads: H, a divisor of D.
        dropout: of the attention weights.
    """

    def __init__(self, width: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)  # one product instead of three
        self.out = nn.Linear(width, width)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, before: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(S, N, D) tokens and the (SH, N, N) scores of the layer below, to be added; new tokens and scores."""
        N, D = int(x.shape[1]), int(x.shape[2])  # known when a graph is traced, unlike S
        H, d = self.heads, D // self.heads
        # Tokens as the rows of one matrix: in a graph, a product and its bias are one node then.
        qkv = self.qkv(x.reshape(-1, D)).reshape(-1, N, 3, H, d).permute(2, 0, 3, 1, 4)  # (3, S, H, N, d)
        q, k, v = qkv.reshape(3, -1, N, d).unbind(0)
        scores = torch.bmm(q * d**-0.5, k.transpose(1, 2))  # (SH, N, N)
        if before is not None:
            scores = scores + before
        weights = self.dropout(softmax(scores))
        mixed = torch.bmm(weights, v).reshape(-1, H, N, d).transpose(1, 2)  # (S, N, H, d)
        return self.out(mixed.reshape(-1, D)).reshape(-1, N, D), scores


def softmax(scores: Tensor) -> Tensor:
    """(..., N) scores to weights that sum to 1 over the last axis.

    >>> softmax(torch.tensor([[0.0, 0.0], [1000.0, 0.0]])).tolist()
    [[0.5, 0.5], [1.0, 0.0]]
    """
    if torch.onnx.is_in_onnx_export():
        return scores.softmax(dim=-1)  # one node, which the runtime does well
    return _Softmax.apply(scores)  # type: ignore[no-any-return, no-untyped-call]


class _Softmax(torch.autograd.Function):
    """Softmax of short rows, each step vectorised over all rows at once.

    A row's sum, spread over the row, is a product with a matrix of ones: that is faster than to reduce rows of 10 and
    to broadcast the results.
    """

    @staticmethod
    def forward(ctx: Any, scores: Tensor) -> Tensor:
        powers = (scores - scores.amax(dim=-1, keepdim=True)).exp_()
        weights = powers.div_(_row_sums(powers))
        ctx.save_for_backward(weights)
        return weights

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (weights,) = ctx.saved_tensors
        out: Tensor = gradient * weights
        return out.sub_(_row_sums(out).mul_(weights))


def _row_sums(x: Tensor) -> Tensor:
    N = x.shape[-1]
    return torch.mm(x.reshape(-1, N), x.new_ones(N, N)).reshape(x.shape)
