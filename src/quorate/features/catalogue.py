"""Feature sets: ordered names with a hash, and the columns behind them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cache

from quorate.core.errors import FeatureError, close_match
from quorate.features.column import Column
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
    volatility,
    volume,
)

# Raised whenever a formula changes while its name stays: a model trained on the old one must not load.
DEFINITION = 1

GROUPS: dict[str, tuple[Column, ...]] = {
    "technical": technical.COLUMNS,
    "price": price.COLUMNS,
    "volume": volume.COLUMNS,
    "volatility": volatility.COLUMNS,
    "momentum": momentum.COLUMNS,
    "regime": regime.COLUMNS,
    "time": calendar.COLUMNS,
    "funding": funding.COLUMNS,
    "bitcoin": bitcoin.COLUMNS,
    "strength": strength.COLUMNS,
    "breadth": breadth.COLUMNS,
    "ranks": ranks.COLUMNS,
}

COLUMNS: dict[str, Column] = {column.name: column for group in GROUPS.values() for column in group}

_CORE14 = """
    price_change high_low_range volume_change volume_ma_ratio price_to_ema_10 price_to_ema_20 price_to_ema_50
    ema_10_20_cross ema_10_50_cross rsi_14 volatility_20 macd macd_signal macd_hist
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
    market_change_1 market_change_4 market_change_24 market_breadth_24
    rank_change_4 rank_change_24 rank_volatility_20 rank_volume_20
"""

_SETS = {"core14": _CORE14, "full65": _FULL65, "extended": _FULL65 + _CONTEXT}


@dataclass(frozen=True, slots=True)
class FeatureSet:
    """An ordered choice of columns.

    Attributes:
        name: "core14", "full65", ...
        names: the columns, in the order a matrix has them.
        hash: SHA-256 over the names in order and the version of their formulas.
        warmup: leading rows, in bars, in which at least one column is NaN; later rows are finite, but for context
            columns where their context is missing.
        context: whether any column reads context.
    """

    name: str
    names: tuple[str, ...]
    hash: str
    warmup: int
    context: bool
    columns: tuple[Column, ...] = field(repr=False, compare=False)


@cache
def feature_set(name: str) -> FeatureSet:
    """The feature set of that name.

    Raises:
        FeatureError: no such set.

    >>> feature_set("core14").warmup
    49
    """
    if name not in _SETS:
        raise FeatureError(
            "find the feature set",
            found=repr(name),
            expected=" or ".join(feature_sets()),
            remedy=close_match(name, _SETS),
        )
    names = tuple(_SETS[name].split())
    columns = tuple(COLUMNS[column] for column in names)
    definition = json.dumps({"definition": DEFINITION, "names": names}, separators=(",", ":"))
    return FeatureSet(
        name,
        names,
        hashlib.sha256(definition.encode()).hexdigest(),
        max(column.warmup for column in columns),
        any(column.context for column in columns),
        columns,
    )


def feature_sets() -> tuple[str, ...]:
    """Names of all feature sets."""
    return tuple(_SETS)


def feature_names(name: str) -> tuple[str, ...]:
    """Columns of a feature set, in order.

    Raises:
        FeatureError: no such set.

    >>> feature_names("core14")[:3]
    ('price_change', 'high_low_range', 'volume_change')
    """
    return feature_set(name).names
