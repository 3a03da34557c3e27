"""Freed memory stays with the process."""

import platform
import subprocess
import sys

import pytest

# Arrays as a prediction of many markets makes them: each small, together 10 MiB, all freed at the end.
SCRIPT = """
import resource, sys
import numpy as np
from quorate.core.machine import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        arrays = [np.ones(12_500) for _ in range(100)]
        del arrays
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

if sys.argv[1] == "kept":
    keep_freed_memory()
faults()
print(faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="how other C libraries keep memory is not known")
def test_memory_that_was_freed_is_not_asked_for_again():
    found = {}
    for what in ("returned", "kept"):
        run = subprocess.run([sys.executable, "-c", SCRIPT, what], capture_output=True, text=True, check=True)
        found[what] = int(run.stdout)
    assert found["kept"] < 250 < 10_000 < found["returned"]
