"""Settings of the engine that runs jobs: processes of this machine, or a cluster of Dask or Ray."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from quorate.core.errors import SettingsError
from quorate.core.sections.section import Section, require

#: What runs jobs.
EngineName = Literal["local", "dask", "ray"]


@dataclass(frozen=True, slots=True)
class EngineSettings(Section):
    """Where the jobs of a walk-forward, a search, a series or a book run; their results do not depend on it."""

    name: EngineName = "local"  # processes of this machine, or a cluster
    address: str = ""  # of a cluster, such as tcp://host:8786, ray://host:10001 or auto; empty: one started here
    workers: int = 0  # jobs at once on a cluster; 0: as many as it has workers, or as the verb has processes
    retries: int = 2  # times that a job runs again whose worker was killed
    timeout_s: float = 30.0  # s to reach a cluster, and for which it may be without any worker
    folder: str = ""  # of finished jobs, from which an interrupted run resumes; empty: none are kept

    def __post_init__(self) -> None:
        if self.name not in get_args(EngineName):
            expected = f"one of {', '.join(get_args(EngineName))}"
            raise SettingsError("use the setting engine.name", found=repr(self.name), expected=expected)
        require("engine", "workers", self.workers, 0, 100_000)
        require("engine", "retries", self.retries, 0, 100)
        require("engine", "timeout_s", self.timeout_s, 0.1, 86_400)
