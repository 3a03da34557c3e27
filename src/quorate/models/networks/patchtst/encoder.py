"""The transformer encoder of PatchTST, with the choices its paper and code leave open.

Nie et al., A Time Series is Worth 64 Words, 2023 (arXiv 2211.14730), section 3.1 and appendix A.1.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from quorate.models.networks.patchtst.attention import Attention, as_rows, as_tokens
from quorate.models.networks.patchtst.dropout import Dropout

Norm = Literal["layer", "batch"]


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """Sizes and choices of an encoder.

    Attributes:
        width: D of a token.
        heads: H of attention, a divisor of D.
        layers: one above the other.
        feedforward: width inside a layer's perceptron.
        dropout: of what each sublayer adds and inside its perceptron; of what attention adds twice, as in the authors'
            code.
        attention_dropout: of the attention weights.
        norm: over a token, or over all tokens of the batch.
        pre_norm: normalise what a sublayer reads, and the end of the encoder; else what it and its input add up to.
        residual_attention: each layer adds the scores of the one below to its own.
    """

    width: int = 128
    heads: int = 8
    layers: int = 3
    feedforward: int = 512
    dropout: float = 0.0
    attention_dropout: float = 0.0
    norm: Norm = "layer"
    pre_norm: bool = True
    residual_attention: bool = False


class Encoder(nn.Module):
    """(S, N, D) tokens to (S, N, D) tokens; within, they are the (SN, D) rows of one matrix.

    Attributes:
        recompute: forget activations inside the layers and work them out again in the backward pass. Only with layer
            norm: batch norm would count each batch twice in what it remembers.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        if config.norm == "layer":
            self.recompute = False
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.layers))
        self.norm = _norm(config) if config.pre_norm else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        rows, N, scores = as_rows(x), int(x.shape[1]), None
        recompute = self.training and getattr(self, "recompute", False)
        for layer in self.layers:
            if recompute:
                rows, scores = checkpoint(layer, rows, N, scores, use_reentrant=False)
            else:
                rows, scores = layer(rows, N, scores)
        return as_tokens(self.norm(rows), N)


class EncoderLayer(nn.Module):
    """Attention and a perceptron, each added to what it read."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.pre_norm = config.pre_norm
        self.residual_attention = config.residual_attention
        self.attention = Attention(config.width, config.heads, config.attention_dropout)
        self.perceptron = nn.Sequential(
            nn.Linear(config.width, config.feedforward),
            nn.GELU(),
            Dropout(config.dropout),
            nn.Linear(config.feedforward, config.width),
        )
        self.norms = nn.ModuleList((_norm(config), _norm(config)))
        # Dropped twice is dropped once, with the share that is left of what is left.
        self.mixed_dropout = Dropout(1 - (1 - config.dropout) ** 2)
        self.dropout = Dropout(config.dropout)

    def forward(self, rows: Tensor, N: int, before: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Tokens and scores as in `Attention`; the scores to pass on, if any."""
        first, second = self.norms
        mixed, scores = self.attention(first(rows) if self.pre_norm else rows, N, before)
        rows = rows + self.mixed_dropout(mixed)
        if not self.pre_norm:
            rows = first(rows)
        rows = rows + self.dropout(self.perceptron(second(rows) if self.pre_norm else rows))
        if not self.pre_norm:
            rows = second(rows)
        return rows, scores if self.residual_attention else None


def _norm(config: EncoderConfig) -> nn.Module:
    return nn.LayerNorm(config.width) if config.norm == "layer" else nn.BatchNorm1d(config.width)
