"""What figures depend on besides code, settings and candles: Python, libraries and processor. Prints them as JSON."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_PACKAGES = (
    *("numpy", "TA-Lib", "pyarrow", "scipy", "scikit-learn", "xgboost", "xgboost-cpu", "lightgbm", "torch"),
    *("onnx", "onnxmltools", "skl2onnx", "onnxruntime"),
)


def machine() -> dict[str, Any]:
    """Of this interpreter, on this machine."""
    found: dict[str, Any] = {"python": platform.python_version(), "system": _system()}
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):  # xgboost comes under two names
            found[package] = version(package)
    return found | _processor()


def _system() -> str:
    return " ".join(part for part in (sys.platform, platform.machine(), *platform.libc_ver()) if part)


def _processor() -> dict[str, Any]:
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
    except OSError:
        return {"processor": platform.processor(), "instructions": ""}
    told = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    model = [told.get(name, "") for name in ("model name", "cpu family", "model", "stepping")]
    return {"processor": " ".join(model), "instructions": " ".join(sorted(told.get("flags", "").split()))}


def changes(recorded: Mapping[str, Any], present: Mapping[str, Any]) -> list[str]:
    """What differs, a line each; nothing where figures can be held to the last bit.

    >>> changes({"numpy": "2.4.6", "instructions": "avx avx2"}, {"numpy": "2.4.7", "instructions": "avx fma"})
    ['numpy 2.4.6 -> 2.4.7', 'instructions avx2 -> fma']
    """
    found = []
    for name in dict.fromkeys([*recorded, *present]):
        before, after = recorded.get(name, "none"), present.get(name, "none")
        if name == "instructions":
            old, new = set(before.split()), set(after.split())
            before, after = " ".join(sorted(old - new)), " ".join(sorted(new - old))
        if before != after:
            found.append(f"{name} {before or 'none'} -> {after or 'none'}")
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(machine()))
