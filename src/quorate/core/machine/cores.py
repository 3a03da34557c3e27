"""Cores that this process may use: those of its affinity, and the quota of its container.

Quotas are those of Linux's control groups, in both versions; the strictest group from the process's own up to the root
holds. https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

_ROOT = Path("/")

# Files of version 1: quota and period in microseconds.
_QUOTA, _PERIOD = "cpu.cfs_quota_us", "cpu.cfs_period_us"


def allowed_cores(root: Path = _ROOT) -> float:
    """Cores that this process may use at once, at most; at least 0.01, and a fraction where the quota is one.

    Args:
        root: folder with proc/ and sys/, for tests.
    """
    quotas = [quota for quota in _quotas(root) if quota is not None]
    return max(0.01, min([float(affinity()), *quotas]))


def whole_cores(root: Path = _ROOT) -> int:
    """Number of threads that `allowed_cores` can run at once, at least 1."""
    return max(1, int(allowed_cores(root)))


def groups(root: Path = _ROOT) -> Iterator[Path]:
    """Folders of the control groups that limit the processor time of this process, its own first."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            mount = root / "sys/fs/cgroup"
        elif "cpu" in controllers.split(","):
            mount = root / "sys/fs/cgroup/cpu"
        else:
            continue
        own = PurePosixPath(path)
        for each in (own, *own.parents):
            # Inside a container, its own group is the root of what is mounted, whatever its path is outside.
            yield mount / str(each).lstrip("/")


def affinity() -> int:
    """Cores that this process may be scheduled on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quotas(root: Path) -> Iterator[float | None]:
    """The quota of each group in cores; None without one."""
    for folder in groups(root):
        yield _ratio(_text(folder / "cpu.max").split())
        yield _ratio([_text(folder / _QUOTA).strip(), _text(folder / _PERIOD).strip()])


def _ratio(words: list[str]) -> float | None:
    """Quota over period; None for "max", -1, and anything else that is no quota."""
    if len(words) != 2 or not all(word.isdecimal() for word in words) or not int(words[1]) or not int(words[0]):
        return None
    return int(words[0]) / int(words[1])


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):  # no such file: another system, or another version of control groups
        return ""
