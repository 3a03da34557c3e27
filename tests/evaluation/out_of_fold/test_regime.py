"""The regime of a bar: worked values, and nothing of later bars."""

import numpy as np
import pytest

from quorate.evaluation.out_of_fold.regime import REGIME, regime_columns
from quorate.features import Bars, build, feature_names, volatility_20
from quorate.market.synthetic import SyntheticMarket


@pytest.fixture(scope="module")
def panel():
    return SyntheticMarket(seed=5, symbols=3, bars=300).panel()


def test_columns_are_those_of_the_features(panel):
    found = regime_columns(panel)
    assert all(tuple(columns) == tuple(REGIME) for columns in found.values())
    names = feature_names("full65")
    above = []
    for symbol, candles in panel.items():
        X = build(candles, "full65")
        np.testing.assert_allclose(found[symbol]["trend"], X[:, names.index("efficiency_ratio_20")], rtol=1e-5)
        np.testing.assert_allclose(found[symbol]["hour_sin"], X[:, names.index("hour_sin")], atol=1e-6)
        np.testing.assert_allclose(np.exp(found[symbol]["volatility"]), volatility_20(Bars(candles)))
        ema = build(candles, "core14")[:, feature_names("core14").index("price_to_ema_50")]
        above.append(np.where(np.isnan(ema), np.nan, ema > 0))
    np.testing.assert_allclose(next(iter(found.values()))["breadth"], np.mean(above, axis=0))


def test_later_candles_change_nothing(panel):
    whole, cut = regime_columns(panel), regime_columns({name: candles[:200] for name, candles in panel.items()})
    for symbol, columns in cut.items():
        for name, values in columns.items():
            np.testing.assert_array_equal(values, whole[symbol][name][:200], err_msg=name)


def test_breadth_counts_the_markets_that_are_there(panel):
    """A market that is listed later counts from its own warm-up on."""
    symbols = list(panel)
    late = {**panel, symbols[2]: panel[symbols[2]][150:]}
    found = regime_columns(late)
    at = found[symbols[0]]["breadth"]
    assert set(np.unique(at[60:190])) <= {0.0, 0.5, 1.0}
    assert np.isnan(at[:49]).all()
    assert len(found[symbols[2]]["breadth"]) == 150
