"""A check for drift in a process of its own: river, which it needs, brings pandas, scipy and scikit-learn."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any

from quorate.core.errors import QuorateError
from quorate.core.machine.child import begin_child, run_child

_log = logging.getLogger(__name__)


def check_in_child(bundle: Path, data: Path, exchange: str | None, stop: threading.Event) -> int:
    """Check a bundle and its members, and keep the results; arguments and exit code as of `retrain.child`."""
    return run_child(__name__, {"bundle": str(bundle), "data": str(data), "exchange": exchange}, stop)


def main(request: dict[str, Any]) -> int:
    """Do what a parent asked for; the exit code."""
    from quorate.lifecycle.drift.watch import watch_drift

    begin_child()
    try:
        found = watch_drift(request["bundle"], request["data"], exchange=request["exchange"])
    except QuorateError as error:
        _log.error("the check for drift failed: %s", error)
        return 1
    _log.info("drift of the bundle %s: %s", found.bundle, found.headline)
    return 0 if "scores" in found.lacking else _check_members(request)


def _check_members(request: dict[str, Any]) -> int:
    """Check the members on the same candles; the exit code."""
    from quorate.lifecycle.bench import watch_bench

    try:
        found = watch_bench(request["bundle"], request["data"])
    except QuorateError as error:
        _log.error("the check of the members failed: %s", error)
        return 1
    _log.info("members of the bundle %s: %s", found.bundle, found.headline)
    return _select_members(request)


def _select_members(request: dict[str, Any]) -> int:
    """Choose the members that vote on the same candles, if the settings ask for it; the exit code."""
    from quorate.core.configuration import load_settings
    from quorate.lifecycle.selection import watch_selection

    settings = load_settings()
    if not settings.select.size:
        return 0
    try:
        found = watch_selection(request["bundle"], request["data"], settings=settings)
    except QuorateError as error:
        _log.error("the choice of the members failed: %s", error)
        return 1
    _log.info("votes of the bundle %s: %s", found.bundle, found.headline)
    return 0
