"""The transformer encoder of PatchTST, with the choices its paper and code leave open.

Nie et al., A Time Series is Worth 64 Words, 2023 (arXiv 2211.14730), section 3.1 and appendix A.1.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from quorate.models.networks.attention import Attention
from quorate.models.networks.dropout import Dropout

Norm = Literal["layer", "batch"]


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """Sizes and choices of an encoder.

    Attributes:
        width: D of a token.
        heads: H of attention, a divisor of D.
        layers: one above the other.
        feedforward: width inside a layer's perceptron.
        dropout: of what each sublayer adds and inside its perceptron.
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
    """(S, N, D) tokens to (S, N, D) tokens.

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
        scores: Tensor | None = None
        recompute = self.training and getattr(self, "recompute", False)
        for layer in self.layers:
            if recompute:
                x, scores = checkpoint(layer, x, scores, use_reentrant=False)
            else:
                x, scores = layer(x, scores)
        return self.norm(x)  # type: ignore[no-any-return]


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
        self.dropout = Dropout(config.dropout)

    def forward(self, x: Tensor, before: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """(S, N, D) tokens and the (SH, N, N) scores of the layer below; new tokens and the scores to pass on."""
        first, second = self.norms
        mixed, scores = self.attention(first(x) if self.pre_norm else x, before)
        x = x + self.dropout(mixed)
        if not self.pre_norm:
            x = first(x)
        N, D = int(x.shape[1]), int(x.shape[2])
        rows = (second(x) if self.pre_norm else x).reshape(-1, D)  # one matrix, as in attention
        x = x + self.dropout(self.perceptron(rows).reshape(-1, N, D))
        if not self.pre_norm:
            x = second(x)
        return x, scores if self.residual_attention else None


class TokenBatchNorm(nn.BatchNorm1d):
    """Batch normalisation of (S, N, D) tokens: over all S x N of them, each of D by itself."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.reshape(-1, x.shape[-1])).reshape(x.shape)


def _norm(config: EncoderConfig) -> nn.Module:
    return nn.LayerNorm(config.width) if config.norm == "layer" else TokenBatchNorm(config.width)
