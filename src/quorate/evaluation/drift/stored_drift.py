"""Drift of the bundle that decides at the close of a bar, by its newest check."""

from __future__ import annotations

import logging
from pathlib import Path

from quorate.core.errors import DataError
from quorate.core.sections.drift import DriftSettings
from quorate.evaluation.drift.drift_check import DriftCheck
from quorate.evaluation.drift.stored_check import check_path, read_check
from quorate.trading.drift_state import NO_DRIFT, DriftState

_log = logging.getLogger(__name__)


class StoredDrift:
    """The state at the close of a bar, as `DriftStateAt`: an alarm stands until a newer check has none.

    A check holds at bars that close at or after the newest bar that it has seen, so that a replay of earlier bars knows
    nothing of it. Its age ends nothing: where the watch has died, stakes do not grow.

    Args:
        bundles: what users name, as of `check_path`; None for a bundle that is in no folder, and has no check.
        bundle_id: of the bundle that decides.
        settings: action, and share of the stake.
    """

    def __init__(self, bundles: Path | None, bundle_id: str, settings: DriftSettings) -> None:
        self._bundles, self._id, self._settings = bundles, bundle_id, settings
        self._file: object = None
        self._check: DriftCheck | None = None

    def __call__(self, close: int) -> DriftState | None:
        """The state from a close on, ms; None where the check cannot be read now: what holds stays."""
        if self._bundles is None:
            return _unchecked(self._id)
        try:
            check = self._read(self._bundles)
        except DataError as error:
            _log.error("drift and stakes of new entries stay as they are: %s", error)
            return None
        return drift_state(check, self._id, self._settings, close)

    def _read(self, bundles: Path) -> DriftCheck | None:
        """The newest check, read again where its file is another one."""
        found = _file_state(check_path(bundles, self._id))
        if found != self._file:
            self._check = read_check(bundles, self._id)
            self._file = found
        return self._check


def drift_state(check: DriftCheck | None, bundle_id: str, settings: DriftSettings, close: int) -> DriftState:
    """The state that follows from a check.

    Args:
        check: the newest of the bundle; None where it was never checked.
        bundle_id: of the bundle.
        settings: action, and share of the stake.
        close: of a bar, ms.
    """
    if check is None or check.end > close:
        return _unchecked(bundle_id)
    alarm = check.verdict == "drifting"
    factor = settings.shrink if alarm and settings.action == "shrink" else 1.0
    return DriftState(alarm, factor, f"bundle {bundle_id} {check.headline}")


def _unchecked(bundle_id: str) -> DriftState:
    return NO_DRIFT._replace(reason=f"bundle {bundle_id} was not checked before this bar")


def _file_state(path: Path) -> object:
    """Changes when the file is replaced; None without one."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        return str(error)
    return found.st_ino, found.st_mtime_ns, found.st_size
