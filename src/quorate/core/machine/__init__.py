"""The machine: cores that this process may use, what the others use, and what slows a run."""

from quorate.core.machine.cores import allowed_cores as allowed_cores
from quorate.core.machine.cores import whole_cores as whole_cores
from quorate.core.machine.load import Load as Load
from quorate.core.machine.load import free_cores as free_cores
from quorate.core.machine.openmp import wait_passively as wait_passively
from quorate.core.machine.slowdown import SlowdownWatch as SlowdownWatch

__all__ = ["Load", "SlowdownWatch", "allowed_cores", "free_cores", "wait_passively", "whole_cores"]
