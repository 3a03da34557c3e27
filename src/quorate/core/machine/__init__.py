"""The machine: cores that this process may use, what the others use, and what slows a run."""

from quorate.core.machine.cores import allowed_cores as allowed_cores
from quorate.core.machine.cores import whole_cores as whole_cores
from quorate.core.machine.load import Load as Load
from quorate.core.machine.load import free_cores as free_cores
from quorate.core.machine.load import free_workers as free_workers
from quorate.core.machine.memory import keep_freed_memory as keep_freed_memory
from quorate.core.machine.openmp import wait_passively as wait_passively
from quorate.core.machine.slowdown import SlowdownWatch as SlowdownWatch
from quorate.core.machine.workers import LOCAL as LOCAL
from quorate.core.machine.workers import can_share as can_share
from quorate.core.machine.workers import run_next_tasks as run_next_tasks
from quorate.core.machine.workers import run_tasks as run_tasks

__all__ = [
    "LOCAL",
    "Load",
    "SlowdownWatch",
    "allowed_cores",
    "can_share",
    "free_cores",
    "free_workers",
    "keep_freed_memory",
    "run_next_tasks",
    "run_tasks",
    "wait_passively",
    "whole_cores",
]
