"""Changes to the training of the compact networks that Quorate does not have, tried in the folds of shapes.py.

    QUORATE_DATA=FOLDER python benchmarks/network_changes.py [--seeds N] [--report] [--out FOLDER]

Each change is trained from the same module, examples and schedule as the member, in a loop of this file. Chosen on the
first two folds, confirmed on the third; the difference to the unchanged network is paired over days. Every fit is a
line of network_changes-trials.jsonl and is not repeated.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from quorate.core.clock import DAY_MS
from quorate.core.settings import ModelSettings, Settings
from quorate.core.types import FloatArray, IntArray
from quorate.evaluation.walk_forward.fold_rows import FoldRows
from quorate.evaluation.walk_forward.labelled_bars import LabelledBars
from quorate.models import build
from quorate.models.networks.network_model import Network
from quorate.models.networks.training.batch_order import BatchOrder
from quorate.models.networks.training.schedule import one_cycle
from quorate.targets import training_slices
from shapes import CHOSEN_ON, LONGEST, RESULTS, SEEDS, daily_losses, difference, labelled_folds, skill, trials

NETWORKS = ("nhits",)  # the cheapest: what does not help it is not tried on the others
NONE, AVERAGE = "unchanged", "average of the seeds"


@dataclass(frozen=True)
class Change:
    """A change to the training.

    Attributes:
        smoothing: of the labels.
        decay: of the exponential average of the weights, which is served; 0 for the weights themselves.
        auxiliary: weight of the squared error of a forecast of the return and its size, in standard deviations.
        direction: weight of the direction's part of the cross-entropy.
        days: of the training rows, the newest; 0 for all.
        distilled: learns the mean scores of the unchanged networks of all seeds instead of the classes.
    """

    smoothing: float = 0.0
    decay: float = 0.0
    auxiliary: float = 0.0
    direction: float = 1.0
    days: int = 0
    distilled: bool = False


CHANGES: Mapping[str, Change] = {
    NONE: Change(),
    "label smoothing 0.05": Change(smoothing=0.05),
    "averaged weights": Change(decay=0.99),
    "forecast of return and size": Change(auxiliary=0.3),
    "direction weight 0.1": Change(direction=0.1),
    "newest 60 days": Change(days=60),
    "distilled from all seeds": Change(distilled=True),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=len(SEEDS), help="how many of the seeds to run")
    parser.add_argument("--report", action="store_true", help="write the table, without a fit")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    log = options.out / "network_changes-trials.jsonl"
    if not options.report:
        data = os.environ.get("QUORATE_DATA")
        if not data:
            print("set QUORATE_DATA to the folder of real candles", file=sys.stderr)
            return 2
        torch.set_num_threads(1)
        run(Path(data) / "binance", log, SEEDS[: options.seeds])
    report(log, options.out)
    return 0


def run(folder: Path, log: Path, seeds: tuple[int, ...]) -> None:
    """Fit and score what is not in the log yet; the unchanged networks always, since others learn from them."""
    rows, folds = labelled_folds(folder)
    done = {(trial["shape"], trial["fold"], trial["seed"]) for trial in trials(log)}
    for name in NETWORKS:
        for fold in folds:
            wanted = [
                (change, seed)
                for change in CHANGES
                for seed in seeds
                if (f"{name}, {change}", fold.number, seed) not in done
            ]
            if not wanted:
                continue
            unchanged = {seed: fit(name, CHANGES[NONE], rows, fold, seed) for seed in seeds}
            scores = {seed: found[1] for seed, found in unchanged.items()}
            teacher = np.mean([found[2] for found in unchanged.values()], axis=0)
            if (f"{name}, {AVERAGE}", fold.number, -1) not in done:
                record(log, f"{name}, {AVERAGE}", rows, fold, -1, np.mean(list(scores.values()), axis=0), 0.0)
            for change, seed in wanted:
                if change == NONE:
                    seconds, found = unchanged[seed][0], scores[seed]
                else:
                    seconds, found, _ = fit(name, CHANGES[change], rows, fold, seed, teacher)
                record(log, f"{name}, {change}", rows, fold, seed, found, seconds)


def record(
    log: Path, shape: str, rows: LabelledBars, fold: FoldRows, seed: int, scores: FloatArray, seconds: float
) -> None:
    """Append a line with the daily losses of a fit."""
    trial = {"shape": shape, "fold": fold.number, "seed": seed, "seconds": round(seconds, 2)}
    trial |= daily_losses(rows, fold, scored(rows, fold), scores)
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps(trial) + "\n")
    print(f"{shape}, fold {fold.number + 1}, seed {seed}: {trial['skill']:+.4f}", flush=True)


def scored(rows: LabelledBars, fold: FoldRows) -> IntArray:
    """Test rows that every window reaches."""
    return fold.test[rows.known[fold.test] & rows.inputs.whole(LONGEST)[fold.test]]


def with_forecast(member: Network) -> Network:
    """The member with two further outputs: the return, and its size."""
    member.__class__ = type("WithForecast", (type(member),), {"outputs": 5})
    return member


def fit(
    name: str, change: Change, rows: LabelledBars, fold: FoldRows, seed: int, teacher: FloatArray | None = None
) -> tuple[float, FloatArray, FloatArray]:
    """Seconds, and the scores of the test rows and of the training rows."""
    models = ModelSettings()
    own = models.section(name)
    member = build(name, "class", models, seed=seed, threads=1, features=rows.columns)
    assert isinstance(member, Network)
    train, _ = training_slices(rows.time, rows.span_end, fold.train, Settings().split)
    train = train[rows.inputs.whole(own.window)[train]]
    places = np.arange(len(train))
    if change.days:
        places = places[rows.time[train] >= rows.time[train].max() - change.days * DAY_MS]
    torch.manual_seed(seed)
    if change.auxiliary:
        member = with_forecast(member)
    body = member._new(member._reads(rows.X.shape[1]), rows.X.shape[1]).standardised
    body.measure(rows.X[train[places]].astype(np.float64), None, own.tail)
    shares = np.bincount(rows.y[train[places]], minlength=3) / len(places)
    body.start_at(np.concatenate([shares, np.ones(member.outputs - 3)]))
    parameters = list(body.parameters())
    optimizer = torch.optim.AdamW(
        [
            {"params": [one for one in parameters if one.ndim >= 2], "weight_decay": own.weight_decay},
            {"params": [one for one in parameters if one.ndim < 2], "weight_decay": 0.0},
        ],
        lr=own.learning_rate,
    )
    order = BatchOrder(len(places), own.batch, own.share, seed)
    steps = own.epochs * order.epoch_steps
    X = rows.inputs.at(train, own.window)
    y = torch.from_numpy(rows.y[train].astype(np.int64))
    if change.distilled:
        assert teacher is not None
        y = torch.from_numpy(teacher.astype(np.float32))
    size = rows.forward_return[train] / np.maximum(rows.volatility[train], 1e-4) / np.sqrt(5)
    returns = torch.from_numpy(np.clip(np.stack([size, np.abs(size)], axis=1), -4, 4).astype(np.float32))
    average = copy.deepcopy(body) if change.decay else None
    began = time.process_time()
    body.train()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = own.learning_rate * one_cycle(step, order.epoch_steps, steps)
        chosen = places[order.rows(step)]
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=own.bf16):
            output = body(torch.from_numpy(X[chosen]))
        loss = cost(output[:, :3].float(), y[chosen], change)
        if change.auxiliary:
            loss = loss + change.auxiliary * functional.mse_loss(output[:, 3:].float(), returns[chosen])
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, own.clip)
        optimizer.step()
        if average is not None:
            decay = min(change.decay, (step + 1) / (step + 10))
            with torch.no_grad():
                for mean, now in zip(average.parameters(), body.parameters(), strict=True):
                    mean.lerp_(now, 1 - decay)
    seconds = time.process_time() - began
    served = (average or body).eval()
    return seconds, predict(served, rows, scored(rows, fold), own.window), predict(served, rows, train, own.window)


def cost(output: Tensor, target: Tensor, change: Change) -> Tensor:
    """Cross-entropy with what is changed."""
    if change.direction == 1 or change.distilled:
        return functional.cross_entropy(output, target, label_smoothing=change.smoothing)
    sides = output[:, [0, 2]].logsumexp(dim=1)
    moved = target != 1
    move = output.logsumexp(dim=1) - torch.where(moved, sides, output[:, 1])
    side = torch.where(moved, sides - output.gather(1, target[:, None])[:, 0], 0.0)
    return (move + change.direction * side).mean()


@torch.inference_mode()
def predict(network: nn.Module, rows: LabelledBars, wanted: IntArray, window: int) -> FloatArray:
    """(n, 3) scores."""
    X = rows.inputs.at(wanted, window)
    pieces = [X[first : first + 1024] for first in range(0, len(X), 1024)]
    parts = [torch.softmax(network(torch.from_numpy(piece))[:, :3], dim=1) for piece in pieces]
    return torch.cat(parts).numpy().astype(np.float64)


def report(log: Path, out: Path) -> None:
    """Write network_changes.md."""
    found: dict[str, list[dict[str, Any]]] = {}
    for trial in trials(log):
        found.setdefault(trial["shape"], []).append(trial)
    text = """# Changes to the training of the compact networks

`QUORATE_DATA=FOLDER python benchmarks/network_changes.py`: the folds, skill and intervals of [shapes](shapes.md). The
difference in log-loss is to the unchanged network; below 0 the change is better.

| change | seeds | skill, folds 1-2 | difference | skill, fold 3 | difference |
|---|---:|---:|---:|---:|---:|
"""
    for name in NETWORKS:
        for change in (NONE, *(other for other in CHANGES if other != NONE), AVERAGE):
            own = found.get(f"{name}, {change}")
            if not own:
                continue
            cells = []
            for first in (True, False):
                part, plain = (
                    [trial for trial in each if (trial["fold"] < CHOSEN_ON) == first]
                    for each in (own, found[f"{name}, {NONE}"])
                )
                apart = difference(part, plain)
                cells.append(f"{100 * (skill(part, 'served') or 0):+.2f} %")
                cells.append("" if apart is None else f"{apart[0]:+.4f} [{apart[1]:+.4f}, {apart[2]:+.4f}]")
            text += f"| {name}, {change} | {len({trial['seed'] for trial in own})} | {' | '.join(cells)} |\n"
    (out / "network_changes.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    raise SystemExit(main())
