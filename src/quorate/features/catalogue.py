"""Feature sets: ordered names with a hash, and the columns behind them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from quorate.core.arguments import require_type
from quorate.core.errors import FeatureError, close_match
from quorate.core.sections.features import FeatureSettings
from quorate.features.column import AUTO, LIST, Column
from quorate.features.groups import (
    bitcoin,
    breadth,
    calendar,
    funding,
    momentum,
    price,
    ranks,
    regime,
    strength,
    technical,
    variance,
    volatility,
    volume,
)
from quorate.features.groups.statistics import long_short, open_interest, premium, taker
from quorate.features.own import ColumnSource, OwnColumn, find_own, own_columns

# Raised whenever a formula changes while its name stays: a model trained on the old formula must not be loaded.
DEFINITION = 1

GROUPS: dict[str, tuple[Column, ...]] = {
    "technical": technical.COLUMNS,
    "price": price.COLUMNS,
    "volume": volume.COLUMNS,
    "volatility": volatility.COLUMNS,
    "variance": variance.COLUMNS,
    "momentum": momentum.COLUMNS,
    "regime": regime.COLUMNS,
    "time": calendar.COLUMNS,
    "funding": funding.COLUMNS,
    "bitcoin": bitcoin.COLUMNS,
    "strength": strength.COLUMNS,
    "breadth": breadth.COLUMNS,
    "ranks": ranks.COLUMNS,
    "open_interest": open_interest.COLUMNS,
    "long_short": long_short.COLUMNS,
    "taker": taker.COLUMNS,
    "premium": premium.COLUMNS,
}

COLUMNS: dict[str, Column] = {column.name: column for group in GROUPS.values() for column in group}

_CORE14 = """
    price_change high_low_range volume_change volume_ma_ratio price_to_ema_10 price_to_ema_20 price_to_ema_50
    ema_10_20_cross ema_10_50_cross rsi_14 volatility_20 macd macd_signal macd_hist
"""

# None is longer than a week of hours: horizons of two weeks and a month made no forecast of the class better.
_VOLATILITY16 = """
    log_volatility_1 log_volatility_6 log_volatility_24 log_volatility_168
    log_range_1 log_range_3 log_range_6 log_range_24 log_range_168 log_garman_klass_24 log_rogers_satchell_24
    log_range_ewm_2 log_range_ewm_8 log_range_same_time hour hour_of_week
"""

_FULL65 = """
    rsi_7 rsi_14 rsi_21 macd macd_signal macd_diff bb_upper bb_lower bb_width atr_7 atr_14 ema_9 ema_21 ema_50 ema_200
    sma_20 sma_50 volume_sma_20 obv adx adx_plus adx_minus stoch_k stoch_d cci williams_r
    change_1 change_4 change_12 change_24 change_48 change_96 high_low_range price_position upper_wick lower_wick
    from_high_96 from_low_96
    volume_change_1 volume_change_4 volume_change_24 volume_price_corr signed_volume_20 mfi_14
    volatility_1d volatility_7d bb_pct parkinson_20 skew_48
    ema_cross_short ema_cross_medium macd_momentum efficiency_ratio_20 autocorr_20 aroon_osc_25
    is_trending is_ranging is_volatile
    hour day_of_week day_of_month hour_sin hour_cos day_sin day_cos
"""

_CONTEXT = """
    funding_rate funding_mean_3
    btc_change_1 btc_change_4 btc_change_24 btc_volatility_20 btc_strength_4 btc_strength_24 btc_strength_96
    market_change_1 market_change_4 market_change_24 market_volatility_20 market_breadth_24
    rank_change_4 rank_change_24 rank_volatility_20 rank_volume_20
"""

_NO_FILES = FeatureSettings()

# Groups that read market statistics, each a set of its own: they are in no other set, since few folders have the data.
_STATISTICS = {
    group: " ".join(column.name for column in GROUPS[group])
    for group in ("open_interest", "long_short", "taker", "premium")
}

_SETS = {"core14": _CORE14, "core30": _CORE14 + _VOLATILITY16, "full65": _FULL65, "extended": _FULL65 + _CONTEXT}
_SETS |= _STATISTICS


@dataclass(frozen=True, slots=True)
class FeatureSet:
    """An ordered choice of columns.

    Attributes:
        name: "core14", "full65", ..., one of these with further columns, such as "core14+obv+my_column", or a list of
            columns, such as "columns+rsi_14+obv".
        names: the columns, in the order a matrix has them.
        hash: SHA-256 over the names in order and the version of their formulas; with columns of a user's own, over
            their warm-ups and the digests of their source as well.
        warmup: leading rows, in bars, in which at least one column is NaN; later rows are finite, but for context
            columns where their context is missing.
        context: whether any column reads context.
        own: where the columns of a user's own come from, in order; empty for columns of the catalogue.
    """

    name: str
    names: tuple[str, ...]
    hash: str
    warmup: int
    context: bool
    columns: tuple[Column, ...] = field(repr=False, compare=False)
    own: tuple[ColumnSource, ...] = ()


@cache
def feature_set(name: str, settings: FeatureSettings = _NO_FILES) -> FeatureSet:
    """The feature set of that name.

    Columns of a user's own are computed on synthetic candles first, once in a process, and refused if they read the
    future, need more bars than they declare, or have values that are not finite.

    Args:
        name: a set of the catalogue, or one with further columns of the catalogue or of your own: "core14+my_column";
            or columns alone: "columns+rsi_14+my_column". The sets of market statistics can be added like columns:
            "core14+open_interest+premium".
        settings: files with columns of your own; those of installed packages are always found.

    Raises:
        FeatureError: no such set or column, a column named twice, or one of a user's own that fails a check.
        SettingsError: a file of the settings that cannot be read or fails.

    >>> feature_set("core14").warmup
    49
    >>> feature_set("core14+obv").names[-2:]
    ('macd_hist', 'obv')
    """
    names, added = _columns_of(name)
    own = {column: found for column in added if (found := _own(column, name, settings)) is not None}
    if own:
        from quorate.features.checks import require_sound  # here, because sets of the catalogue need no check

        require_sound(own.values())
    columns = tuple(own[column].column if column in own else COLUMNS[column] for column in names)
    sources = tuple(column.source for column in own.values())
    return FeatureSet(
        name,
        names,
        _hash(names, sources),
        max(column.warmup for column in columns),
        any(column.context for column in columns),
        columns,
        sources,
    )


def resolve(features: str | FeatureSet) -> FeatureSet:
    """A feature set by its name, without files of a user's own, or as it is.

    Raises:
        FeatureError: as `feature_set`.
    """
    return features if isinstance(features, FeatureSet) else feature_set(_name(features))


def _name(features: str) -> str:
    return require_type("find the feature set", "features", features, str, f"a name, such as {', '.join(_SETS)}")


def describe(name: str, own: Sequence[ColumnSource]) -> tuple[tuple[str, ...], str]:
    """Names and hash of a feature set whose own columns are described and need not be here.

    Args:
        name: of the set.
        own: its columns that are not in the catalogue.

    Raises:
        FeatureError: no such set, or a column neither in the catalogue nor described.
    """
    names, added = _columns_of(name)
    described = {source.name for source in own}
    for column in added:
        if column not in COLUMNS and column not in described:
            raise _unknown(column, name, described)
    return names, _hash(names, own)


def available_own(settings: FeatureSettings) -> tuple[OwnColumn, ...]:
    """Every column of a user's own: of the files of the settings, then of installed packages; none is checked.

    Raises:
        FeatureError: two columns of one name, or a name of the catalogue.
        SettingsError: a file of the settings that cannot be read or fails.
    """
    found = own_columns(settings)
    for column in found:
        _require_free(column)
    return found


def _columns_of(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """All columns of a set in order, and those that its name adds to a set of the catalogue."""
    base, *parts = name.split("+")
    added = [column for part in parts for column in (_STATISTICS[part].split() if part in _STATISTICS else [part])]
    if base not in _SETS and not (base == LIST and added):
        raise FeatureError(
            "find the feature set",
            found=repr(name),
            expected=" or ".join((*feature_sets(), f"{LIST}+NAME+NAME")),
            remedy="Only a training chooses columns: name a set here." if name == AUTO else close_match(base, _SETS),
        )
    names = (*_SETS.get(base, "").split(), *added)
    if len(set(names)) < len(names):
        twice = next(column for column in added if names.count(column) > 1)
        raise FeatureError(f"use the feature set '{name}'", found=f"the column '{twice}' twice", expected="each once")
    return names, tuple(added)


def _own(column: str, features: str, settings: FeatureSettings) -> OwnColumn | None:
    """A column of a user's own; None for one of the catalogue."""
    found = find_own(column, settings)
    if found is not None:
        _require_free(found)
    elif column not in COLUMNS:
        raise _unknown(column, features, {own.source.name for own in own_columns(settings)})
    return found


def _require_free(own: OwnColumn) -> None:
    if own.source.name in COLUMNS:
        raise FeatureError(
            f"use the column '{own.source.name}' of {own.source.module}",
            found="a column of that name in the catalogue",
            expected="a name of its own",
        )


def _unknown(column: str, features: str, own: Collection[str]) -> FeatureError:
    return FeatureError(
        f"find the feature set '{features}'",
        found=f"the column '{column}' neither in the catalogue nor among those of your own "
        f"({', '.join(sorted(own)) or 'none'})",
        remedy=close_match(column, [*own, *COLUMNS])
        or 'Name the Python file that declares it in quorate.toml: [features] modules = ["my_features.py"].',
    )


def _hash(names: tuple[str, ...], own: Sequence[ColumnSource]) -> str:
    definition: dict[str, Any] = {"definition": DEFINITION, "names": names}
    if own:
        definition["own"] = [(source.name, source.warmup, source.digest) for source in own]
    return hashlib.sha256(json.dumps(definition, separators=(",", ":")).encode()).hexdigest()


def window_columns(names: Sequence[str]) -> tuple[int, ...]:
    """Places of the columns that a model of windows reads, of a feature set's names.

    It sees the past bars themselves: of `core30` it reads `core14` and columns of your own, without those that sum up
    the past for models of single rows.

    >>> window_columns(feature_names("core30") + ("obv",))[-2:]
    (13, 30)
    >>> len(window_columns(feature_names("full65")))
    65
    """
    summaries = range(len(_CORE14.split()), len(_SETS["core30"].split()))
    whole = tuple(names[: summaries.stop]) != tuple(_SETS["core30"].split())
    return tuple(place for place in range(len(names)) if whole or place not in summaries)


def feature_sets() -> tuple[str, ...]:
    """Names of the feature sets of the catalogue."""
    return tuple(_SETS)


def feature_names(name: str) -> tuple[str, ...]:
    """Columns of a feature set, in order.

    Raises:
        FeatureError: no such set or column.

    >>> feature_names("core14")[:3]
    ('price_change', 'high_low_range', 'volume_change')
    """
    return feature_set(_name(name)).names
