"""Where a strategy's bundle comes from: loaded once, replaced while the bot runs, and never half."""

from __future__ import annotations

import logging
from pathlib import Path

from quorate.core.errors import BundleError, FreqtradeError, QuorateError
from quorate.core.types import Mode
from quorate.ensemble.bundle.bundle_store import champion_path
from quorate.ensemble.bundle.manifest import FILE_NAME
from quorate.ensemble.inference import Predictor
from quorate.ensemble.series import load
from quorate.ensemble.series.series_file import FILE_NAME as SERIES
from quorate.integrations.freqtrade.strategy_options import Options

_log = logging.getLogger(__name__)


class BundleSource:
    """The bundle that decides, if any.

    Args:
        options: where it lies, and whether the fallback rules may speak in its stead.

    Attributes:
        path: a bundle, a folder of bundles for its champion, or a series of them.
        bundle: as last loaded whole; None before `start`, and where only the fallback rules speak.
    """

    def __init__(self, options: Options) -> None:
        self.path: Path = options.path(options.own.bundle)
        self.bundle: Predictor | None = None
        self._options = options
        self._seen: object = None

    @property
    def id(self) -> str:
        """Of the bundle or series; "rules" without one."""
        return "rules" if self.bundle is None else self.bundle.id

    @property
    def models(self) -> tuple[str, ...]:
        """The members, loaded or not."""
        return () if self.bundle is None else tuple(member.model for member in self.bundle.manifest.members)

    @property
    def mode(self) -> Mode:
        """full, partial or none."""
        return "none" if self.bundle is None else self.bundle.mode

    @property
    def horizon(self) -> int:
        """Bars that a position lasts at most: what the members look ahead."""
        return self._options.settings.target.horizon if self.bundle is None else self.bundle.manifest.horizon

    def start(self) -> None:
        """Load the bundle.

        Raises:
            FreqtradeError: there is none that can be loaded, and the fallback rules were not asked for.
        """
        self._seen = self._state()
        try:
            self.bundle = self._load()
        except QuorateError as error:
            if self._options.own.fallback == "rules":
                _log.error("%s The fallback rules trade, as the configuration asks; they are no model.", error)
                return
            raise FreqtradeError(
                f"start the strategy, which has to {error.attempted}",
                found=error.found,
                expected=error.expected,
                remedy=f"{error.remedy} Freqtrade's configuration names the bundle: "
                '"quorate": {"bundle": ...}; `quorate train --out DIR` makes one; {"fallback": "rules"} does without.',
            ) from error

    def refresh(self) -> bool:
        """Load what has taken the bundle's place, if anything has; returns whether it was.

        A bundle that cannot be loaded is said once, and the one in use stays.
        """
        state = self._state()
        if state == self._seen:
            return False
        self._seen = state
        try:
            loaded = self._load()
        except QuorateError as error:
            _log.error("the new bundle cannot be loaded: %s The bundle %s stays in use.", error, self.id)
            return False
        if loaded.id == self.id:
            return False
        _log.warning("bundle %s takes the place of %s", loaded.id, self.id)
        self.bundle = loaded
        return True

    def _load(self) -> Predictor:
        settings = self._options.settings
        loaded = load(self.path, settings.predict, self._options.own.policy or None, settings.features)
        loaded.newest.status()  # a series loads its bundles late: one that cannot be loaded is to fail here
        return loaded

    def _state(self) -> object:
        """What changes when the bundle does: which one it is, and its manifest's time and size."""
        try:
            path = champion_path(self.path)
        except BundleError as error:
            return str(error)
        try:
            told = (path / SERIES if (path / SERIES).exists() else path / FILE_NAME).stat()
        except OSError as error:
            return (path, str(error))
        return (path, told.st_mtime_ns, told.st_size)
