"""Telemetry of ONNX Runtime, which is off.

Since version 1.29 the builds for Linux on PyPI send names and hashes of the graphs that are loaded to Microsoft, and
keep a device's id and what is not sent yet in ~/.cache/Microsoft (https://github.com/microsoft/onnxruntime/pull/27379).
The library's own function for switching it off comes too late: the id is written when the library is imported.
"""

from __future__ import annotations

import os

# Read when the library is loaded.
_VARIABLE = "ORT_DISABLE_TELEMETRY"


def disable_telemetry() -> None:
    """Switch telemetry off in ONNX Runtime, if it is loaded from now on; a value in the environment stays."""
    os.environ.setdefault(_VARIABLE, "1")
