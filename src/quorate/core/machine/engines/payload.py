"""What does the tasks, pickled once: its arrays apart from the rest, so that they are shared and not copied.

Dask and Ray both send buffers apart from a pickle (protocol 5), and Ray lays them into memory that all processes of a
machine map. The arrays of a worker are views of that memory, and read-only in every engine.
"""

from __future__ import annotations

import copyreg
import io
import pickle
import uuid
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from quorate.core.machine.worker import ALIGNMENT, Work


def _read_only(content: dict[Any, Any]) -> Mapping[Any, Any]:
    return MappingProxyType(content)


class WorkPickler(pickle.Pickler):
    """Pickles read-only mappings too, which settings hold."""

    def __init__(self, stream: io.BytesIO | io.RawIOBase, keep: Callable[[pickle.PickleBuffer], None]) -> None:
        super().__init__(stream, 5, buffer_callback=keep)
        self.dispatch_table = {**copyreg.dispatch_table, MappingProxyType: lambda made: (_read_only, (dict(made),))}


class Payload:
    """Work on its way to the processes of a cluster.

    Args:
        pickled: the work without its arrays.
        arrays: their memory.
        name: of the run; a process loads the work of a run once.
    """

    def __init__(self, pickled: bytes, arrays: Sequence[Any], name: str = "") -> None:
        self.pickled, self.arrays, self.name = pickled, arrays, name or uuid.uuid4().hex

    @classmethod
    def of(cls, work: Work) -> Payload | None:
        """The payload of some work; None if it cannot be pickled."""
        buffers: list[pickle.PickleBuffer] = []
        stream = io.BytesIO()
        try:
            WorkPickler(stream, buffers.append).dump(work)
        except (pickle.PicklingError, AttributeError, TypeError):
            return None
        return cls(stream.getvalue(), [buffer.raw() for buffer in buffers])

    @property
    def size(self) -> int:
        """Bytes of it all."""
        return len(self.pickled) + sum(memoryview(array).nbytes for array in self.arrays)

    def load(self) -> Work:
        """The work, with its arrays as read-only views of the payload's memory."""
        # Dask cuts what it receives where a message has it. The copy takes the place of that, so that memory holds one.
        self.arrays = [_aligned(memoryview(array)) for array in self.arrays]
        arrays = [array.toreadonly() for array in self.arrays]
        work: Work = pickle.loads(self.pickled, buffers=arrays)  # noqa: S301 - of this program
        return work

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return Payload, (self.pickled, [pickle.PickleBuffer(array) for array in self.arrays], self.name)

    def __sizeof__(self) -> int:
        # Dask decides by it what to spill and where a job runs.
        return self.size


def _aligned(memory: memoryview) -> memoryview:
    """The memory itself where it begins at a multiple of `ALIGNMENT`, else a copy that does."""
    given = np.frombuffer(memory, np.uint8)
    if given.ctypes.data % ALIGNMENT == 0:
        return memory
    room = np.empty(given.nbytes + ALIGNMENT, np.uint8)
    begin = -room.ctypes.data % ALIGNMENT
    copy = room[begin : begin + given.nbytes]
    copy[:] = given
    return copy.data
