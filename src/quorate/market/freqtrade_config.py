"""Markets, exchange and timeframe of a Freqtrade configuration.

Files are read and merged as in Freqtrade: JSON with comments and trailing commas, `add_config_files` relative to the
file that names them and overridden by it, later files over earlier ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from quorate.core.clock import timeframe_ms
from quorate.core.errors import DataError, SettingsError, close_match
from quorate.core.redaction import register_document
from quorate.core.regular_files import read_regular_text
from quorate.market.commented_json import parse_commented_json
from quorate.market.files.freqtrade_folder import FreqtradeFolder
from quorate.market.files.names import FORMATS

# Freqtrade's names of formats -> endings; it reads feather where none is named, and HDF5 no longer.
_FORMATS = {"feather": ".feather", "parquet": ".parquet", "jsongz": ".json.gz", "json": ".json"}

TradingMode = Literal["spot", "futures"]

# Freqtrade's limit on the depth of add_config_files.
_DEPTH = 5


@dataclass(frozen=True, slots=True)
class FreqtradeConfig:
    """Settings of a Freqtrade configuration that concern its markets.

    Attributes:
        files: the files that were read, each followed by those it includes.
        exchange: Freqtrade's name, in lower case.
        trading_mode: spot or futures.
        stake_currency: quote currency of the pairs.
        timeframe: of the bars; None where the strategy sets it.
        whitelist: pairs, or regular expressions for them.
        blacklist: pairs, or regular expressions for them.
        data: the folder of candles.
        formats: endings of the files that are read, as for `FreqtradeFolder`: that of dataformat_ohlcv only, or where
            it is not set, feather before all others.
    """

    files: tuple[Path, ...]
    exchange: str
    trading_mode: TradingMode
    stake_currency: str
    timeframe: str | None
    whitelist: tuple[str, ...]
    blacklist: tuple[str, ...]
    data: Path
    formats: tuple[str, ...] = FORMATS

    @property
    def source(self) -> FreqtradeFolder:
        """The folder of candles, in the configured format.

        Raises:
            DataError: it cannot be read.
        """
        return FreqtradeFolder(self.data, formats=self.formats)

    def pairs(self, known: Iterable[str]) -> tuple[str, ...]:
        """Select the pairs of the whitelist with candles, without those of the blacklist.

        Each entry is a regular expression for whole names, case-insensitive, as in Freqtrade. Only pairs in the stake
        currency are selected.

        Args:
            known: symbols of the folder with bars of this timeframe and trading mode.

        Raises:
            SettingsError: an entry that is not a valid expression.
            DataError: no pair is left; the close match is named.
        """
        wanted = self.matching(known)
        if not wanted:
            raise self._no_pairs(known)
        return wanted

    def timeframes(self) -> dict[str, int]:
        """Timeframes of which there are candles of the pairs, shortest first, each with their number."""
        perpetual = self.trading_mode == "futures"
        found = {file.timeframe for file in self.source.files() if file.kind == ("futures" if perpetual else "spot")}
        counts = {
            timeframe: len(self.matching(self.source.symbols(timeframe, perpetual=perpetual)))
            for timeframe in sorted(found, key=timeframe_ms)
        }
        return {timeframe: count for timeframe, count in counts.items() if count}

    def without_candles(self, known: Iterable[str]) -> tuple[str, ...]:
        """Entries of the whitelist that match no candles."""
        markets = self._tradable(known)
        return tuple(entry for entry in self.whitelist if not _matches(entry, markets, "pair_whitelist"))

    def matching(self, known: Iterable[str]) -> tuple[str, ...]:
        """As `pairs`, but empty where no pair is left."""
        markets = self._tradable(known)
        banned = {pair for entry in self.blacklist for pair in _matches(entry, markets, "pair_blacklist")}
        found = (pair for entry in self.whitelist for pair in _matches(entry, markets, "pair_whitelist"))
        return tuple(dict.fromkeys(pair for pair in found if pair not in banned))

    def _no_pairs(self, known: Iterable[str]) -> DataError:
        markets = self._tradable(known)
        near = close_match(self.whitelist[0], markets) if self.whitelist else ""
        listed = ", ".join(self.whitelist) or "an empty exchange.pair_whitelist"
        return DataError(
            f"find the pairs of {self.files[0].name} in {self.data}",
            found=f"{listed}: none of {len(markets)} {self.trading_mode} pairs there",
            expected=f"at least one with {self.trading_mode} candles in this timeframe{self.in_format()}",
            remedy=near or "Name pairs in exchange.pair_whitelist, or download them: freqtrade download-data.",
        )

    def in_format(self) -> str:
        """The configured format of candles for a message; empty where any is read."""
        return f", as {self.formats[0][1:]} (dataformat_ohlcv)" if len(self.formats) == 1 else ""

    def _tradable(self, known: Iterable[str]) -> tuple[str, ...]:
        """The symbols quoted in the stake currency."""
        return tuple(
            symbol for symbol in known if self.stake_currency in ("", symbol.partition(":")[0].rpartition("/")[2])
        )


def read_config(paths: Sequence[Path], data: Path | None = None, here: Path | None = None) -> FreqtradeConfig:
    """Read a Freqtrade configuration.

    Args:
        paths: the files of `freqtrade -c`; later ones override earlier ones.
        data: the folder of candles; None for user_data_dir/data/EXCHANGE, as in Freqtrade. Without a user_data_dir,
            ./user_data or else the folder of the first file is used.
        here: base of a relative user_data_dir; None for the working directory.

    Raises:
        SettingsError: a file that cannot be read or is not JSON, with file, line and column; or a value that is missing
            or of the wrong type, with its name.
        DataError: the folder of candles does not exist.
    """
    if not paths:
        raise SettingsError("read a Freqtrade configuration", found="no file", expected="one or more")
    values, files = _load(paths, None, 0)
    attempted = f"use the Freqtrade configuration {paths[0]}"
    exchange = _typed(values, "exchange", dict, attempted, {})
    name = _typed(exchange, "name", str, attempted, "", "exchange.").lower()
    if not name:
        raise SettingsError(
            attempted, found="no exchange.name", expected="a name such as binance", remedy="Set exchange.name."
        )
    mode = _typed(values, "trading_mode", str, attempted, "spot") or "spot"
    if mode not in ("spot", "futures"):
        raise SettingsError(attempted, found=f"trading_mode {mode!r}", expected="spot or futures")
    timeframe = _typed(values, "timeframe", str, attempted, "") or None
    if timeframe is not None:
        timeframe_ms(timeframe)
    named = _typed(values, "dataformat_ohlcv", str, attempted, "")
    if named and named not in _FORMATS:
        raise SettingsError(
            attempted,
            found=f"dataformat_ohlcv {named!r}",
            expected=f"one of {', '.join(_FORMATS)}",
            remedy="Convert the candles: freqtrade convert-data --format-to feather.",
        )
    return FreqtradeConfig(
        files=files,
        exchange=name,
        trading_mode="futures" if mode == "futures" else "spot",
        stake_currency=_typed(values, "stake_currency", str, attempted, ""),
        timeframe=timeframe,
        whitelist=_names(exchange, "pair_whitelist", attempted),
        blacklist=_names(exchange, "pair_blacklist", attempted),
        formats=(_FORMATS[named],) if named else FORMATS,
        data=data or _data_folder(values, name, paths[0], here or Path.cwd(), attempted),
    )


def _load(paths: Sequence[Any], base: Path | None, depth: int) -> tuple[dict[str, Any], tuple[Path, ...]]:
    """Merged values of several files, and all files that were read."""
    if depth > _DEPTH:
        raise SettingsError(
            f"read {paths[0]}", found="add_config_files that include each other", expected="no cycle of files"
        )
    merged: dict[str, Any] = {}
    files: list[Path] = []
    for named in paths:
        path = Path(named) if base is None else base / named
        try:
            values = parse_commented_json(read_regular_text(path), str(path))
        except (OSError, UnicodeDecodeError) as error:
            found = getattr(error, "strerror", None) or str(error)
            raise SettingsError(f"read {path}", found=found, expected="a configuration file of Freqtrade") from error
        if not isinstance(values, dict):
            raise SettingsError(f"read {path}", found=f"a {type(values).__name__}", expected="an object of settings")
        register_document(values)
        more = values.get("add_config_files", [])
        if not isinstance(more, list) or not all(isinstance(one, str) for one in more):
            raise SettingsError(f"read {path}", found=f"add_config_files {more!r}", expected="a list of file names")
        below, its_files = _load(more, path.resolve().parent, depth + 1) if more else ({}, ())
        merged = _over(merged, _over(below, values))
        files += [path, *its_files]
    return merged, tuple(files)


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Merge two objects, recursively; values of `above` take precedence."""
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
        expected="candles of the exchange, as freqtrade download-data writes them",
        remedy="Give their folder as `data`.",
    )


def _names(exchange: dict[str, Any], name: str, attempted: str) -> tuple[str, ...]:
    listed = _typed(exchange, name, list, attempted, [], "exchange.")
    invalid = [one for one in listed if not isinstance(one, str)]
    if invalid:
        raise SettingsError(attempted, found=f"{invalid[0]!r} in exchange.{name}", expected="names of pairs")
    return tuple(listed)


def _typed(values: dict[str, Any], name: str, kind: type, attempted: str, default: Any, where: str = "") -> Any:
    value = values.get(name)
    if value is None:
        return default
    if not isinstance(value, kind):
        kinds: dict[Any, str] = {dict: "an object", list: "a list", str: "a string"}
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
