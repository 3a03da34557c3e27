from __future__ import annotations

import pytest

from quorate.core.errors import FeatureError
from quorate.features import feature_names, feature_set, feature_sets
from quorate.features.catalogue import COLUMNS, GROUPS


def listed(names: str) -> list[str]:
    return names.split()


CORE14 = listed("""
    price_change high_low_range volume_change volume_ma_ratio price_to_ema_10 price_to_ema_20 price_to_ema_50
    ema_10_20_cross ema_10_50_cross rsi_14 volatility_20 macd macd_signal macd_hist
""")

FULL65 = {
    "technical": listed("""
        rsi_7 rsi_14 rsi_21 macd macd_signal macd_diff bb_upper bb_lower bb_width atr_7 atr_14 ema_9 ema_21 ema_50
        ema_200 sma_20 sma_50 volume_sma_20 obv adx adx_plus adx_minus stoch_k stoch_d cci williams_r
    """),
    "price": listed("""
        change_1 change_4 change_12 change_24 change_48 change_96 high_low_range price_position upper_wick lower_wick
        from_high_96 from_low_96
    """),
    "volume": listed("""
        volume_change_1 volume_change_4 volume_change_24 volume_price_corr signed_volume_20 mfi_14
    """),
    "volatility": listed("volatility_1d volatility_7d bb_pct parkinson_20 skew_48"),
    "momentum": listed("""
        ema_cross_short ema_cross_medium macd_momentum efficiency_ratio_20 autocorr_20 aroon_osc_25
    """),
    "regime": listed("is_trending is_ranging is_volatile"),
    "time": listed("hour day_of_week day_of_month hour_sin hour_cos day_sin day_cos"),
}


def test_core14_is_the_list_in_order():
    assert list(feature_names("core14")) == CORE14


def test_core30_is_core14_and_the_volatility_of_a_week():
    added = feature_names("core30")[14:]
    assert list(feature_names("core30")[:14]) == CORE14
    assert len(added) == 16
    assert set(added) <= {column.name for column in (*GROUPS["variance"], *GROUPS["time"])}


def test_full65_is_the_list_in_order():
    assert [len(names) for names in FULL65.values()] == [26, 12, 6, 5, 6, 3, 7]
    assert list(feature_names("full65")) == [name for names in FULL65.values() for name in names]


STATISTICS = ("open_interest", "long_short", "taker", "premium")


def test_extended_is_full65_and_context():
    extended = feature_set("extended")
    assert extended.names[:65] == feature_names("full65")
    groups = ("funding", "bitcoin", "strength", "breadth", "ranks")
    assert set(extended.names[65:]) == {column.name for group in groups for column in GROUPS[group]}
    for group in (*groups, *STATISTICS):
        assert all(column.context for column in GROUPS[group])
    assert sum(column.context for column in COLUMNS.values()) == sum(
        len(GROUPS[group]) for group in (*groups, *STATISTICS)
    )
    assert extended.context
    assert not feature_set("full65").context


@pytest.mark.parametrize("group", STATISTICS)
def test_each_group_of_market_statistics_is_a_set_and_in_no_other(group):
    names = feature_names(group)
    assert names == tuple(column.name for column in GROUPS[group])
    assert not [other for other in feature_sets() if other != group and set(names) & set(feature_names(other))]
    assert feature_names(f"core14+{group}") == (*CORE14, *names)
    assert feature_set(f"core14+{group}+obv").names[-1] == "obv"
    with pytest.raises(FeatureError, match=f"the column '{names[0]}' twice"):
        feature_set(f"{group}+{names[0]}")


def test_every_column_has_one_name_and_one_place():
    names = [column.name for group in GROUPS.values() for column in group]
    assert len(names) == len(set(names)) == len(COLUMNS)
    for group, listed in FULL65.items():
        assert set(listed) <= {column.name for column in GROUPS[group]}
    for features in feature_sets():
        assert len(set(feature_names(features))) == len(feature_names(features))


def test_no_warm_up_is_longer_than_a_live_frame_allows():
    # A live futures frame holds 498 candles, and its last 120 rows must be complete.
    for features in feature_sets():
        assert feature_set(features).warmup <= 498 - 120


@pytest.mark.parametrize(
    ("features", "warmup", "start"),
    [
        ("core14", 49, "052ec87c"),
        ("core30", 168, "335613bd"),
        ("full65", 369, "b171e149"),
        ("extended", 369, "fcd52336"),
        ("open_interest", 23, "d9e926ed"),
        ("long_short", 0, "f03ec939"),
        ("taker", 0, "2891ec5e"),
        ("premium", 0, "3a6c7df2"),
    ],
)
def test_a_hash_changes_only_on_purpose(features, warmup, start):
    # A bundle stores it: where the hash is another, bundles trained before are refused.
    found = feature_set(features)
    assert found.warmup == warmup
    assert len(found.hash) == 64
    assert found.hash.startswith(start)


def test_an_unknown_set_names_the_close_match():
    with pytest.raises(FeatureError, match=r"'core41'.*core14 or core30 or full65 or extended.*Did you mean 'core14'"):
        feature_names("core41")
