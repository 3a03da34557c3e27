"""The command line as it was typed, for the provenance of figures."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path


def command_line() -> str:
    """The command to be repeated; a program of its own is named as it was started."""
    program = Path(sys.argv[0]).name if sys.argv and sys.argv[0] not in ("", "-c") else "quorate"
    return shlex.join([program, *sys.argv[1:]])
