"""Attention among the few patches of one channel.

Vaswani et al., Attention Is All You Need, 2017; scores that add up over the layers: He et al., RealFormer, 2021
(arXiv 2012.11747), which PatchTST uses.

The tiles are tiny (10 x 10 at the member's size), and there are tens of thousands of them in a batch. The fused kernel
is made for long sequences and is slow on these; so is a softmax over rows of 10. Two batched products and a softmax of
elementwise steps are several times faster, in bfloat16 above all (benchmarks/networks_step.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from quorate.models.networks.patchtst.dropout import Dropout


class Attention(nn.Module):
    """Multi-head self-attention among the N tokens of each of S sequences.

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

    def forward(self, rows: Tensor, N: int, before: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Tokens of S sequences as the rows of one matrix: in a graph, a product and its bias are one node then.

        Args:
            rows: (SN, D) tokens, in the order of `as_rows`.
            N: tokens of a sequence.
            before: (SH, N, N) scores of the layer below, to be added.

        Returns:
            (SN, D) new tokens and (SH, N, N) scores.
        """
        q, k, v = self._heads(self.qkv(rows), N)  # (SH, N, d) each
        scores = torch.bmm(q * int(q.shape[-1]) ** -0.5, k.transpose(1, 2))
        if before is not None:
            scores = scores + before
        weights = self.dropout(softmax(scores))
        return self.out(self._side_by_side(torch.bmm(weights, v))), scores

    def _heads(self, qkv: Tensor, N: int) -> Sequence[Tensor]:
        H, D = self.heads, int(qkv.shape[1]) // 3  # known when a graph is traced, unlike S
        if torch.onnx.is_in_onnx_export():
            return [part.reshape(N, -1, D // H).transpose(0, 1) for part in torch.split(qkv, D, dim=1)]
        return qkv.reshape(-1, N, 3, H, D // H).permute(2, 0, 3, 1, 4).reshape(3, -1, N, D // H).unbind(0)

    def _side_by_side(self, mixed: Tensor) -> Tensor:
        """(SH, N, d) heads as (SN, D) rows."""
        H, N, d = self.heads, int(mixed.shape[1]), int(mixed.shape[2])
        if torch.onnx.is_in_onnx_export():
            return mixed.transpose(0, 1).reshape(-1, H * d)
        return mixed.reshape(-1, H, N, d).transpose(1, 2).reshape(-1, H * d)


def as_rows(tokens: Tensor) -> Tensor:
    """(S, N, D) tokens as the (SN, D) rows of one matrix, a sequence after the other.

    In a graph, all first tokens come before all second ones: the runtime's product reads heads where they lie if no
    axis but the first is out of its place, and nothing need be copied.
    """
    return (tokens.transpose(0, 1) if torch.onnx.is_in_onnx_export() else tokens).reshape(-1, int(tokens.shape[-1]))


def as_tokens(rows: Tensor, N: int) -> Tensor:
    """And back: (S, N, D)."""
    D = int(rows.shape[1])
    return rows.reshape(N, -1, D).transpose(0, 1) if torch.onnx.is_in_onnx_export() else rows.reshape(-1, N, D)


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
