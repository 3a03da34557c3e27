"""One run over several processes: torch's own DistributedDataParallel, started by torchrun; alone, nothing happens."""

from __future__ import annotations

import numpy as np
import torch
from torch import distributed, nn

from quorate.core.types import IntArray


class Processes:
    """The processes of this run, of which this is one.

    Args:
        device: of the module; what is exchanged goes over it.

    Attributes:
        rank: of this process; rank 0 alone reports and writes.
        count: of all.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        joined = distributed.is_available() and distributed.is_initialized()
        self.rank = distributed.get_rank() if joined else 0
        self.count = distributed.get_world_size() if joined else 1

    @property
    def leads(self) -> bool:
        """Whether this is the one that reports and writes."""
        return self.rank == 0

    def wrap(self, module: nn.Module) -> nn.Module:
        """The module with gradients averaged over the processes; itself where there is one only."""
        if self.count == 1:
            return module
        return nn.parallel.DistributedDataParallel(module)

    def part(self, rows: IntArray) -> tuple[IntArray, float]:
        """This process's rows of a batch, and what their mean loss counts, so that the average over the processes is
        the mean over the batch.

        A process left without rows takes one that counts nothing: all of them must take part in every step.
        """
        mine = rows[self.rank :: self.count]
        if not len(mine):
            return rows[:1], 0.0
        return mine, len(mine) * self.count / len(rows)

    def total(self, *values: float) -> list[float]:
        """Sums over the processes, the same in each."""
        if self.count == 1:
            return list(values)
        sums = torch.tensor(values, dtype=torch.float64, device=self._device)
        distributed.all_reduce(sums)
        return [float(value) for value in sums]

    def share(self, content: bytes | None) -> bytes | None:
        """What rank 0 has, in every process."""
        if self.count == 1:
            return content
        size = torch.tensor([-1 if content is None else len(content)], device=self._device)
        distributed.broadcast(size, src=0)
        length = int(size)
        if length < 0:
            return None
        given = np.empty(length, np.uint8) if content is None else np.frombuffer(content, np.uint8).copy()
        sent = torch.from_numpy(given).to(self._device)
        distributed.broadcast(sent, src=0)
        return sent.cpu().numpy().tobytes()
