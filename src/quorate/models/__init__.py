"""Matrix to scores: the members of the ensemble, behind one contract."""

from quorate.models.base import Model, Task
from quorate.models.registry import build, names

__all__ = ["Model", "Task", "build", "names"]
