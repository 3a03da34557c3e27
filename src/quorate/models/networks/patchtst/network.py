"""PatchTST: patches of each channel as tokens, one transformer for all channels.

Nie et al., A Time Series is Worth 64 Words, 2023 (arXiv 2211.14730); details that the paper leaves open from the
authors' code, github.com/yuqinie98/PatchTST.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

from quorate.core.errors import ModelError
from quorate.models.networks.patchtst.dropout import Dropout
from quorate.models.networks.patchtst.encoder import Encoder, EncoderConfig
from quorate.models.networks.patchtst.patching import Embedding, PatchEmbedding, Positions, align, patch_count
from quorate.models.networks.patchtst.revin import RevIN, Statistics

Head = Literal["forecast", "scores"]

# Tokens that the encoder processes together: their activations fit in the cache, and no array is so large that the
# allocator requests it from the system in every step.
_TOKENS = 8_960


@dataclass(frozen=True, slots=True)
class PatchTSTConfig:
    """Shape of the network.

    Attributes:
        features: F channels.
        window: L bars.
        outputs: bars of a forecast, or outputs of the "scores" head: 3 logits, 1 return.
        head: "forecast" predicts the next bars of every channel, "scores" one output vector from all channels.
        patch: P bars of a patch, at most L.
        stride: bars between the starts of two patches.
        end_padding: repeat the newest bar `stride` times, for one more patch.
        embedding, positions: as in `PatchEmbedding`.
        affine: RevIN learns a weight and a bias of each channel.
        head_dropout: of the tokens that the head reads.
        encoder: shape of the encoder.

    Raises:
        ModelError: sizes that do not fit together.
    """

    features: int
    window: int
    outputs: int
    head: Head = "scores"
    patch: int = 12
    stride: int = 12
    end_padding: bool = False
    embedding: Embedding = "linear"
    positions: Positions = "learnable"
    affine: bool = False
    head_dropout: float = 0.0
    encoder: EncoderConfig = field(default_factory=EncoderConfig)

    def __post_init__(self) -> None:
        if not 1 <= self.patch <= self.window:
            self._refuse(f"patches of {self.patch} bars", f"1 to the window of {self.window}")
        if not 1 <= self.stride <= self.patch:
            self._refuse(
                f"a stride of {self.stride} bars", f"1 to the patch of {self.patch}, so that no bar is skipped"
            )
        if self.encoder.width % self.encoder.heads:
            self._refuse(f"{self.encoder.heads} heads", f"a divisor of the width {self.encoder.width}")

    @property
    def patches(self) -> int:
        """N, the number of patches of one channel."""
        return patch_count(self.window, self.patch, self.stride, end_padding=self.end_padding)

    def _refuse(self, found: str, expected: str) -> None:
        raise ModelError("build patchtst", found=found, expected=expected)


# Published sizes: appendix A.1.4, and for the small data sets the scripts of the authors' code (ETTh1, ETTh2).
PAPER = EncoderConfig(128, 16, 3, 256, dropout=0.2, norm="batch", pre_norm=False, residual_attention=True)
SMALL = EncoderConfig(16, 4, 3, 128, dropout=0.3, norm="batch", pre_norm=False, residual_attention=True)


class Backbone(nn.Module):
    """(B, F, L) normalised channels to (B, F, N, D) tokens; channels are independent and share the weights."""

    def __init__(self, config: PatchTSTConfig) -> None:
        super().__init__()
        self.config = config
        width = config.encoder.width
        self.embedding = PatchEmbedding(
            config.patch, config.stride, config.patches, width, config.embedding, config.positions
        )
        self.dropout = Dropout(config.encoder.dropout)
        self.encoder = Encoder(config.encoder)

    def forward(self, x: Tensor) -> Tensor:
        c = self.config
        aligned = align(x, c.patch, c.stride, end_padding=c.end_padding)
        tokens = self.encode(self.embedding(aligned.reshape(-1, int(aligned.shape[-1]))))  # (BF, N, D)
        return tokens.reshape(-1, c.features, c.patches, c.encoder.width)

    def encode(self, tokens: Tensor) -> Tensor:
        """(S, N, D) embedded patches to (S, N, D) tokens."""
        return self.encoder(self.dropout(tokens))  # type: ignore[no-any-return]


class PatchTSTNetwork(nn.Module):
    """(B, L, F) float32 windows to (B, H, F) forecasts or (B, C) scores, by the head of the configuration.

    A forward pass keeps no state on the module, so calls from several threads are independent.
    """

    def __init__(self, config: PatchTSTConfig) -> None:
        super().__init__()
        self.config = config
        self.frozen = False
        self.revin = RevIN(config.features, affine=config.affine)
        self.backbone = Backbone(config)
        self.head: nn.Module = ForecastHead(config) if config.head == "forecast" else ScoresHead(config)

    def forward(self, x: Tensor) -> Tensor:
        c = self.config
        size = max(1, _TOKENS // (c.features * c.patches))
        # In training, batch normalisation must see the whole batch.
        if len(x) > size and not (self.training and c.encoder.norm == "batch"):
            return torch.cat([self._forward(part) for part in torch.split(x, size)])
        return self._forward(x)

    def _forward(self, x: Tensor) -> Tensor:
        normalised, statistics = self.revin(x)
        tokens = self.backbone(normalised.transpose(1, 2))  # (B, L, F) -> (B, F, L) -> (B, F, N, D)
        if self.config.head == "forecast":
            return self.revin.restore(self.head(tokens).float(), statistics)
        return self.head(tokens, statistics)  # type: ignore[no-any-return]

    def freeze(self, frozen: bool = True) -> None:
        """Freeze everything but the head, including batch statistics, or unfreeze it."""
        self.frozen = frozen
        for part in (self.revin, self.backbone):
            part.requires_grad_(not frozen)
        self.train(self.training)

    def train(self, mode: bool = True) -> PatchTSTNetwork:
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self


class ForecastHead(nn.Module):
    """(B, F, N, D) tokens to (B, H, F) bars by one matrix for all channels."""

    def __init__(self, config: PatchTSTConfig) -> None:
        super().__init__()
        self.dropout = Dropout(config.head_dropout)
        self.project = nn.Linear(config.patches * config.encoder.width, config.outputs)

    def forward(self, tokens: Tensor) -> Tensor:
        bars: Tensor = self.project(self.dropout(tokens.flatten(2)))  # (B, F, ND) -> (B, F, H)
        return bars.transpose(1, 2)


class ScoresHead(nn.Module):
    """(B, F, N, D) tokens with the mean and scale of each channel, which are features too, to (B, C) outputs."""

    def __init__(self, config: PatchTSTConfig) -> None:
        super().__init__()
        c = config
        self.dropout = Dropout(c.head_dropout)
        tokens = c.features * c.patches
        inputs = tokens * c.encoder.width + 2 * c.features
        # The tokens are averaged, not summed: with a sum, one step of the optimizer moves the output by as many steps
        # as there are tokens, and the head overfits within a few batches.
        self.share = 1 / tokens
        self.project = nn.Linear(inputs, c.outputs)
        # A tenth of the usual initialisation, so that the member starts near the class shares.
        nn.init.normal_(self.project.weight, std=0.1 * inputs**-0.5)
        nn.init.zeros_(self.project.bias)

    def forward(self, tokens: Tensor, statistics: Statistics) -> Tensor:
        mean, scale = (part.flatten(1).to(tokens.dtype) for part in statistics)  # (B, F) each
        inputs = [self.share * self.dropout(tokens.flatten(1)), mean, scale]  # (B, F, N, D) -> (B, FND)
        return self.project(torch.cat(inputs, dim=1))  # type: ignore[no-any-return]
