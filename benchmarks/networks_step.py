"""Time of a training step of each network; PatchTST beside the same network from torch's layers, with both losses.

    QUORATE_DATA=FOLDER python benchmarks/networks_step.py [--steps 200] [--symbols 20] [--threads N] [--out FOLDER]

Stock is PatchTST in float32 with torch's TransformerEncoderLayer. It starts with the same weights as Quorate's network
and is trained on the same batches of real windows, one step of each alternately. Losses are those of training batches,
smoothed, and of validation windows after the last step. Run on an idle machine.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from quorate.core.clock import parse_ms
from quorate.core.settings import ModelSettings, Settings
from quorate.market.files.freqtrade_folder import FreqtradeFolder
from quorate.market.universe import top
from quorate.models import build
from quorate.models.networks.network_model import Network
from quorate.models.networks.patchtst.network import PatchTSTNetwork
from quorate.models.networks.scaling import StandardisedNetwork
from quorate.models.networks.training.examples import WindowExamples, newest_bars
from quorate.models.networks.training.losses import cross_entropy
from quorate.models.networks.training.schedule import one_cycle
from quorate.targets import ForwardClass, build_dataset, time_split

FROM, TO = "2025-05-01", "2025-07-30"
TIMEFRAME, WINDOW, CANDIDATES = "1h", 120, 100
WARM_UP, SMOOTHED = 3, 50
LEAST_RATIO = 1.5


class StockPatchTST(PatchTSTNetwork):
    """The same network from torch's layers, with the weights of Quorate's."""

    def __init__(self, ours: PatchTSTNetwork) -> None:
        super().__init__(ours.config)
        self.load_state_dict(ours.state_dict())
        self.backbone.encoder = StockEncoder(ours)

    def forward(self, x: Tensor) -> Tensor:
        return self._forward(x)


class StockEncoder(nn.Module):
    def __init__(self, ours: PatchTSTNetwork) -> None:
        super().__init__()
        self.norm = copy.deepcopy(ours.backbone.encoder.norm)
        self.layers = nn.ModuleList(stock_layer(layer, ours.config.encoder) for layer in ours.backbone.encoder.layers)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)


def stock_layer(ours: nn.Module, config: Any) -> nn.Module:
    """torch's layer with the weights of one of Quorate's."""
    layer = nn.TransformerEncoderLayer(
        config.width,
        config.heads,
        config.feedforward,
        config.dropout,
        "gelu",
        batch_first=True,
        norm_first=config.pre_norm,
    )
    names = {
        "self_attn.in_proj_": "attention.qkv.",
        "self_attn.out_proj.": "attention.out.",
        "linear1.": "perceptron.0.",
        "linear2.": "perceptron.3.",
        "norm1.": "norms.0.",
        "norm2.": "norms.1.",
    }
    weights = ours.state_dict()
    layer.load_state_dict(
        {their + kind: weights[our + kind] for their, our in names.items() for kind in ("weight", "bias")}
    )
    return layer


@dataclass
class Training:
    """A network in training, with the seconds and losses of its steps."""

    module: nn.Module
    batch: int
    learning_rate: float
    steps: int
    bf16: bool
    fused: bool
    seconds: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.module.train()
        self.optimizer = torch.optim.AdamW(self.module.parameters(), lr=self.learning_rate, fused=self.fused)

    def step(self, inputs: Tensor, target: Tensor) -> None:
        """One step, as in the training loop."""
        began = time.perf_counter()
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate * one_cycle(len(self.losses), self.steps, self.steps)
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            output = self.module(inputs)
        loss = cross_entropy(output.float(), target, None)
        loss.backward()
        nn.utils.clip_grad_norm_(self.module.parameters(), 1.0)
        self.optimizer.step()
        self.losses.append(float(loss.detach()))
        self.seconds.append(time.perf_counter() - began)

    @torch.no_grad()
    def validate(self, examples: WindowExamples) -> float:
        self.module.eval()
        costs = []
        for first in range(0, len(examples), 512):
            inputs, target, _ = examples.batch(np.arange(first, min(first + 512, len(examples))))
            costs.append(nn.functional.cross_entropy(self.module(inputs), target, reduction="none"))
        self.module.train()
        return float(torch.cat(costs).mean())

    @property
    def step_s(self) -> float:
        return median(self.seconds[WARM_UP:])

    @property
    def loss(self) -> float:
        """Mean of the last training batches."""
        return float(np.mean(self.losses[-SMOOTHED:]))


@dataclass(frozen=True)
class Windows:
    """Real windows of one length, and the class shares."""

    X: Any
    train: WindowExamples
    validation: WindowExamples
    prior: np.ndarray
    prior_loss: float
    rows: int


def windows(folder: Path, symbols: int) -> Callable[[int], Windows]:
    """Function from a length to the windows of the reference problem, with a subset of its symbols at equal steps."""
    source = FreqtradeFolder(folder)
    start, end = parse_ms(FROM), parse_ms(TO)
    ranked = top(source, TIMEFRAME, CANDIDATES, start, settings=Settings().universe)
    chosen = ranked[:: max(1, len(ranked) // symbols)][:symbols]
    warm_up = 60 * 24 * 3_600_000
    panel = {symbol: source.candles(symbol, TIMEFRAME).between(start=start - warm_up, end=end) for symbol in chosen}
    data = build_dataset(panel, "core14", ForwardClass(5, 0.005), start, end, lead=WINDOW)
    split = time_split(data.time, data.span_end, 0.7, 0.15)

    def of(length: int) -> Windows:
        X, rows = data.read(split.train, length)
        V, later = data.read(split.validation, length)
        y, v = (torch.from_numpy(data.y[part].astype(np.int64)) for part in (rows, later))
        prior = np.bincount(data.y[rows], minlength=3) / len(rows)
        prior_loss = float(-np.log(prior)[data.y[later]].mean())
        return Windows(X, WindowExamples(X, y, None), WindowExamples(V, v, None), prior, prior_loss, len(rows))

    return of


def standardised(network: nn.Module, data: Windows) -> StandardisedNetwork:
    """A network with the input scaling that a member has."""
    module = StandardisedNetwork(network, range(data.X.shape[2]), 3)
    module.measure(newest_bars(data.X), None, 0.001)
    module.start_at(data.prior)
    return module


def member(name: str, settings: ModelSettings | None = None) -> Network:
    built = build(name, "class", settings or ModelSettings(networks="documented"), seed=1, threads=1)
    assert isinstance(built, Network)
    return built


def both(data: Windows, steps: int) -> dict[str, Any]:
    """Figures of Quorate's PatchTST and of stock, trained alternately step by step on the same batches."""
    torch.manual_seed(1)
    # Without dropout: its random numbers would make the losses differ, and torch's masks are slow.
    plain = replace(ModelSettings(networks="documented").patchtst, dropout=0.0, head_dropout=0.0)
    network = member("patchtst", ModelSettings(patchtst=plain))._module(data.X.shape[2])
    assert isinstance(network, PatchTSTNetwork)
    s = ModelSettings(networks="documented").patchtst
    sides = {
        "stock": Training(
            standardised(StockPatchTST(network), data), s.batch, s.learning_rate, steps, bf16=False, fused=False
        ),
        "ours": Training(standardised(network, data), s.batch, s.learning_rate, steps, bf16=True, fused=True),
    }
    random = np.random.default_rng(1)
    for step in range(steps):
        inputs, target, _ = data.train.batch(random.integers(0, len(data.train), s.batch))
        for side in sides.values():
            side.step(inputs, target)
        if step % 10 == 9:
            done = ", ".join(f"{name} {side.loss:.4f} {1e3 * side.step_s:.0f} ms" for name, side in sides.items())
            print(f"step {step + 1} of {steps}: {done}", file=sys.stderr, flush=True)
    ours, stock = sides["ours"], sides["stock"]
    return {
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "batch": s.batch,
        "steps": steps,
        "windows": data.rows,
        "prior_loss": data.prior_loss,
        **{
            name: {
                "step_ms": 1e3 * side.step_s,
                "loss": side.loss,
                "validation_loss": side.validate(data.validation),
                "losses": [round(loss, 5) for loss in side.losses],
            }
            for name, side in sides.items()
        },
        "ratio": stock.step_s / ours.step_s,
        "largest_difference": max(abs(a - b) for a, b in zip(ours.losses, stock.losses, strict=True)),
    }


def alone(name: str, data: Windows, steps: int) -> dict[str, Any]:
    """Step of another network, alternately in float32 and bfloat16."""
    made = member(name)
    s = made._own
    sides = {}
    for bf16 in (False, True):
        torch.manual_seed(1)
        network = made._module(data.X.shape[2])
        sides["bfloat16" if bf16 else "float32"] = Training(
            standardised(network, data), s.batch, s.learning_rate, steps, bf16=bf16, fused=True
        )
    random = np.random.default_rng(1)
    for _ in range(steps):
        inputs, target, _ = data.train.batch(random.integers(0, len(data.train), s.batch))
        for side in sides.values():
            side.step(inputs, target)
    return {
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "batch": s.batch,
        "window": s.window,
        **{f"{kind}_ms": 1e3 * side.step_s for kind, side in sides.items()},
    }


def report(found: dict[str, Any]) -> str:
    p = found["patchtst"]
    an_epoch = math.ceil(found["reference_windows"] / p["batch"]) * p["ours"]["step_ms"] / 6e4
    return "\n".join(
        [
            "# Training steps",
            "",
            f"`{found['command']}` on {found['machine']}.",
            "",
            f"PatchTST, {p['parameters']:,} parameters, batches of {p['batch']} windows of {WINDOW} bars x 14 features "
            f"from {p['windows']:,} training windows; validation log-loss of the class prior {p['prior_loss']:.4f}:",
            "",
            f"| | step, ms | training loss, last {min(SMOOTHED, p['steps'])} of {p['steps']} steps | validation loss |",
            "|---|---:|---:|---:|",
            *(
                f"| {name} | {p[key]['step_ms']:.0f} | {p[key]['loss']:.4f} | {p[key]['validation_loss']:.4f} |"
                for name, key in (("stock", "stock"), ("Quorate", "ours"))
            ),
            "",
            f"**{p['ratio']:.2f} times faster** (required: {LEAST_RATIO}). Largest difference of the losses on a "
            f"batch: {p['largest_difference']:.4f}. At this speed an epoch of {found['reference_windows']:,} windows "
            f"takes {an_epoch:.1f} minutes.",
            "",
            "| network | parameters | window | batch | float32, ms | bfloat16, ms |",
            "|---|---:|---:|---:|---:|---:|",
            *(
                f"| {name} | {one['parameters']:,} | {one['window']} | {one['batch']} | {one['float32_ms']:.1f} "
                f"| {one['bfloat16_ms']:.1f} |"
                for name, one in found["others"].items()
            ),
            "",
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--symbols", type=int, default=20)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    folder = os.environ.get("QUORATE_DATA")
    if not folder:
        parser.error("set QUORATE_DATA to the folder of real candles")
    torch.set_num_threads(options.threads)
    of = windows(Path(folder) / "binance", options.symbols)
    found: dict[str, Any] = {
        "command": f"python benchmarks/networks_step.py --steps {options.steps} --symbols {options.symbols} "
        f"--threads {options.threads}",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__.partition('+')[0]}, "
        f"{options.threads} threads",
        "reference_windows": 151_000,
        "patchtst": both(of(WINDOW), options.steps),
        "others": {
            name: alone(name, of(getattr(ModelSettings(networks="documented"), name).window), 40)
            for name in ("nhits", "lstm")
        },
    }
    page = report(found)
    print(page)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "networks_step.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (options.out / "networks_step.md").write_text(page, encoding="utf-8")
    return 0 if found["patchtst"]["ratio"] >= LEAST_RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
