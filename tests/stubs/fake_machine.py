"""A folder like the root of a Linux machine: proc/ and sys/ with the numbers that a test gives."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


class FakeMachine:
    """Writes the files that the readers of the machine read; `clock` is its time in s."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.at = 0.0
        (root / "proc/self").mkdir(parents=True)
        self.busy(0.0)

    def clock(self) -> float:
        return self.at

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def busy(self, seconds: float) -> None:
        """Processor time that was not idle, all of it on the first core that this process may use."""
        first = min(os.sched_getaffinity(0))
        idle = "cpu99999 7 0 0 0 0 0 0 0 0 0"
        self.write("proc/stat", f"cpu  1 1 1\ncpu{first} {int(seconds * TICKS)} 0 0 5000 77 0 0 0 0 0\n{idle}\n")

    def process(self, pid: int, seconds: float, name: str = "python", parent: int = 1, start: int = 5) -> None:
        fields = ["S", str(parent), *["0"] * 9, str(int(seconds * TICKS)), "0", *["0"] * 6, str(start), "0", "0"]
        self.write(f"proc/{pid}/stat", f"{pid} ({name}) {' '.join(fields)}\n")

    def counters(self, path: str, values: Mapping[str, int]) -> None:
        self.write(path, "".join(f"{name} {value}\n" for name, value in values.items()))
