"""A user's own Freqtrade configuration, as far as training needs it: which markets, of which exchange, in which bars.

Files are read and merged as Freqtrade does: JSON with comments and trailing commas, `add_config_files` relative to the
file that names them and overridden by it, later files over earlier ones.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from quorate.core.clock import timeframe_ms
from quorate.core.errors import DataError, SettingsError, close_match
from quorate.market.files.freqtrade_folder import FreqtradeFolder

TradingMode = Literal["spot", "futures"]

# Freqtrade's own limit on files that include files.
_DEPTH = 5

# A string, or what is no part of the value: comments, and a comma before the end of a list or an object.
_STRING = r'"(?:[^"\\]|\\.)*"'
_COMMENT = re.compile(rf"{_STRING}|//[^\n]*|/\*.*?\*/", re.DOTALL)
_TRAILING_COMMA = re.compile(rf"{_STRING}|,(?=\s*[\]}}])")


@dataclass(frozen=True, slots=True)
class FreqtradeConfig:
    """What a Freqtrade configuration says of its markets.

    Attributes:
        files: that were read, those named on the command line first.
        exchange: Freqtrade's name, lower case.
        trading_mode: spot or futures.
        stake_currency: what pairs are quoted in.
        timeframe: of the bars; None where the strategy is to say it.
        whitelist: pairs, or regular expressions of them.
        blacklist: likewise.
        data: the folder of candles.
    """

    files: tuple[Path, ...]
    exchange: str
    trading_mode: TradingMode
    stake_currency: str
    timeframe: str | None
    whitelist: tuple[str, ...]
    blacklist: tuple[str, ...]
    data: Path

    def pairs(self, known: Iterable[str]) -> tuple[str, ...]:
        """The pairs of the whitelist that there are candles of, without those of the blacklist.

        Every entry is a regular expression over whole names, whatever their case, as in Freqtrade; so is a plain pair.
        Only pairs in the stake currency count.

        Args:
            known: symbols of the folder with bars of this timeframe and trading mode.

        Raises:
            SettingsError: an entry that is no expression.
            DataError: nothing is left; the close match is named.
        """
        markets = self._tradable(known)
        banned = {pair for entry in self.blacklist for pair in _matches(entry, markets, "pair_blacklist")}
        found = (pair for entry in self.whitelist for pair in _matches(entry, markets, "pair_whitelist"))
        wanted = tuple(dict.fromkeys(pair for pair in found if pair not in banned))
        if not wanted:
            near = close_match(self.whitelist[0], markets) if self.whitelist else ""
            listed = ", ".join(self.whitelist) or "an empty exchange.pair_whitelist"
            raise DataError(
                f"find the pairs of {self.files[0].name} in {self.data}",
                found=f"{listed}: none of {len(markets)} {self.trading_mode} pairs there",
                expected=f"at least one with {self.trading_mode} candles in this timeframe",
                remedy=near or "Name pairs in exchange.pair_whitelist, or download them: freqtrade download-data.",
            )
        return wanted

    def without_candles(self, known: Iterable[str]) -> tuple[str, ...]:
        """Entries of the whitelist that match no candles."""
        markets = self._tradable(known)
        return tuple(entry for entry in self.whitelist if not _matches(entry, markets, "pair_whitelist"))

    def _tradable(self, known: Iterable[str]) -> tuple[str, ...]:
        """Those quoted in the stake currency."""
        return tuple(
            symbol for symbol in known if self.stake_currency in ("", symbol.partition(":")[0].rpartition("/")[2])
        )


@dataclass(frozen=True, slots=True)
class ConfiguredMarkets:
    """The markets of a Freqtrade configuration for which there are candles.

    Attributes:
        config: the configuration.
        timeframe: of the bars.
        symbols: pairs of the whitelist with candles of this timeframe, in its order.
        without_candles: entries of the whitelist that match none.
    """

    config: FreqtradeConfig
    timeframe: str
    symbols: tuple[str, ...]
    without_candles: tuple[str, ...]


def read_markets(paths: Sequence[Path], data: Path | None = None, timeframe: str | None = None) -> ConfiguredMarkets:
    """The markets, the timeframe and the folder of candles of a Freqtrade configuration.

    Args:
        paths: files, as `read_config` takes them.
        data: the folder of candles, instead of the configuration's.
        timeframe: instead of the configuration's.

    Raises:
        SettingsError: no timeframe anywhere, or a configuration that cannot be read.
        DataError: no folder of candles, or no pair of the whitelist with candles in it.
    """
    config = read_config(paths, data)
    timeframe = timeframe or config.timeframe
    if timeframe is None:
        raise SettingsError(
            f"use the Freqtrade configuration {paths[0]}",
            found="no timeframe",
            expected="one such as 1h",
            remedy="Many strategies set it instead: name it with `timeframe`.",
        )
    known = FreqtradeFolder(config.data).symbols(timeframe, perpetual=config.trading_mode == "futures")
    return ConfiguredMarkets(config, timeframe, config.pairs(known), config.without_candles(known))


def read_config(paths: Sequence[Path], data: Path | None = None, here: Path | None = None) -> FreqtradeConfig:
    """Read a Freqtrade configuration.

    Args:
        paths: files, as many as `freqtrade -c` would be given; later ones override earlier ones.
        data: the folder of candles; None for user_data_dir/data/EXCHANGE, as Freqtrade has it. Where no user_data_dir
            is set, that is ./user_data, or else the first file's own folder.
        here: what a relative user_data_dir is relative to; None for the working directory.

    Raises:
        SettingsError: a file that cannot be read or is no JSON, by file, line and column; or a value that is missing or
            of the wrong kind, by name.
        DataError: no folder of candles where it should be.
    """
    if not paths:
        raise SettingsError("read a Freqtrade configuration", found="no file", expected="one or more")
    values, files = _load(paths, None, 0)
    attempted = f"use the Freqtrade configuration {paths[0]}"
    exchange = _typed(values, "exchange", dict, attempted, {})
    name = _typed(exchange, "name", str, attempted, "", "exchange.").lower()
    if not name:
        raise SettingsError(
            attempted, found="no exchange.name", expected="a name such as binance", remedy="Name the exchange there."
        )
    mode = _typed(values, "trading_mode", str, attempted, "spot") or "spot"
    if mode not in ("spot", "futures"):
        raise SettingsError(attempted, found=f"trading_mode {mode!r}", expected="spot or futures")
    timeframe = _typed(values, "timeframe", str, attempted, "") or None
    if timeframe is not None:
        timeframe_ms(timeframe)
    return FreqtradeConfig(
        files=files,
        exchange=name,
        trading_mode="futures" if mode == "futures" else "spot",
        stake_currency=_typed(values, "stake_currency", str, attempted, ""),
        timeframe=timeframe,
        whitelist=_names(exchange, "pair_whitelist", attempted),
        blacklist=_names(exchange, "pair_blacklist", attempted),
        data=data or _data_folder(values, name, paths[0], here or Path.cwd(), attempted),
    )


def parse_json(text: str, name: str) -> Any:
    """JSON that may hold // and /* */ comments and a comma after the last item.

    Raises:
        SettingsError: it is none even so; the place is named.

    >>> parse_json('{"a": [1, 2,], /* of the user */ "b": "//no comment", } // end', "config.json")
    {'a': [1, 2], 'b': '//no comment'}
    """
    # What is taken out leaves blanks, so that an error's line and column are those of the file.
    plain = _COMMENT.sub(lambda found: _blank(found[0]), text)
    plain = _TRAILING_COMMA.sub(_without_comma, plain)
    try:
        return json.loads(plain)
    except json.JSONDecodeError as error:
        raise SettingsError(
            f"read {name}",
            found=f"line {error.lineno}, column {error.colno}: {error.msg}",
            expected="JSON, in which comments and trailing commas are allowed",
        ) from error


def _blank(text: str) -> str:
    return text if text.startswith('"') else re.sub(r"[^\n]", " ", text)


def _without_comma(found: re.Match[str]) -> str:
    """A blank in place of a comma that follows a value; a comma after nothing stays, and is an error."""
    after_value = found.string[: found.start()].rstrip()[-1:] not in ("", "[", "{", ",", ":")
    return " " if found[0] == "," and after_value else found[0]


def _load(paths: Sequence[Any], base: Path | None, depth: int) -> tuple[dict[str, Any], tuple[Path, ...]]:
    """The merged values of some files, and every file that was read."""
    if depth > _DEPTH:
        raise SettingsError(
            f"read {paths[0]}", found="add_config_files that lead back to themselves", expected="an end to them"
        )
    merged: dict[str, Any] = {}
    files: list[Path] = []
    for named in paths:
        path = Path(named) if base is None else base / named
        try:
            values = parse_json(path.read_text(encoding="utf-8"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            found = getattr(error, "strerror", None) or str(error)
            raise SettingsError(f"read {path}", found=found, expected="a configuration file of Freqtrade") from error
        if not isinstance(values, dict):
            raise SettingsError(f"read {path}", found=f"a {type(values).__name__}", expected="an object of settings")
        more = values.get("add_config_files", [])
        if not isinstance(more, list) or not all(isinstance(one, str) for one in more):
            raise SettingsError(f"read {path}", found=f"add_config_files {more!r}", expected="a list of file names")
        below, its_files = _load(more, path.resolve().parent, depth + 1) if more else ({}, ())
        merged = _over(merged, _over(below, values))
        files += [path, *its_files]
    return merged, tuple(files)


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Two objects as one: `above` wins, objects inside are merged likewise."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _over(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _data_folder(values: dict[str, Any], exchange: str, first: Path, here: Path, attempted: str) -> Path:
    named = _typed(values, "user_data_dir", str, attempted, "")
    homes = [here / named] if named else [here / "user_data", first.resolve().parent]
    places = [home / "data" / exchange for home in homes]
    for place in places:
        if place.is_dir():
            return place
    raise DataError(
        attempted,
        found=f"no folder {' and no '.join(map(str, places))}",
        expected="candles of the exchange, as freqtrade download-data leaves them",
        remedy="Name their folder with `data`.",
    )


def _names(exchange: dict[str, Any], name: str, attempted: str) -> tuple[str, ...]:
    listed = _typed(exchange, name, list, attempted, [], "exchange.")
    strange = [one for one in listed if not isinstance(one, str)]
    if strange:
        raise SettingsError(attempted, found=f"{strange[0]!r} in exchange.{name}", expected="names of pairs")
    return tuple(listed)


def _typed(values: dict[str, Any], name: str, kind: type, attempted: str, default: Any, where: str = "") -> Any:
    value = values.get(name)
    if value is None:
        return default
    if not isinstance(value, kind):
        kinds: dict[Any, str] = {dict: "an object", list: "a list", str: "a text"}
        raise SettingsError(attempted, found=f"{where}{name} {value!r}", expected=kinds[kind])
    return value


def _matches(entry: str, markets: Sequence[str], where: str) -> list[str]:
    try:
        expression = re.compile(entry, re.IGNORECASE)
    except re.error as error:
        raise SettingsError(
            f"use the entry {entry!r} of {where}",
            found=str(error),
            expected="a pair, or a regular expression such as .*/USDT",
        ) from error
    return [pair for pair in markets if expression.fullmatch(pair)]
