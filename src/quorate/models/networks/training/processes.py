"""Distributed training with torch's DistributedDataParallel under torchrun; a no-op in a single process."""

from __future__ import annotations

import numpy as np
import torch
from torch import distributed, nn

from quorate.core.types import IntArray


class Processes:
    """The process group of a run.

    Args:
        device: of the module; collective operations use it.

    Attributes:
        rank: of this process; only rank 0 reports progress and writes checkpoints.
        count: of all processes.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        is_distributed = distributed.is_available() and distributed.is_initialized()
        self.rank = distributed.get_rank() if is_distributed else 0
        self.count = distributed.get_world_size() if is_distributed else 1

    @property
    def is_main(self) -> bool:
        """Whether this process reports progress and writes checkpoints."""
        return self.rank == 0

    def wrap(self, module: nn.Module) -> nn.Module:
        """The module with gradients averaged over the processes; the module itself in a single process."""
        if self.count == 1:
            return module
        return nn.parallel.DistributedDataParallel(module)

    def shard(self, rows: IntArray) -> tuple[IntArray, float]:
        """This process's rows of a batch and the factor of their mean loss.

        With the factors, the average over the processes is the mean over the batch. A process without rows gets one row
        with a factor of 0, because every process must take part in every step.
        """
        own = rows[self.rank :: self.count]
        if not len(own):
            return rows[:1], 0.0
        return own, len(own) * self.count / len(rows)

    def sums(self, *values: float) -> list[float]:
        """Sums of the values over the processes, the same in each."""
        if self.count == 1:
            return list(values)
        totals = torch.tensor(values, dtype=torch.float64, device=self._device)
        distributed.all_reduce(totals)
        return [float(total) for total in totals]

    def broadcast(self, content: bytes | None) -> bytes | None:
        """The content that rank 0 passes, in every process."""
        if self.count == 1:
            return content
        size = torch.tensor([-1 if content is None else len(content)], device=self._device)
        distributed.broadcast(size, src=0)
        length = int(size)
        if length < 0:
            return None
        array = np.empty(length, np.uint8) if content is None else np.frombuffer(content, np.uint8).copy()
        tensor = torch.from_numpy(array).to(self._device)
        distributed.broadcast(tensor, src=0)
        return tensor.cpu().numpy().tobytes()
