"""What `quorate doctor` finds, a line a subject."""

from __future__ import annotations

import platform
import textwrap
from collections.abc import Iterator

from quorate.cli import output
from quorate.core.clock import format_ms
from quorate.core.text import counted
from quorate.core.version import __version__
from quorate.workflows.doctor import Diagnosis
from quorate.workflows.doctor.folders import BundleFolder, DataFolder
from quorate.workflows.doctor.machine import Machine

_LABEL = 10
_GIB = 1 << 30


def show(found: Diagnosis) -> None:
    """Print the subjects, and last whether the verbs of the core can run."""
    system = found.machine.system
    output.print_line(f"quorate {__version__}, Python {platform.python_version()}, {system}")
    _subject("runtime", [", ".join(f"{each.name} {each.version or 'missing'}" for each in found.runtime[:4])])
    _subject("processor", [_processor(found.machine)])
    _subject("memory", [_memory(found.machine)])
    _subject("disk", [f"{found.machine.disk_free / _GIB:.1f} GiB free in {found.machine.folder}"])
    _subject("settings", [_settings(found)])
    _subject("candles", [text for folder in found.data for text in _data(folder)] or ["none found; name --data"])
    _subject("bundles", [_bundle(folder) for folder in found.bundles] or ["none found; name --bundles"])
    _subject("extras", [", ".join(extra.name for extra in found.extras if not extra.missing) or "none"])
    missing = [extra for extra in found.extras if extra.missing]
    _subject("missing", [f"{extra.install:<33} for {extra.verbs}" for extra in missing] or ["nothing"])
    for problem in found.problems:
        output.print_line(f"PROBLEM: {problem}")
    output.print_line("every verb of the core can run" if found.ok else "verbs of the core cannot run")


def _subject(label: str, lines: list[str]) -> None:
    """Lines behind a label, each wrapped between words at the width of the terminal, 80 columns at most."""
    width = min(output.console_width(), 80)
    for number, line in enumerate(lines):
        first = f"{label if not number else '':<{_LABEL}} "
        rest = " " * (_LABEL + 3)
        for text in textwrap.wrap(
            line, width, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
        ):
            output.print_line(text)


def _processor(machine: Machine) -> str:
    features = "features not listed by the system" if machine.features is None else ", ".join(machine.features)
    threads = "" if machine.threads is None else f", OMP_NUM_THREADS {machine.threads}"
    return f"{features or 'neither AVX2 nor NEON'}; {machine.cores:g} of {counted(machine.all_cores, 'core')}{threads}"


def _memory(machine: Machine) -> str:
    if machine.memory is None:
        return "not told by the system"
    return f"{machine.memory / _GIB:.1f} GiB, {(machine.memory_free or 0) / _GIB:.1f} GiB free"


def _settings(found: Diagnosis) -> str:
    state = found.settings
    file = "defaults, no quorate.toml here" if state.file is None else str(state.file)
    return f"{file}; {counted(len(state.variables), 'variable')} QUORATE_..." if state.variables else file


def _data(folder: DataFolder) -> Iterator[str]:
    if folder.error:
        yield f"{folder.path}: {folder.error}"
        return
    bad = f", {counted(folder.unreadable, 'file')} cannot be read: quorate data check" if folder.unreadable else ""
    yield f"{folder.path}{bad}" if folder.timeframes else f"{folder.path}: no candles"
    for timeframe, span in folder.timeframes.items():
        bars = "no rows" if span.start is None else f"{format_ms(span.start)} to {format_ms(span.end or 0)}"
        yield f"  {timeframe}: {counted(span.markets, 'market')}, {bars}"


def _bundle(folder: BundleFolder) -> str:
    if folder.error:
        return f"{folder.path}: {folder.error}"
    return f"{folder.path}: {counted(folder.bundles, 'bundle')}, champion {folder.champion or 'none'}"
