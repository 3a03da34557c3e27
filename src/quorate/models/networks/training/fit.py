"""One training loop for every network: members, their pre-training, and the papers' runs alike.

The same seed, thread count and examples give the same weights to the byte, also where the run was killed on the way and
went on from its checkpoint: the order of the examples and every random number follow from the seed and the step, and
all the rest is in the checkpoint.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from quorate.core.errors import ModelError
from quorate.core.settings import NetworkSettings
from quorate.core.types import IntArray
from quorate.models.base import Progress
from quorate.models.networks.training.batch_order import BatchOrder
from quorate.models.networks.training.checkpoint import Checkpoint, CheckpointState
from quorate.models.networks.training.examples import Examples
from quorate.models.networks.training.loss_history import LossHistory, TrainingPosition
from quorate.models.networks.training.losses import Loss
from quorate.models.networks.training.optimizer import optimizer
from quorate.models.networks.training.processes import Processes
from quorate.models.networks.training.processor import has_bf16, isolated, reseed
from quorate.models.networks.training.recompute import set_recompute
from quorate.models.networks.training.schedule import SCHEDULES, Schedule

__all__ = ["Examples", "Loss", "LossHistory", "fit"]

# Rows of a batch without gradients, at least: they need no memory for a backward pass.
_EVALUATED = 512

# Streams of random numbers that must not meet: of a step, and of a validation.
_STEP, _VALIDATION = 0, 1


def fit(
    module: nn.Module,
    examples: Examples,
    later: Examples | None,
    loss: Loss,
    settings: NetworkSettings,
    *,
    name: str,
    seed: int,
    threads: int = 0,
    progress: Progress | None = None,
    checkpoint: Path | None = None,
    identity: Mapping[str, str] | None = None,
    steps: int | None = None,
    every: int | None = None,
    schedule: Schedule | None = None,
) -> LossHistory:
    """Train a module in place, where it is (processor or GPU), and leave it with its best weights, in evaluation mode.

    Where torch.distributed is initialised, as under torchrun, every process trains on its part of each batch.

    Args:
        module: what is trained; every parameter that wants a gradient.
        examples: to learn from.
        later: to stop by, and to choose the best weights by; None to train to the end and keep the last ones.
        loss: mean over a batch, linear in the rows: what each row costs may not depend on the others.
        settings: of the training; what belongs to the network itself is not read.
        name: for messages.
        seed: of order, dropout and masks; not negative.
        threads: 0 for every core.
        progress: called with (steps done, steps in all) after each step; a run that stops early ends with (done, done).
        checkpoint: file to go on from after an interruption; removed at the end.
        identity: what else the run is made of, beside settings, seed and shapes: a digest of the data, for one. A
            checkpoint of another identity is not gone on from.
        steps: to take in all; None for `settings.epochs` epochs.
        every: steps between validations; None for once an epoch.
        schedule: of the learning rate; None for the settings' own.

    Raises:
        ModelError: a loss or gradient that is no finite number, no examples, or a checkpoint that is not whole.
    """
    with isolated(seed, threads):
        run = _Run(module, examples, later, loss, settings, name, seed, steps, every, schedule)
        if progress is not None and run.processes.leads:
            run.progress = progress
        if checkpoint is not None:
            run.keep(Checkpoint(checkpoint, name, run.identity(identity or {})))
        return run.go()


class _Run:
    def __init__(
        self,
        module: nn.Module,
        examples: Examples,
        later: Examples | None,
        loss: Loss,
        settings: NetworkSettings,
        name: str,
        seed: int,
        steps: int | None,
        every: int | None,
        schedule: Schedule | None,
    ) -> None:
        if not len(examples) or (later is not None and not len(later)):
            raise ModelError(f"fit {name}", found="no examples", expected="at least one to learn from, and to stop by")
        self.module, self.examples, self.later, self.loss = module, examples, later, loss
        self.settings, self.name, self.seed = settings, name, seed
        self.order = BatchOrder(len(examples), settings.batch, settings.share, seed)
        self.steps = settings.epochs * self.order.epoch_steps if steps is None else steps
        self.every = every or self.order.epoch_steps
        self.schedule = schedule or SCHEDULES[settings.schedule]
        self.progress: Progress = lambda done, total: None  # noqa: ARG005
        self.parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
        self.device = self.parameters[0].device
        self.bf16 = settings.bf16 and has_bf16(self.device)
        self.optimizer = optimizer(self.parameters, settings)
        self.processes = Processes(self.device)
        self.wrapped = self.processes.wrap(module)
        set_recompute(module, settings.recompute, name)
        self.checkpoint: Checkpoint | None = None
        self.at = TrainingPosition()
        self.best: dict[str, Tensor] = {}

    def identity(self, more: Mapping[str, str]) -> dict[str, str]:
        """What makes this run this run."""
        shapes = {key: tuple(tensor.shape) for key, tensor in self.module.state_dict().items()}
        own = {key: str(value) for key, value in asdict(self.settings).items() if key != "checkpoint_s"}
        sizes = f"{len(self.examples)} and {0 if self.later is None else len(self.later)}"
        return {
            **own,
            "network": self.name,
            "seed": str(self.seed),
            "steps": f"{self.steps}, validated every {self.every}",
            "rows": sizes,
            "shapes": str(shapes),
            **more,
        }

    def keep(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint, if there is one of this run, and write it from now on."""
        self.checkpoint = checkpoint
        content = self.processes.share(checkpoint.content() if self.processes.leads else None)
        state = None if content is None else checkpoint.state(content)
        if state is None:
            return
        self.at = TrainingPosition(**state.position)
        groups: dict[str, dict[str, Tensor]] = {"module": {}, "best": {}, "optimizer": {}}
        for key, tensor in state.tensors.items():
            group, _, rest = key.partition("/")
            groups[group][rest] = tensor
        self.module.load_state_dict(groups["module"])
        self.best = {key: tensor.to(self.device) for key, tensor in groups["best"].items()}
        moments: dict[int, dict[str, Tensor]] = {}
        for key, tensor in groups["optimizer"].items():
            number, _, moment = key.partition("/")
            moments.setdefault(int(number), {})[moment] = tensor.clone()
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": moments})

    def go(self) -> LossHistory:
        began, before = time.perf_counter(), self.at.seconds
        written = began
        self.module.train()
        while self.at.step < self.steps and not self.exhausted:
            self.take_step()
            closes = self.at.step % self.every == 0 or self.at.step == self.steps
            if closes:
                self.close_round()
            now = time.perf_counter()
            self.at.seconds = before + now - began
            due = closes or self.at.step % self.order.epoch_steps == 0 or now - written >= self.settings.checkpoint_s
            if self.checkpoint is not None and due and self.processes.leads:
                self.checkpoint.write(self.state())
                written = time.perf_counter()
            self.progress(self.at.step, self.at.step if self.exhausted else self.steps)
        if self.best:
            self.module.load_state_dict(self.best)
        self.module.eval()
        if self.checkpoint is not None and self.processes.leads:
            self.checkpoint.remove()
        return self.history()

    @property
    def exhausted(self) -> bool:
        """No better validation loss for as many rounds as the patience lasts."""
        return len(self.at.later) - 1 - self.at.best >= self.settings.patience and bool(self.at.later)

    def take_step(self) -> None:
        at, rank = self.at, self.processes.rank
        rate = self.settings.learning_rate * self.schedule(at.step, self.order.epoch_steps, self.steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        reseed(self.seed, _STEP, at.step, rank)
        rows = self.order.rows(at.step)
        part, counts = self.processes.part(rows)
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.cost(self.wrapped, self.examples, part)
        (loss * counts if counts != 1 else loss).backward()  # type: ignore[no-untyped-call]
        norm = float(nn.utils.clip_grad_norm_(self.parameters, self.settings.clip))
        value = float(loss.detach())
        if not (math.isfinite(value) and math.isfinite(norm)):
            high, clip = self.settings.learning_rate, self.settings.clip
            raise ModelError(
                f"fit {self.name}",
                found=f"a loss of {value:g} and a gradient of {norm:g} at step {at.step + 1} of {self.steps}, "
                f"learning rate {rate:.3g}",
                expected="finite numbers",
                remedy=f"Lower its learning_rate ({high:g}) or its clip ({clip:g}).",
            )
        self.optimizer.step()
        at.step += 1
        mine = len(part) if counts else 0
        at.cost += value * mine
        at.rows += mine

    def close_round(self) -> None:
        """Write down the round's losses, and keep the weights if they are the best yet."""
        at = self.at
        cost, rows = self.processes.total(at.cost, at.rows)
        at.losses.append(cost / rows)
        at.cost = at.rows = 0.0
        if self.later is None:
            at.best = len(at.losses) - 1
            return
        value = self.validate(self.later)
        at.later.append(value)
        if at.best < 0 or value < at.later[at.best]:
            at.best = len(at.later) - 1
            self.best = {key: tensor.detach().clone() for key, tensor in self.module.state_dict().items()}

    @torch.no_grad()
    def validate(self, later: Examples) -> float:
        """Mean loss, on the same random numbers each time where the module draws any."""
        self.module.eval()
        reseed(self.seed, _VALIDATION, self.processes.rank)
        cost, size = 0.0, max(_EVALUATED, self.settings.batch)
        for first in range(0, len(later), size):
            rows = np.arange(first, min(first + size, len(later)))
            part, counts = self.processes.part(rows)
            if counts:
                cost += float(self.cost(self.module, later, part)) * len(part)
        self.module.train()
        (total,) = self.processes.total(cost)
        value = total / len(later)
        if not math.isfinite(value):
            raise ModelError(
                f"fit {self.name}",
                found=f"a validation loss of {value:g} after step {self.at.step} of {self.steps}",
                expected="a finite number",
                remedy=f"Lower its learning_rate ({self.settings.learning_rate:g}).",
            )
        return value

    def cost(self, module: nn.Module, examples: Examples, rows: IntArray) -> Tensor:
        inputs, target, weight = examples.batch(rows)
        if self.device.type != "cpu":
            inputs, target = inputs.to(self.device), target.to(self.device)
            weight = None if weight is None else weight.to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            output = module(inputs)
        return self.loss(output.float(), target, weight)

    def state(self) -> CheckpointState:
        tensors = {f"module/{key}": tensor for key, tensor in self.module.state_dict().items()}
        tensors |= {f"best/{key}": tensor for key, tensor in self.best.items()}
        moments: dict[int, dict[str, Any]] = self.optimizer.state_dict()["state"]
        for number, named in moments.items():
            tensors |= {f"optimizer/{number}/{key}": tensor for key, tensor in named.items()}
        return CheckpointState(asdict(self.at), tensors)

    def history(self) -> LossHistory:
        at = self.at
        return LossHistory(
            losses=tuple(at.losses),
            later=tuple(at.later),
            best=at.best,
            steps=at.step,
            epochs=at.step / self.order.epoch_steps,
            seconds=at.seconds,
            stopped="patience" if at.step < self.steps else "end",
            precision="bfloat16" if self.bf16 else "float32",
        )
