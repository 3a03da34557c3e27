"""How threads of OpenMP wait for each other.

torch, XGBoost, LightGBM and scikit-learn share their loops among threads by OpenMP. GNU's runtime lets a thread that
waits spin: on free cores this saves microseconds, but where another process holds a core, every loop lasts until the
spinning thread loses its core. On two cores beside two busy processes, XGBoost with two threads then takes 8 to 12
times, N-HiTS 25 times as long as with one. Threads that sleep while they wait take 1.2 times as long at worst.
"""

from __future__ import annotations

import os

# Read by the runtimes of GNU and LLVM when they are loaded. https://www.openmp.org/spec-html/5.0/openmpse55.html
_POLICY = "OMP_WAIT_POLICY"


def wait_passively() -> None:
    """Let waiting threads sleep, in libraries that are loaded from now on; a policy of the environment stays."""
    os.environ.setdefault(_POLICY, "passive")
