"""The machine: processor features that matter, cores, memory and disk."""

from __future__ import annotations

import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quorate.core.machine import allowed_cores

_CPUINFO, _MEMINFO = Path("/proc/cpuinfo"), Path("/proc/meminfo")

# Names in /proc/cpuinfo -> what is shown. AVX2 and AVX-512: speed of trees and networks; VNNI: members in 8 bits; BF16:
# training in bfloat16.
_FEATURES = {
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx512_vnni": "VNNI",
    "avx_vnni": "VNNI",
    "avx512_bf16": "BF16",
    "amx_bf16": "BF16",
    "asimd": "NEON",
    "asimddp": "dot products",
}


@dataclass(frozen=True, slots=True)
class Machine:
    """What this process may use.

    Attributes:
        system: operating system and architecture.
        features: of the processor, those that matter here; None where the system does not list them.
        cores: that this process may use, with fractions of a container's quota.
        all_cores: of the machine.
        threads: OMP_NUM_THREADS, which bounds training; None where it is not set.
        memory: bytes; None where the system does not say.
        memory_free: bytes that are available; None where the system does not say.
        folder: the working folder.
        disk_free: bytes that are free there.
    """

    system: str
    features: tuple[str, ...] | None
    cores: float
    all_cores: int
    threads: str | None
    memory: int | None
    memory_free: int | None
    folder: Path
    disk_free: int

    def to_json(self) -> dict[str, Any]:
        return {
            "system": self.system,
            "features": None if self.features is None else list(self.features),
            "cores": self.cores,
            "all_cores": self.all_cores,
            "omp_num_threads": self.threads,
            "memory_bytes": self.memory,
            "memory_free_bytes": self.memory_free,
            "folder": str(self.folder),
            "disk_free_bytes": self.disk_free,
        }


def machine(cpuinfo: Path = _CPUINFO, meminfo: Path = _MEMINFO) -> Machine:
    """The machine as this process sees it.

    Args:
        cpuinfo: file of Linux; elsewhere the features are not known.
        meminfo: likewise of the memory.
    """
    here, memory = Path.cwd(), _memory(meminfo)
    return Machine(
        system=f"{platform.system()} {platform.machine()}",
        features=_features(cpuinfo),
        cores=allowed_cores(),
        all_cores=os.cpu_count() or 1,
        threads=os.environ.get("OMP_NUM_THREADS"),
        memory=memory.get("MemTotal"),
        memory_free=memory.get("MemAvailable"),
        folder=here,
        disk_free=shutil.disk_usage(here).free,
    )


def _features(cpuinfo: Path) -> tuple[str, ...] | None:
    for line in _lines(cpuinfo):
        name, _, words = line.partition(":")
        if name.strip() in ("flags", "Features"):
            listed = set(words.split())
            return tuple(dict.fromkeys(shown for flag, shown in _FEATURES.items() if flag in listed))
    return None


def _memory(meminfo: Path) -> dict[str, int]:
    """Name -> bytes."""
    pairs = (line.partition(":") for line in _lines(meminfo))
    return {name: int(words.split()[0]) * 1024 for name, _, words in pairs if words.strip().endswith("kB")}


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
