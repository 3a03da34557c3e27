"""The state of an installation, and whether the verbs of the core can run."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quorate.core.errors import QuorateError
from quorate.core.sections.sources import settings_file, settings_variables
from quorate.core.version import __version__
from quorate.workflows.doctor.folders import BundleFolder, DataFolder, bundle_folders, data_folders
from quorate.workflows.doctor.machine import Machine, machine
from quorate.workflows.doctor.packages import Extra, RuntimePackage, extras, runtime_packages


@dataclass(frozen=True, slots=True)
class SettingsState:
    """Where the settings come from.

    Attributes:
        file: that is read; None without one.
        variables: names of the environment's variables that set something.
        error: why they cannot be used; empty where they can.
    """

    file: Path | None
    variables: tuple[str, ...]
    error: str

    def to_json(self) -> dict[str, Any]:
        return {
            "file": None if self.file is None else str(self.file),
            "variables": list(self.variables),
            "error": self.error or None,
        }


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found.

    Attributes:
        runtime: packages without which nothing runs.
        extras: with the verbs that need each.
        machine: cores, memory, disk.
        settings: file and variables.
        data: folders of candles.
        bundles: folders of bundles.
    """

    runtime: tuple[RuntimePackage, ...]
    extras: tuple[Extra, ...]
    machine: Machine
    settings: SettingsState
    data: tuple[DataFolder, ...]
    bundles: tuple[BundleFolder, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """Why verbs of the core, such as `signal` and `backtest`, cannot run; empty where they can."""
        broken = [f"{package.name} cannot be imported: {package.error}" for package in self.runtime if package.error]
        return tuple(broken + ([self.settings.error] if self.settings.error else []))

    @property
    def ok(self) -> bool:
        """Whether every verb of the core can run."""
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """The document of `quorate doctor --json`."""
        return {
            "quorate": __version__,
            "python": platform.python_version(),
            "ok": self.ok,
            "problems": list(self.problems),
            "runtime": [package.to_json() for package in self.runtime],
            "extras": [extra.to_json() for extra in self.extras],
            "machine": self.machine.to_json(),
            "settings": self.settings.to_json(),
            "data": [folder.to_json() for folder in self.data],
            "bundles": [folder.to_json() for folder in self.bundles],
        }


def diagnose(data: Path | None = None, bundles: Path | None = None) -> Diagnosis:
    """Look at the installation, the machine and the folders; nothing is changed, and nothing that fails is an error.

    Args:
        data: folder of candles; None to look in the usual places below the working folder.
        bundles: folder of bundles; None likewise.
    """
    return Diagnosis(runtime_packages(), extras(), machine(), _settings(), data_folders(data), bundle_folders(bundles))


def _settings() -> SettingsState:
    try:
        from quorate.core.configuration import load_settings

        load_settings()
    except (QuorateError, ImportError) as error:
        problem = str(error)
    else:
        problem = ""
    return SettingsState(settings_file(os.environ), tuple(sorted(settings_variables(os.environ))), problem)
