"""The signal of four models with common libraries and without Quorate, the reference of live.py.

core14 in pandas; scikit-learn's scaler; the trees with their scikit-learn wrappers; the networks in eager torch, with a
transformer for each channel of PatchTST. Sizes are the documented ones. Trees are fitted on noise and networks
untrained, which does not change the cost.
"""

from __future__ import annotations

import lightgbm
import numpy as np
import pandas as pd
import torch
import xgboost
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from quorate.core.settings import ModelSettings

WINDOW, PATCH = 120, 12


def core14(frame: pd.DataFrame) -> pd.DataFrame:
    """The fourteen columns of core14."""
    close, high, low, volume = frame["close"], frame["high"], frame["low"], frame["volume"]
    change = close.pct_change()
    ema = {span: close.ewm(span=span, adjust=False).mean() for span in (10, 12, 20, 26, 50)}
    macd = ema[12] - ema[26]
    signal = macd.ewm(span=9, adjust=False).mean()
    up = change.clip(lower=0).ewm(alpha=1 / 14, adjust=False).mean()
    down = (-change.clip(upper=0)).ewm(alpha=1 / 14, adjust=False).mean()
    return pd.DataFrame({
        "price_change": change,
        "high_low_range": (high - low) / close,
        "volume_change": volume.pct_change(),
        "volume_ma_ratio": volume / volume.rolling(20).mean(),
        "price_to_ema_10": close / ema[10] - 1,
        "price_to_ema_20": close / ema[20] - 1,
        "price_to_ema_50": close / ema[50] - 1,
        "ema_10_20_cross": (ema[10] - ema[20]) / close,
        "ema_10_50_cross": (ema[10] - ema[50]) / close,
        "rsi_14": 100 * up / (up + down),
        "volatility_20": change.rolling(20).std(),
        "macd": macd / close,
        "macd_signal": signal / close,
        "macd_hist": (macd - signal) / close,
    })  # fmt: skip


class ChannelByChannel(nn.Module):
    """PatchTST with a separate module for each channel."""

    def __init__(self, channels: int, width: int, heads: int, layers: int, feedforward: int) -> None:
        super().__init__()
        patches = WINDOW // PATCH
        self.embeds = nn.ModuleList(nn.Linear(PATCH, width) for _ in range(channels))
        self.position = nn.Parameter(torch.zeros(patches, width))
        self.encoders = nn.ModuleList(
            nn.TransformerEncoder(
                nn.TransformerEncoderLayer(width, heads, feedforward, 0.0, "gelu", batch_first=True, norm_first=True),
                layers,
                enable_nested_tensor=False,
            )
            for _ in range(channels)
        )
        self.head = nn.Linear(channels * patches * width, 3)

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, F) -> (B, 3)."""
        x = (x - x.mean(1, keepdim=True)) / (x.std(1, keepdim=True) + 1e-5)
        tokens = []
        for channel, (embed, encoder) in enumerate(zip(self.embeds, self.encoders, strict=True)):
            patches = x[:, :, channel].unfold(1, PATCH, PATCH)  # (B, N, P)
            tokens.append(encoder(embed(patches) + self.position).flatten(1))
        return self.head(torch.cat(tokens, 1))


class Plain:
    """Scaler and models, fitted on noise where they must be fitted."""

    def __init__(self, nhits: nn.Module, seed: int = 0) -> None:
        random, settings = np.random.default_rng(seed), ModelSettings(networks="documented")
        X, y = random.normal(size=(4_000, 14)), random.integers(0, 3, 4_000)
        x, g, p = settings.xgboost, settings.lightgbm, settings.patchtst
        self.scaler = StandardScaler().fit(X)
        self.xgboost = xgboost.XGBClassifier(
            n_estimators=x.trees, max_depth=x.depth, learning_rate=x.learning_rate, n_jobs=1
        ).fit(X, y)
        self.lightgbm = lightgbm.LGBMClassifier(
            n_estimators=g.trees, num_leaves=g.leaves, max_depth=g.depth, n_jobs=1, verbosity=-1
        ).fit(X, y)
        self.nhits = nhits
        self.patchtst = ChannelByChannel(14, p.width, p.heads, p.layers, p.feedforward).eval()

    def features(self, frame: pd.DataFrame) -> np.ndarray:
        """(L, 14) scaled rows of the newest window."""
        return self.scaler.transform(core14(frame).to_numpy()[-WINDOW:])

    def scores(self, rows: np.ndarray) -> list[np.ndarray]:
        """Scores of every model for the newest row or window."""
        window = torch.from_numpy(rows.astype(np.float32))[None]
        with torch.no_grad():
            networks = [torch.softmax(model(window), 1).numpy() for model in (self.nhits, self.patchtst)]
        return [self.xgboost.predict_proba(rows[-1:]), self.lightgbm.predict_proba(rows[-1:]), *networks]

    def signal(self, frame: pd.DataFrame) -> int:
        """Class with the largest mean score."""
        return int(np.argmax(np.mean(self.scores(self.features(frame)), axis=0)))
