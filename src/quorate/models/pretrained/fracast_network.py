"""Fracast's network in operations that can be exported, with the weights of the library's own objects.

The package computes periods by a Fourier transform, normalises with an operator that ONNX lacks, and convolves by
channel, which is slow on processors. Here the transform is a product of matrices, and the convolution a sum of three
shifted and scaled copies; positions before the context, which hold no data, are part of the constants. Outputs equal
those of `FracastModel.forecast` to the rounding of single precision. Here all is computed in double precision: a head
magnifies rounding, and which periods stand out must not depend on it.

Source: fracast 0.1.0 (Apache License 2.0), https://github.com/ztxtech/fracast-0.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from quorate.core.errors import ModelError

_CACHED = 8_192  # places of all rows of a pass, whose activations fit in the cache
_LEAST_SPAN = 1e-5  # of the values of a context, as in the package

# Parts of the package's network that the code below has, by the settings that choose them.
_CHOICES: dict[str, Any] = {
    "share_stages": True,
    "scale_cond": "film",
    "recency_encoding": True,
    "periodic_phase": True,
    "periodic_harmonics": 1,
    "causal": True,
    "separable_conv": True,
    "head_future_conv": True,
    "head_output_mode": "direct",
}


class FracastNetwork(nn.Module):
    """Quantiles of the next values for contexts of one length.

    Args:
        core: the package's `FracastCore`.
        head: its `GatherQuantileHead`.
        config: `model` of its configuration.
        context: L, values that are read; those before them count as missing, as in the package.

    Attributes:
        horizon, quantiles, batch: see `ForecastNetwork`.

    Raises:
        ModelError: a network of other parts, or a context that is too long for it.
    """

    inputs: Tensor
    value_weight: Tensor
    places: Tensor
    later: Tensor
    later_recency: Tensor
    stages: Tensor
    cosines: Tensor
    sines: Tensor
    allowed: Tensor

    def __init__(self, core: Any, head: Any, config: dict[str, Any], context: int) -> None:
        super().__init__()
        other = {name: config.get(name, usual) for name, usual in _CHOICES.items() if config.get(name, usual) != usual}
        if other or head.seasonal_fill_mode != "phase_mean":
            raise ModelError(
                "use the weights of fracast", found=f"a network of {other or 'another seasonal fill'}",
                expected="a network as that of the package",
            )  # fmt: skip
        self.width, self.horizon, self.quantiles = int(core.W), int(head.horizon), tuple(config["quantiles"])
        if not 8 <= context <= self.width:
            expected = f"8 to {self.width} bars, which the network reads"
            raise ModelError("use fracast", found=f"a context of {context} bars", expected=expected)
        core, head = core.double(), head.double()
        self.core, self.head, self.context = core, head, context
        self.batch = max(1, _CACHED // self.width)
        self.dilations = tuple(core.dilations())
        self.requires_grad_(False)
        first = self.width - context
        valid = torch.zeros(self.width, 1, dtype=torch.float64)
        valid[first:] = 1.0
        recency = _recency(torch.arange(self.width), self.width)
        weight, bias = core.in_proj.weight, core.in_proj.bias
        # (W, D): what the input layer makes of positions alone.
        self._buffer("inputs", valid * weight[:, 1] + recency @ weight[:, 2:].T + bias)
        self._buffer("value_weight", weight[:, 0].clone())
        self._buffer("places", torch.arange(self.width, dtype=torch.float64))
        self._buffer("later", torch.arange(self.width, self.width + self.horizon, dtype=torch.float64))
        self._buffer("later_recency", _recency(torch.arange(self.width, self.width + self.horizon), self.width))
        scales = [core.scale.scale_feat(size, dtype=torch.float64) for size in self.dilations]
        self._buffer("stages", torch.stack([core.scale.to_gb(scale) for scale in scales]))
        self._detector(first)

    def _buffer(self, name: str, value: Tensor) -> None:
        self.register_buffer(name, value.detach(), persistent=False)

    def _detector(self, first: int) -> None:
        """The Fourier transform of the context's places, and the frequencies that may be periods."""
        size = 1 << math.ceil(math.log2(max(2, self.width)))
        frequencies, places = torch.arange(1, size // 2 + 1), torch.arange(first, self.width)
        angles = (places[:, None] * frequencies % size).double() * (2 * math.pi / size)
        self._buffer("cosines", torch.cos(angles))
        self._buffer("sines", torch.sin(angles))
        bins, own = size // 2, self.head.period_kw
        low = max(0, size // max(2, self.width // 2) - 1)
        high = min(bins - 1, max(0, size // max(2, own["min_period"]) - 1))
        allowed = torch.zeros(bins)
        allowed[low : high + 1] = 1.0
        self._buffer("allowed", allowed[1:-1] > 0)
        alpha = max(min(float(own["alpha"]), 1.0), 1e-12)
        self.threshold = math.log(max(2, bins) / alpha) / max(2, bins)
        self.top, self.size = min(own["top_k"], bins), size

    def forward(self, values: Tensor) -> Tensor:
        """(B, H, Q) float64 quantiles, for (B, L) float64 finite values."""
        lowest = values.amin(dim=1, keepdim=True)
        span = (values.amax(dim=1, keepdim=True) - lowest).clamp(min=_LEAST_SPAN)
        scaled = (values - lowest) / span
        quantiles = self._quantiles(scaled)
        return quantiles * span[:, :, None] + lowest[:, :, None]

    def _quantiles(self, v: Tensor) -> Tensor:
        """(B, H, Q) for (B, L) values from 0 to 1."""
        periods = self._periods(v)
        whole = functional.pad(v, (self.width - self.context, 0))
        x = self.inputs + whole[:, :, None] * self.value_weight
        x = x + self.core.periodic.proj(self._phases(periods))
        for stage, dilation in enumerate(self.dilations):
            gamma, beta = self.stages[stage].chunk(2)
            x = _block(self.core.block, x * (1.0 + gamma) + beta, dilation)
        return self._decode(_normed(self.core.norm, x), whole, periods)

    def _periods(self, v: Tensor) -> Tensor:
        """(B, K) periods that stand out of the periodogram, highest first; 0 for none."""
        apart = v - v.mean(dim=1, keepdim=True)
        power = (apart @ self.cosines) ** 2 + (apart @ self.sines) ** 2
        share = power / power.sum(dim=1, keepdim=True).clamp(min=1e-12)
        middle = share[:, 1:-1]
        peak = (middle > share[:, :-2]) & (middle > share[:, 2:]) & self.allowed & (middle >= self.threshold)
        height, place = torch.topk(torch.where(peak, middle, torch.zeros_like(middle)), self.top, dim=1)
        periods = torch.round(self.size / (place + 2).double())
        return torch.where(height > 0, periods, torch.zeros_like(periods))

    def _phases(self, periods: Tensor) -> Tensor:
        """(B, W, 2K) sine and cosine of the phase of each place in each period; 0 where there is none."""
        there = (periods > 0).double()[:, None, :]
        phase = 2.0 * math.pi * self.places[:, None] / periods.clamp(min=1.0)[:, None, :]
        pairs = torch.stack([torch.sin(phase) * there, torch.cos(phase) * there], dim=3)
        return pairs.reshape(-1, self.width, 2 * self.top)

    def _decode(self, h: Tensor, whole: Tensor, periods: Tensor) -> Tensor:
        head = self.head
        summary = torch.cat([h.mean(dim=1), h[:, -1]], dim=1)
        recency = self.later_recency[None].expand(h.shape[0], -1, -1)
        x = head.summary_proj(torch.cat([recency, summary[:, None].expand(-1, self.horizon, -1)], dim=2))
        x = x + head.queries
        for layer, norm in zip(head.decoder_ffns, head.decoder_norms, strict=True):
            x = _normed(norm, x + layer(x))
        for block in head.fc_blocks:
            x = _normed(block.norm, x + _shifted(x, block.dw_weight, block.dw_bias, block.dilation))
        future = head.future_conv
        fill = self._fill(whole, periods[:, :1].clamp(min=1.0))
        z = torch.cat(
            [h[:, -min(future.seed, self.width) :], future.in_proj(torch.cat([fill[:, :, None], recency], 2))], 1
        )
        for layer in range(future.n_layers):
            z = _block(future.block, z, future.dilation_base**layer)
        quantiles: Tensor = head.out_proj(x + future.out_proj(z[:, -self.horizon :]))
        return quantiles

    def _fill(self, whole: Tensor, period: Tensor) -> Tensor:
        """(B, H) mean of the values at the same phase of the first period."""
        bins = self.head.phase_bins
        own = torch.arange(bins, dtype=torch.float64)
        first = self.width - self.context
        phase = _phase_bin(self.places[first:], period, bins)
        member = (phase[:, :, None] == own).double()
        count, total = member.sum(dim=1), (member * whole[:, first:, None]).sum(dim=1)
        mean = torch.where(count > 0, total / count.clamp(min=1.0), whole[:, first:].mean(dim=1, keepdim=True))
        later = (_phase_bin(self.later, period, bins)[:, :, None] == own).double()
        return (later * mean[:, None, :]).sum(dim=2)


def _phase_bin(places: Tensor, period: Tensor, bins: int) -> Tensor:
    """(B, n) number of the bin that the phase of (n,) places in (B, 1) periods falls into."""
    phase = places - torch.floor(places / period) * period
    return torch.floor(phase / period * bins).clamp(max=bins - 1)


def _recency(places: Tensor, length: int) -> Tensor:
    """(n, 5) the package's recency channels."""
    from fracast._core.periodic.official_encoding import _recency_encoding

    found: Tensor = _recency_encoding(places[None], length)[0].double()
    return found


def _shifted(x: Tensor, weight: Tensor, bias: Tensor, dilation: int) -> Tensor:
    """Causal convolution by channel of (B, n, D): the sum of shifted copies of x, each scaled."""
    length, kernel = x.shape[1], weight.shape[2]
    total = x * weight[:, 0, kernel - 1] + bias
    for tap in range(kernel - 1):
        back = (kernel - 1 - tap) * dilation
        if back < length:
            total = total + functional.pad(x[:, : length - back], (0, 0, back, 0)) * weight[:, 0, tap]
    return total


def _block(block: Any, x: Tensor, dilation: int) -> Tensor:
    x = _normed(block.norm1, x + block.pw(_shifted(x, block.dw_weight, block.dw_bias, dilation)))
    return _normed(block.norm2, x + block.ffn(x))


def _normed(norm: Any, x: Tensor) -> Tensor:
    """`nn.RMSNorm` in operators that ONNX has."""
    eps = torch.finfo(x.dtype).eps if norm.eps is None else norm.eps
    found: Tensor = x / torch.sqrt((x * x).mean(dim=2, keepdim=True) + eps) * norm.weight
    return found
