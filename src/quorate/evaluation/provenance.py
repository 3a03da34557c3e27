"""Where a figure comes from: which data, which code, which command."""

from __future__ import annotations

import hashlib
import shlex
import sys
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import numpy as np

import quorate
from quorate.core.types import CANDLE_COLUMNS, Candles, Funding

_DIGITS = 16


def data_hash(
    candles: Mapping[str, Candles],
    funding: Mapping[str, Funding] | None = None,
    marks: Mapping[str, Candles] | None = None,
) -> str:
    """16 hex digits of the SHA-256 of everything that was read, to the last bit; the order of symbols is no matter.

    Args:
        candles: symbol -> candles, those that warm features up included.
        funding: symbol -> settlements.
        marks: symbol -> mark prices.
    """
    digest = hashlib.sha256()
    for kind, panel in (("candles", candles), ("mark", marks or {})):
        for symbol in sorted(panel):
            bars = panel[symbol]
            digest.update(f"{kind} {symbol} {bars.timeframe} {len(bars)}\n".encode())
            for name in ("time", *CANDLE_COLUMNS):
                digest.update(np.ascontiguousarray(getattr(bars, name)).data)
    for symbol in sorted(funding or {}):
        settled = (funding or {})[symbol]
        digest.update(f"funding {symbol} {len(settled)}\n".encode())
        digest.update(np.ascontiguousarray(settled.time).data)
        digest.update(np.ascontiguousarray(settled.rate).data)
    return digest.hexdigest()[:_DIGITS]


def code_version() -> str:
    """The release, and 12 hex digits of the SHA-256 of the package's own sources: two that differ in a line differ."""
    digest = hashlib.sha256()
    for name, source in sorted(_sources(files("quorate"))):
        digest.update(f"{name}\n".encode())
        digest.update(source.read_bytes())
    return f"{quorate.__version__}+{digest.hexdigest()[:12]}"


def command_line() -> str:
    """What was typed to get this, to be typed again; a program of its own is named as it was started."""
    program = Path(sys.argv[0]).name if sys.argv and sys.argv[0] not in ("", "-c") else "quorate"
    return shlex.join([program, *sys.argv[1:]])


def _sources(folder: Traversable, above: str = "") -> list[tuple[str, Traversable]]:
    found = []
    for entry in folder.iterdir():
        name = f"{above}{entry.name}"
        if entry.is_dir():
            found += _sources(entry, f"{name}/")
        elif entry.name.endswith(".py"):
            found.append((name, entry))
    return found
