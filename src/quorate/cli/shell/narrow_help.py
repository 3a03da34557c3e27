"""Help on narrow terminals: click writes it for 50 columns at least, and gives 30 of them to the flags."""

from __future__ import annotations

import shutil
from typing import Any

# Columns below which this help is written, and the least that it is written for.
_NARROW, _LEAST = 60, 30

# Columns of flags: longer ones have a line of their own.
_FLAG_COLUMNS = 6


def help_options(command: Any) -> dict[str, Any]:
    """Options of a run of a command with which help fits the terminal; where it is narrow, the command is changed.

    Args:
        command: click's command of the whole command line, made for this run.
    """
    width = shutil.get_terminal_size().columns
    if width >= _NARROW:
        return {}
    _narrow(command)
    return {"terminal_width": max(width, _LEAST)}


def _narrow(command: Any) -> None:
    context: Any = command.context_class
    formatter: Any = context.formatter_class

    class NarrowFormatter(formatter):  # type: ignore[misc]
        def write_dl(self, rows: Any, col_max: int = _FLAG_COLUMNS, col_spacing: int = 2) -> None:
            super().write_dl(rows, min(col_max, _FLAG_COLUMNS), col_spacing)

    class NarrowContext(context):  # type: ignore[misc]
        formatter_class = NarrowFormatter

    command.context_class = NarrowContext
    for inner in getattr(command, "commands", {}).values():
        _narrow(inner)
