"""The transformer encoder of PatchTST, with the variants of its paper and code.

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
    """Shape of an encoder.

    Attributes:
        width: D of a token.
        heads: H of attention, a divisor of D.
        layers: number of layers.
        feedforward: width inside a layer's perceptron.
        dropout: of the output of each sublayer and inside the perceptron; twice of the attention output, as in the
            authors' code.
        attention_dropout: of the attention weights.
        norm: "layer" normalises each token, "batch" each component over all tokens of the batch.
        pre_norm: normalise the input of each sublayer and the output of the encoder; else the sum of each sublayer's
            input and output.
        residual_attention: each layer adds the attention scores of the previous one to its own.
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
    """(S, N, D) tokens to (S, N, D) tokens; the layers read them as the (SN, D) rows of one matrix.

    Attributes:
        recompute: recompute the activations of the layers in the backward pass instead of keeping them. Only with layer
            normalisation: batch normalisation would update its running statistics twice.
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
    """Attention and a perceptron, each with a residual connection."""

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
        # Two dropouts in sequence are one with this share.
        self.mixed_dropout = Dropout(1 - (1 - config.dropout) ** 2)
        self.dropout = Dropout(config.dropout)

    def forward(self, rows: Tensor, N: int, before: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Tokens as in `Attention`, and the scores for the next layer with residual attention."""
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
