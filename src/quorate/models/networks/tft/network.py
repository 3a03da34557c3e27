"""The Temporal Fusion Transformer of columns that are known up to the newest bar.

Lim, Arik, Loeff and Pfister, Temporal Fusion Transformers for Interpretable Multi-horizon Time Series Forecasting,
2019 (arXiv 1912.09363), section 4: each column is embedded; a gated network weighs the columns at each bar; an LSTM
reads the weighted sum; an attention whose heads share their values looks back from the newest bar; each step is gated
and skips. There are no static columns and none that are known ahead, so that their encoders and the decoder are left
out, and outputs replace the quantiles.

Shapes: B rows, L bars of a window, R columns, D width of the model.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from quorate.core.errors import ModelError
from quorate.models.networks.scaling import near_prior
from quorate.models.networks.tft.gating import ColumnsGatedResidual, GatedResidual, GatedSkip


@dataclass(frozen=True, slots=True)
class TFTConfig:
    """Shape of the network.

    Attributes:
        window: L.
        features: R.
        outputs: C.
        width: D.
        heads: of the attention; they divide the width.
        dropout: before each gate, and of the attention.

    Raises:
        ModelError: heads that do not divide the width.
    """

    window: int
    features: int
    outputs: int
    width: int = 16
    heads: int = 2
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise ModelError("build tft", found=f"{self.heads} heads", expected=f"a divisor of {self.width}")


class TFTNetwork(nn.Module):
    """The network: (B, L, R) float32 to (B, outputs)."""

    def __init__(self, config: TFTConfig) -> None:
        super().__init__()
        c = self.config = config
        self.selection = ColumnSelection(c.features, c.width, c.dropout)
        self.recurrence = nn.LSTM(c.width, c.width, batch_first=True)
        self.encoded = GatedSkip(c.width, c.width, c.dropout)
        self.enriched = GatedResidual(c.width, c.width, c.width, c.dropout)
        self.attention = NewestBarAttention(c.width, c.heads, c.dropout)
        self.attended = GatedSkip(c.width, c.width, c.dropout)
        self.feedforward = GatedResidual(c.width, c.width, c.width, c.dropout)
        self.decoded = GatedSkip(c.width, c.width, 0.0)
        self.head = near_prior(nn.Linear(c.width, c.outputs))

    def forward(self, x: Tensor) -> Tensor:
        selected, _ = self.selection(x.reshape(-1, self.config.features))  # (B * L, D)
        selected = selected.reshape(-1, self.config.window, self.config.width)
        states, _ = self.recurrence(selected)
        encoded = self.encoded(states, selected)  # (B, L, D)
        enriched = self.enriched(encoded)
        attended = self.attended(self.attention(enriched), enriched[:, -1])  # (B, D)
        decoded = self.decoded(self.feedforward(attended), encoded[:, -1])
        output: Tensor = self.head(decoded)
        return output


class ColumnSelection(nn.Module):
    """A weighted sum of the embedded columns at each bar, section 4.2."""

    def __init__(self, columns: int, width: int, dropout: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(columns, 1, width).uniform_(-1, 1))
        self.bias = nn.Parameter(torch.empty(columns, 1, width).uniform_(-1, 1))
        self.weigh = GatedResidual(columns * width, width, columns, dropout)
        self.each = ColumnsGatedResidual(columns, width, dropout)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(N, D) sums and (N, R) weights, of (N, R) bars."""
        embedded = x.transpose(0, 1).unsqueeze(2) * self.weight + self.bias  # (R, N, D)
        weights = torch.softmax(self.weigh(embedded.transpose(0, 1).flatten(1)), dim=1)
        shares = weights.transpose(0, 1).unsqueeze(2)  # (R, N, 1)
        return (shares * self.each(embedded)).sum(dim=0), weights


class NewestBarAttention(nn.Module):
    """Attention of the newest bar to all bars, whose heads share their values, section 4.4: (B, L, D) to (B, D)."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.each = heads, width // heads
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value, self.out = nn.Linear(width, self.each), nn.Linear(self.each, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        query = self.query(x[:, -1]).unflatten(1, (self.heads, 1, self.each))  # (B, heads, 1, each)
        key = self.key(x).unflatten(2, (self.heads, self.each)).permute(0, 2, 3, 1)  # (B, heads, each, L)
        weights = self.dropout(torch.softmax(query @ key * self.each**-0.5, dim=3))  # (B, heads, 1, L)
        # The heads read the same values, so that their mean is that of their weights.
        attended: Tensor = self.out((weights.mean(dim=1) @ self.value(x)).squeeze(1))
        return attended
