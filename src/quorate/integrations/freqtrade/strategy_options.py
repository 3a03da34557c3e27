"""Freqtrade's configuration and Quorate's settings together: what a strategy runs by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from quorate.core.configuration import load_settings
from quorate.core.errors import FreqtradeError, SettingsError, close_match
from quorate.core.settings import FreqtradeSettings, Settings

#: The section of Freqtrade's configuration that is Quorate's.
SECTION = "quorate"

# Freqtrade's runs in which money, real or simulated, is on the line bar by bar.
_LIVE = ("live", "dry_run")

# Runs over whole frames that are likely to be asked for again.
_REPEATED = ("backtest", "hyperopt")


@dataclass(frozen=True, slots=True)
class Options:
    """What one strategy runs by.

    Attributes:
        own: the section `freqtrade` of the settings, under the `quorate` section of Freqtrade's configuration.
        settings: all of Quorate's settings, from quorate.toml and the environment.
        user_data: Freqtrade's folder, from which relative paths count.
        runmode: Freqtrade's own name for what it is doing: live, dry_run, backtest, hyperopt ...
        spot: no shorts, no leverage.
    """

    own: FreqtradeSettings
    settings: Settings
    user_data: Path
    runmode: str
    spot: bool

    def path(self, text: str) -> Path:
        """A path of the settings: relative ones lie below user_data."""
        return self.user_data / Path(text).expanduser()

    @property
    def live(self) -> bool:
        """Dry-run or live trading, and no backtest."""
        return self.runmode in _LIVE

    @property
    def cache(self) -> Path | None:
        """Where predictions of whole backtests are kept; None where they are not."""
        return self.path(self.own.cache) if self.own.cache and self.runmode in _REPEATED else None

    @property
    def guarded(self) -> bool:
        """Whether the guards stand before entries."""
        return self.own.guards == "always" or (self.own.guards == "live" and self.live)

    @property
    def leaves_on_opposite(self) -> bool:
        """Whether a decision the other way closes a position."""
        return self.own.leave_on_opposite == "always" or (self.own.leave_on_opposite == "spot" and self.spot)


def read_options(config: Mapping[str, Any]) -> Options:
    """What Freqtrade's merged configuration, quorate.toml and the environment say.

    Raises:
        FreqtradeError: a `quorate` section that is none, or an unknown key in it (the close match is named).
        SettingsError: a value out of range or of another type.
    """
    settings = load_settings()
    given = config.get(SECTION, {})
    if not isinstance(given, Mapping):
        raise FreqtradeError(
            f"read the section '{SECTION}' of Freqtrade's configuration",
            found=repr(given),
            expected='an object, such as {"bundle": "quorate/bundles"}',
        )
    known = [field.name for field in fields(FreqtradeSettings)]
    for key in given:
        if key not in known:
            raise FreqtradeError(
                f"read the section '{SECTION}' of Freqtrade's configuration",
                found=f"the unknown key '{key}'",
                expected=f"one of {', '.join(known)}",
                remedy=close_match(str(key), known),
            )
    return Options(
        own=_typed({**asdict(settings.freqtrade), **given}) if given else settings.freqtrade,
        settings=settings,
        user_data=Path(config.get("user_data_dir", "user_data")),
        runmode=_word(config.get("runmode"), "other"),
        spot=_word(config.get("trading_mode"), "spot") == "spot",
    )


def _word(value: Any, default: str) -> str:
    """A text, or the text of an enumeration's member; Freqtrade's configuration has both."""
    return str(getattr(value, "value", value) or default)


def _typed(values: Mapping[str, Any]) -> FreqtradeSettings:
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(FreqtradeSettings).validate_python(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        cause = first.get("ctx", {}).get("error")
        if isinstance(cause, SettingsError):
            raise cause from error
        raise FreqtradeError(
            f"use {SECTION}.{'.'.join(map(str, first['loc']))} of Freqtrade's configuration",
            found=repr(first["input"]),
            expected=first["msg"],
        ) from error
