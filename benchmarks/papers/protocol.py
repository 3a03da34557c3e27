"""The papers' protocol with Quorate's training loop: early stopping by validation, errors on every test window.

Errors are means over every window, bar and channel of the test part, of standardised values. No window is dropped. The
PatchTST paper's loader drops the last, incomplete batch of test windows, so errors without it are reported as well.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from quorate.core.settings import NetworkSettings
from quorate.models.base import Progress
from quorate.models.networks.training import Loss, LossHistory, Schedule, TrainingOptions, fit_network
from series import Part, Series

_EVALUATED = 256  # rows of a batch without gradients


@dataclass(frozen=True, slots=True)
class Protocol:
    """Training of one network as in its paper.

    Attributes:
        look_back: input rows of a forecast.
        horizon: rows forecast.
        folded: each channel of a window is an example, (L, 1), so that all share the weights; else an example is a
            whole window, (L, C).
        settings: of the training.
        build: function from the number of channels to the network.
        loss: mean over a batch.
        steps: number of steps; None for the settings' epochs.
        every: steps between validations; None for one per epoch.
        schedule: of the learning rate; None for that of the settings.
        test_batch: batch size of the paper's test loader, if it drops an incomplete batch.
    """

    look_back: int
    horizon: int
    folded: bool
    settings: NetworkSettings
    build: Callable[[int], nn.Module] = field(repr=False)
    loss: Loss = field(repr=False)
    steps: int | None = None
    every: int | None = None
    schedule: Schedule | None = None
    test_batch: int | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """Errors and cost of one run.

    Attributes:
        mse, mae: over the whole test part.
        dropped_mse, dropped_mae: without the incomplete batch that the paper's loader drops; None if it drops none.
        validation: mean absolute error over the validation part, which selects configurations.
        parameters: number of parameters.
        step_s: median seconds between the ends of steps.
        history: of the training.
    """

    mse: float
    mae: float
    dropped_mse: float | None
    dropped_mae: float | None
    validation: float
    parameters: int
    step_s: float
    history: LossHistory


class Examples:
    """Windows of one part, as the training loop requires them."""

    def __init__(self, series: Series, part: Part, look_back: int, horizon: int, *, folded: bool) -> None:
        self._values = torch.from_numpy(series.values)
        self._starts = series.starts(part, look_back, horizon)
        self._look_back, self._length, self._folded = look_back, look_back + horizon, folded
        self._channels = series.values.shape[1]

    def __len__(self) -> int:
        return len(self._starts) * (self._channels if self._folded else 1)

    def batch(self, rows: npt.NDArray[np.int64]) -> tuple[Tensor, Tensor, None]:
        """(b, L, C) inputs and (b, H, C) targets; if folded, C is 1 and channels of a window are consecutive."""
        window, channel = np.divmod(rows, self._channels) if self._folded else (rows, None)
        places = torch.from_numpy(self._starts[window][:, None] + np.arange(self._length))  # (b, L + H)
        taken = self._values[places] if channel is None else self._values[places, torch.from_numpy(channel)[:, None]]
        taken = taken.reshape(len(rows), self._length, -1)  # (b, L + H, C)
        return taken[:, : self._look_back], taken[:, self._look_back :], None


def absolute_error(output: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:  # noqa: ARG001 - a Loss
    """Mean absolute error."""
    return functional.l1_loss(output, target)


def squared_error(output: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:  # noqa: ARG001 - a Loss
    """Mean squared error."""
    return functional.mse_loss(output, target)


def run(
    series: Series,
    protocol: Protocol,
    *,
    name: str,
    seed: int,
    threads: int = 1,
    progress: Progress | None = None,
    checkpoint: Path | None = None,
    tested: bool = True,
) -> Result:
    """Train one network and compute its errors; without `tested` the test part is not read and its errors are NaN."""

    def examples(part: Part) -> Examples:
        return Examples(series, part, protocol.look_back, protocol.horizon, folded=protocol.folded)

    ended: list[float] = []

    def note(done: int, total: int) -> None:
        ended.append(time.perf_counter())
        if progress is not None:
            progress(done, total)

    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    module = protocol.build(1 if protocol.folded else series.values.shape[1])
    options = TrainingOptions(
        protocol.settings,
        name=name,
        seed=seed,
        threads=threads,
        steps=protocol.steps,
        validate_every=protocol.every,
        schedule=protocol.schedule,
        progress=note,
        checkpoint=checkpoint,
    )
    history = fit_network(module, examples("train"), examples("validation"), protocol.loss, options)
    squared = absolute = np.full(1, np.nan)
    if tested:
        squared, absolute = errors(module, examples("test"), series.values.shape[1] if protocol.folded else 1)
    kept = None if protocol.test_batch is None else len(squared) // protocol.test_batch * protocol.test_batch
    _, later = errors(module, examples("validation"), 1)
    return Result(
        mse=float(squared.mean()),
        mae=float(absolute.mean()),
        dropped_mse=float(squared[:kept].mean()) if kept else None,
        dropped_mae=float(absolute[:kept].mean()) if kept else None,
        validation=float(later.mean()),
        parameters=sum(parameter.numel() for parameter in module.parameters()),
        step_s=float(np.median(np.diff(ended))) if len(ended) > 1 else float("nan"),
        history=history,
    )


def step_seconds(series: Series, protocol: Protocol, *, name: str, seed: int, threads: int = 1) -> list[float]:
    """Seconds of each step of the protocol except the first, without validation and test."""
    ended: list[float] = []
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    module = protocol.build(1 if protocol.folded else series.values.shape[1])
    examples = Examples(series, "train", protocol.look_back, protocol.horizon, folded=protocol.folded)
    options = TrainingOptions(
        protocol.settings,
        name=name,
        seed=seed,
        threads=threads,
        steps=protocol.steps,
        schedule=protocol.schedule,
        progress=lambda *_: ended.append(time.perf_counter()),
    )
    fit_network(module, examples, None, protocol.loss, options)
    return [later - earlier for earlier, later in pairwise(ended)]


@torch.no_grad()
def errors(
    module: nn.Module, examples: Examples, rows_a_window: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean squared and mean absolute error of each window, both (windows,)."""
    module.eval()
    found: list[npt.NDArray[np.float64]] = []
    for first in range(0, len(examples), _EVALUATED):
        inputs, target, _ = examples.batch(np.arange(first, min(first + _EVALUATED, len(examples))))
        off = (module(inputs) - target).double()
        found.append(torch.stack([off.square().mean(dim=(1, 2)), off.abs().mean(dim=(1, 2))]).numpy())
    squared, absolute = np.concatenate(found, axis=1).reshape(2, -1, rows_a_window).mean(axis=2)
    return squared, absolute
