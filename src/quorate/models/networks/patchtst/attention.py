"""Multi-head self-attention among the patches of one channel.

Vaswani et al., Attention Is All You Need, 2017; residual attention scores: He et al., RealFormer, 2021
(arXiv 2012.11747), which PatchTST uses.

The score matrices are small (10 x 10 at the member's size), with tens of thousands of them in a batch. torch's fused
kernel is made for long sequences and is slow on these, as is a softmax over rows of 10. Two batched products and a
softmax of elementwise operations are several times faster, mainly in bfloat16 (benchmarks/networks_step.py).
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
        """Attend within each sequence.

        The tokens of all sequences are the rows of one matrix, so that in a graph a product and its bias are one node.

        Args:
            rows: (SN, D) tokens, in the order of `as_rows`.
            N: tokens of a sequence.
            before: (SH, N, N) scores of the previous layer, which are added.

        Returns:
            (SN, D) new tokens and (SH, N, N) scores.
        """
        q, k, v = self._heads(self.qkv(rows), N)  # (SH, N, d) each
        scores = torch.bmm(q * int(q.shape[-1]) ** -0.5, k.transpose(1, 2))
        if before is not None:
            scores = scores + before
        weights = self.dropout(softmax(scores))
        return self.out(self._concatenate(torch.bmm(weights, v))), scores

    def _heads(self, qkv: Tensor, N: int) -> Sequence[Tensor]:
        H, D = self.heads, int(qkv.shape[1]) // 3  # constants when a graph is traced, unlike S
        if torch.onnx.is_in_onnx_export():
            return [part.reshape(N, -1, D // H).transpose(0, 1) for part in torch.split(qkv, D, dim=1)]
        return qkv.reshape(-1, N, 3, H, D // H).permute(2, 0, 3, 1, 4).reshape(3, -1, N, D // H).unbind(0)

    def _concatenate(self, mixed: Tensor) -> Tensor:
        """(SH, N, d) heads as (SN, D) rows."""
        H, N, d = self.heads, int(mixed.shape[1]), int(mixed.shape[2])
        if torch.onnx.is_in_onnx_export():
            return mixed.transpose(0, 1).reshape(-1, H * d)
        return mixed.reshape(-1, H, N, d).transpose(1, 2).reshape(-1, H * d)


def as_rows(tokens: Tensor) -> Tensor:
    """(S, N, D) tokens as the (SN, D) rows of one matrix, sequence by sequence.

    In a graph the order is token by token (N, S): ONNX Runtime then fuses the transposition of the heads with their
    product, without a copy.
    """
    return (tokens.transpose(0, 1) if torch.onnx.is_in_onnx_export() else tokens).reshape(-1, int(tokens.shape[-1]))


def as_tokens(rows: Tensor, N: int) -> Tensor:
    """The (S, N, D) tokens of (SN, D) rows: the inverse of `as_rows`."""
    D = int(rows.shape[1])
    return rows.reshape(N, -1, D).transpose(0, 1) if torch.onnx.is_in_onnx_export() else rows.reshape(-1, N, D)


def softmax(scores: Tensor) -> Tensor:
    """(..., N) scores to weights that sum to 1 over the last axis.

    >>> softmax(torch.tensor([[0.0, 0.0], [1000.0, 0.0]])).tolist()
    [[0.5, 0.5], [1.0, 0.0]]
    """
    if torch.onnx.is_in_onnx_export():
        return scores.softmax(dim=-1)  # one node, which is fast in ONNX Runtime
    return _Softmax.apply(scores)  # type: ignore[no-any-return, no-untyped-call]


class _Softmax(torch.autograd.Function):
    """Softmax of short rows by elementwise operations over all rows at once.

    The row sums, broadcast to the rows, are a product with a matrix of ones, which is faster than a reduction over rows
    of 10 and a broadcast.
    """

    @staticmethod
    def forward(ctx: Any, scores: Tensor) -> Tensor:
        exponentials = (scores - scores.amax(dim=-1, keepdim=True)).exp_()
        weights = exponentials.div_(_row_sums(exponentials))
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
