"""The training loop of all networks: of members, of pre-training and of the benchmarks of published results.

The same seed, thread count and examples give the same weights, byte for byte, also when the run was interrupted and
resumed from its checkpoint: the order of the examples and all random numbers follow from the seed and the step, and the
checkpoint holds the rest of the state.
"""

from __future__ import annotations

import math
import time
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from quorate.core.errors import ModelError
from quorate.core.types import IntArray
from quorate.models.base import Progress
from quorate.models.networks.training.batch_order import BatchOrder
from quorate.models.networks.training.checkpoint import Checkpoint, CheckpointState
from quorate.models.networks.training.examples import Examples
from quorate.models.networks.training.loss_history import LossHistory, TrainingPosition
from quorate.models.networks.training.losses import Loss
from quorate.models.networks.training.optimizer import optimizer
from quorate.models.networks.training.options import TrainingOptions
from quorate.models.networks.training.processes import Processes
from quorate.models.networks.training.processor import has_bf16, isolated, reseed
from quorate.models.networks.training.recompute import set_recompute
from quorate.models.networks.training.schedule import SCHEDULES

# Least batch size of a validation, which needs no memory for a backward pass.
_VALIDATION_BATCH = 512

# Independent streams of random numbers: of training steps and of validations.
_STEP, _VALIDATION = 0, 1


def fit_network(
    module: nn.Module, examples: Examples, stopping: Examples | None, loss: Loss, options: TrainingOptions
) -> LossHistory:
    """Train a module in place, on the device it is on, and leave it with its best or last weights, in evaluation mode.

    With torch.distributed initialised, as under torchrun, every process trains on its part of each batch.

    Args:
        module: to train; all parameters that require a gradient.
        examples: training examples.
        stopping: validation examples for early stopping, which also select the best weights unless the settings keep
            the last ones; None to train to the end and keep the last weights.
        loss: mean over a batch, linear in the rows: the loss of a row must not depend on the others.
        options: see `TrainingOptions`.

    Raises:
        ModelError: a loss or gradient that is not finite, no examples, or a damaged checkpoint.
    """
    with isolated(options.seed, options.threads):
        run = _TrainingRun(module, examples, stopping, loss, options)
        if options.checkpoint is not None:
            run.resume_from(Checkpoint(options.checkpoint, options.name, run.identity()))
        return run.train()


class _TrainingRun:
    def __init__(
        self,
        module: nn.Module,
        examples: Examples,
        stopping: Examples | None,
        loss: Loss,
        options: TrainingOptions,
    ) -> None:
        if not len(examples) or (stopping is not None and not len(stopping)):
            raise ModelError(
                f"fit {options.name}", found="no examples", expected="at least one for training and one for stopping"
            )
        settings = options.settings
        self.module, self.examples, self.stopping, self.loss = module, examples, stopping, loss
        self.options, self.settings, self.name, self.seed = options, settings, options.name, options.seed
        self.order = BatchOrder(len(examples), settings.batch, settings.share, options.seed)
        self.steps = settings.epochs * self.order.epoch_steps if options.steps is None else options.steps
        self.validate_every = options.validate_every or self.order.epoch_steps
        self.schedule = options.schedule or SCHEDULES[settings.schedule]
        self.parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
        self.device = self.parameters[0].device
        self.bf16 = settings.bf16 and has_bf16(self.device)
        self.optimizer = optimizer(self.parameters, settings)
        self.processes = Processes(self.device)
        self.distributed_module = self.processes.wrap(module)
        set_recompute(module, settings.recompute, options.name)
        self.progress: Progress = lambda done, total: None  # noqa: ARG005
        if options.progress is not None and self.processes.is_main:
            self.progress = options.progress
        self.checkpoint: Checkpoint | None = None
        self.position = TrainingPosition()
        self.best: dict[str, Tensor] = {}

    def identity(self) -> dict[str, str]:
        """What the weights of this run depend on; a checkpoint is resumed only by a run with the same identity."""
        shapes = {key: tuple(tensor.shape) for key, tensor in self.module.state_dict().items()}
        own = {key: str(value) for key, value in asdict(self.settings).items() if key != "checkpoint_s"}
        sizes = f"{len(self.examples)} and {0 if self.stopping is None else len(self.stopping)}"
        return {
            **own,
            "network": self.name,
            "seed": str(self.seed),
            "steps": f"{self.steps}, validated every {self.validate_every}",
            "rows": sizes,
            "shapes": str(shapes),
            **self.options.identity,
        }

    def resume_from(self, checkpoint: Checkpoint) -> None:
        """Restore the state of a checkpoint of this run, if there is one, and write the checkpoint from now on."""
        self.checkpoint = checkpoint
        content = self.processes.broadcast(checkpoint.content() if self.processes.is_main else None)
        state = None if content is None else checkpoint.state(content)
        if state is None:
            return
        self.position = TrainingPosition(**state.position)
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

    def train(self) -> LossHistory:
        began, before = time.perf_counter(), self.position.seconds
        written = began
        self.module.train()
        while self.position.step < self.steps and not self.patience_exhausted:
            self.train_step()
            step = self.position.step
            ends_round = step % self.validate_every == 0 or step == self.steps
            if ends_round:
                self.end_round()
            now = time.perf_counter()
            self.position.seconds = before + now - began
            due = ends_round or step % self.order.epoch_steps == 0 or now - written >= self.settings.checkpoint_s
            if self.checkpoint is not None and due and self.processes.is_main:
                self.checkpoint.write(self.checkpoint_state())
                written = time.perf_counter()
            self.progress(step, step if self.patience_exhausted else self.steps)
        if self.best:
            self.module.load_state_dict(self.best)
        self.module.eval()
        if self.checkpoint is not None and self.processes.is_main:
            self.checkpoint.remove()
        return self.history()

    @property
    def patience_exhausted(self) -> bool:
        """Whether the last `patience` validations had no lower loss than the best one."""
        losses = self.position.validation_losses
        return len(losses) - 1 - self.position.best >= self.settings.patience and bool(losses)

    def train_step(self) -> None:
        position, rank = self.position, self.processes.rank
        rate = self.settings.learning_rate * self.schedule(position.step, self.order.epoch_steps, self.steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        reseed(self.seed, _STEP, position.step, rank)
        rows, factor = self.processes.shard(self.order.rows(position.step))
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.batch_loss(self.distributed_module, self.examples, rows)
        (loss * factor if factor != 1 else loss).backward()  # type: ignore[no-untyped-call]
        norm = float(nn.utils.clip_grad_norm_(self.parameters, self.settings.clip))
        value = float(loss.detach())
        if not (math.isfinite(value) and math.isfinite(norm)):
            high, clip = self.settings.learning_rate, self.settings.clip
            raise ModelError(
                f"fit {self.name}",
                found=f"a loss of {value:g} and a gradient norm of {norm:g} at step {position.step + 1} of "
                f"{self.steps}, learning rate {rate:.3g}",
                expected="finite numbers",
                remedy=f"Lower its learning_rate ({high:g}) or its clip ({clip:g}).",
            )
        self.optimizer.step()
        position.step += 1
        count = len(rows) if factor else 0
        position.cost += value * count
        position.rows += count

    def end_round(self) -> None:
        """Record the losses of the round; keep its weights if the best count and its validation loss is the lowest."""
        position = self.position
        cost, rows = self.processes.sums(position.cost, position.rows)
        position.losses.append(cost / rows)
        position.cost = position.rows = 0.0
        if self.stopping is None:
            position.best = len(position.losses) - 1
            return
        value = self.validate(self.stopping)
        position.validation_losses.append(value)
        if position.best < 0 or value < position.validation_losses[position.best]:
            position.best = len(position.validation_losses) - 1
            if self.settings.keep == "best":
                self.best = {key: tensor.detach().clone() for key, tensor in self.module.state_dict().items()}

    @torch.no_grad()
    def validate(self, stopping: Examples) -> float:
        """Mean loss of the stopping examples; a module that draws random numbers gets the same ones each time."""
        self.module.eval()
        reseed(self.seed, _VALIDATION, self.processes.rank)
        cost, size = 0.0, max(_VALIDATION_BATCH, self.settings.batch)
        for first in range(0, len(stopping), size):
            rows, factor = self.processes.shard(np.arange(first, min(first + size, len(stopping))))
            if factor:
                cost += float(self.batch_loss(self.module, stopping, rows)) * len(rows)
        self.module.train()
        (total,) = self.processes.sums(cost)
        value = total / len(stopping)
        if not math.isfinite(value):
            raise ModelError(
                f"fit {self.name}",
                found=f"a validation loss of {value:g} after step {self.position.step} of {self.steps}",
                expected="a finite number",
                remedy=f"Lower its learning_rate ({self.settings.learning_rate:g}).",
            )
        return value

    def batch_loss(self, module: nn.Module, examples: Examples, rows: IntArray) -> Tensor:
        inputs, target, weight = examples.batch(rows)
        if self.device.type != "cpu":
            inputs, target = inputs.to(self.device), target.to(self.device)
            weight = None if weight is None else weight.to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            output = module(inputs)
        return self.loss(output.float(), target, weight)

    def checkpoint_state(self) -> CheckpointState:
        tensors = {f"module/{key}": tensor for key, tensor in self.module.state_dict().items()}
        tensors |= {f"best/{key}": tensor for key, tensor in self.best.items()}
        moments: dict[int, dict[str, Any]] = self.optimizer.state_dict()["state"]
        for number, named in moments.items():
            tensors |= {f"optimizer/{number}/{key}": tensor for key, tensor in named.items()}
        return CheckpointState(asdict(self.position), tensors)

    def history(self) -> LossHistory:
        position = self.position
        return LossHistory(
            losses=tuple(position.losses),
            validation_losses=tuple(position.validation_losses),
            best=position.best if self.settings.keep == "best" else len(position.losses) - 1,
            steps=position.step,
            epochs=position.step / self.order.epoch_steps,
            seconds=position.seconds,
            stopped="patience" if position.step < self.steps else "end",
            precision="bfloat16" if self.bf16 else "float32",
        )
