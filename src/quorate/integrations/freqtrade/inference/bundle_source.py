"""Loading of a strategy's bundle, and its replacement while the bot runs."""

from __future__ import annotations

import logging
from pathlib import Path

from quorate.core.errors import BundleError, FreqtradeError, QuorateError
from quorate.core.types import Mode
from quorate.ensemble.bundle.champion_path import champion_path
from quorate.ensemble.bundle.manifest import FILE_NAME
from quorate.ensemble.inference import Predictor
from quorate.ensemble.series.series_file import FILE_NAME as SERIES
from quorate.integrations.freqtrade.strategy_options import StrategyOptions
from quorate.workflows.inputs import load_live

_log = logging.getLogger(__name__)


class BundleSource:
    """The bundle of a strategy.

    Args:
        options: path of the bundle, and whether the fallback rules may replace it.

    Attributes:
        path: a bundle, a folder of bundles for its champion, or a series.
        bundle: as last loaded; None before `start`, and while the fallback rules decide.
    """

    def __init__(self, options: StrategyOptions) -> None:
        self.path: Path = options.path(options.freqtrade.bundle)
        self.bundle: Predictor | None = None
        self._options = options
        self._last_state: object = None

    @property
    def id(self) -> str:
        """ID of the bundle or series; "rules" without one."""
        return "rules" if self.bundle is None else self.bundle.id

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the members, loaded or not."""
        return () if self.bundle is None else tuple(member.model for member in self.bundle.manifest.members)

    @property
    def mode(self) -> Mode:
        """full, partial or none: how many members are loaded."""
        return "none" if self.bundle is None else self.bundle.mode

    @property
    def stack(self) -> bool:
        """Whether it predicts returns."""
        return self.bundle is not None and self.bundle.stack is not None

    @property
    def horizon(self) -> int:
        """Bars of the target's horizon, after which a position is closed by default."""
        return self._options.settings.target.horizon if self.bundle is None else self.bundle.manifest.horizon

    def start(self) -> None:
        """Load the bundle.

        Raises:
            FreqtradeError: it cannot be loaded, and the setting `fallback` is not "rules".
        """
        self._last_state = self._state()
        try:
            self.bundle = self._load()
        except QuorateError as error:
            if self._options.freqtrade.fallback == "rules":
                _log.error("%s The fallback rules decide instead, as configured; they are not a model.", error)
                return
            raise FreqtradeError(
                f"start the strategy, which has to {error.attempted}",
                found=error.found,
                expected=error.expected,
                remedy=f'{error.remedy} Set "quorate": {{"bundle": ...}} in Freqtrade\'s configuration; '
                '`quorate train --out DIR` trains a bundle; {"fallback": "rules"} trades without one.',
            ) from error

    def refresh(self) -> bool:
        """Load the bundle again if it was replaced; returns whether another one is in use now.

        If the new bundle cannot be loaded, this is logged once and the one in use stays.
        """
        state = self._state()
        if state == self._last_state:
            return False
        self._last_state = state
        try:
            loaded = self._load()
        except QuorateError as error:
            _log.error("the new bundle cannot be loaded: %s The bundle %s stays in use.", error, self.id)
            return False
        if loaded.id == self.id:
            return False
        _log.warning("bundle %s replaces %s", loaded.id, self.id)
        self.bundle = loaded
        return True

    def _load(self) -> Predictor:
        loaded = load_live(self.path, self._options.settings, self._options.freqtrade.policy or None)
        loaded.newest.status()  # a series loads its bundles late: one that cannot be loaded has to fail here
        return loaded

    def _state(self) -> object:
        """Path, modification time and size of the manifest: they change when the bundle does."""
        try:
            path = champion_path(self.path)
        except BundleError as error:
            return str(error)
        try:
            stat = (path / SERIES if (path / SERIES).exists() else path / FILE_NAME).stat()
        except OSError as error:
            return (path, str(error))
        return (path, stat.st_mtime_ns, stat.st_size)
