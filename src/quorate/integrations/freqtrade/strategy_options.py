"""Options of a strategy, merged from Freqtrade's configuration and Quorate's settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from quorate.core.configuration import load_settings
from quorate.core.errors import FreqtradeError, SettingsError, close_match
from quorate.core.log_records import redact_logger
from quorate.core.redaction import register_document
from quorate.core.settings import FreqtradeSettings, Settings

#: Quorate's section of Freqtrade's configuration.
SECTION = "quorate"

# Freqtrade's run modes that trade bar by bar, with real or simulated money.
_LIVE = ("live", "dry_run")

# Run modes that are likely to predict the same frames again.
_CACHED = ("backtest", "hyperopt")


@dataclass(frozen=True, slots=True)
class StrategyOptions:
    """Options of one strategy.

    Attributes:
        freqtrade: section `freqtrade` of the settings, overridden by the section `quorate` of Freqtrade's
            configuration.
        settings: all settings, from quorate.toml and the environment.
        user_data: Freqtrade's folder, where relative paths start.
        runmode: Freqtrade's name of the run mode: live, dry_run, backtest, hyperopt ...
        spot: spot trading, without shorts and leverage.
    """

    freqtrade: FreqtradeSettings
    settings: Settings
    user_data: Path
    runmode: str
    spot: bool

    def path(self, text: str) -> Path:
        """Resolve a path of the settings; relative ones start at user_data."""
        return self.user_data / Path(text).expanduser()

    @property
    def live(self) -> bool:
        """Whether the bot trades dry or live."""
        return self.runmode in _LIVE

    @property
    def cache(self) -> Path | None:
        """Folder of cached predictions; None where none are cached."""
        return self.path(self.freqtrade.cache) if self.freqtrade.cache and self.runmode in _CACHED else None

    @property
    def guarded(self) -> bool:
        """Whether the guards check entries."""
        return self.freqtrade.guards == "always" or (self.freqtrade.guards == "live" and self.live)

    @property
    def exits_on_opposite(self) -> bool:
        """Whether an opposite decision closes a position."""
        setting = self.freqtrade.leave_on_opposite
        return setting == "always" or (setting == "spot" and self.spot)


def read_options(config: Mapping[str, Any]) -> StrategyOptions:
    """Read the options from Freqtrade's merged configuration, quorate.toml and the environment.

    Secrets of the configuration, such as the exchange's key, are removed from Quorate's and ccxt's log records from now
    on: Freqtrade's logging would print them.

    Raises:
        FreqtradeError: the section `quorate` is no object, has an unknown key, or a value of a wrong type.
        SettingsError: a value out of range, or invalid settings.
    """
    register_document(config)
    for logger in ("quorate", "ccxt"):
        redact_logger(logger)
    settings = load_settings()
    given = config.get(SECTION, {})
    attempted = f"read the section '{SECTION}' of Freqtrade's configuration"
    if not isinstance(given, Mapping):
        raise FreqtradeError(attempted, found=repr(given), expected='an object, such as {"bundle": "quorate/bundles"}')
    known = [field.name for field in fields(FreqtradeSettings)]
    for key in given:
        if key not in known:
            raise FreqtradeError(
                attempted,
                found=f"the unknown key '{key}'",
                expected=f"one of {', '.join(known)}",
                remedy=close_match(str(key), known),
            )
    return StrategyOptions(
        freqtrade=_validate({**asdict(settings.freqtrade), **given}) if given else settings.freqtrade,
        settings=settings,
        user_data=Path(config.get("user_data_dir", "user_data")),
        runmode=_text(config.get("runmode"), "other"),
        spot=_text(config.get("trading_mode"), "spot") == "spot",
    )


def is_live(config: Mapping[str, Any]) -> bool:
    """Whether Freqtrade's configuration is that of a bot that trades dry or live."""
    return _text(config.get("runmode"), "other") in _LIVE


def _text(value: Any, default: str) -> str:
    """A string, or the value of an enumeration member; Freqtrade's configuration holds both."""
    return str(getattr(value, "value", value) or default)


def _validate(values: Mapping[str, Any]) -> FreqtradeSettings:
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
