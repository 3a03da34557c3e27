"""Look-ahead in strategies: three kinds are found by `check_strategy`, as by Freqtrade's lookahead-analysis.

Neither finds the fourth, a model that is tested on its own training bars; a bundle refuses to predict those.
"""

import numpy as np
import pytest

from quorate import load_bundle
from quorate.core.errors import TrainingSpanError
from quorate.evaluation.lookahead.checks import check_strategy
from quorate.integrations.freqtrade import BundleSource, Forecaster

BTC = "BTC/USDT:USDT"


def averages(candles):
    return candles.close - np.convolve(candles.close, np.ones(9) / 9)[: len(candles)]


def target(candles):
    """Enter where the close four bars ahead is higher."""
    ahead = np.full(len(candles), np.nan)
    ahead[:-4] = candles.close[4:]
    return (ahead > candles.close * 1.004).astype(float)


def last_row(candles):
    """Decide on the newest bar and write that into every row."""
    return np.full(len(candles), float(averages(candles)[-1] > 0))


def global_scale(candles):
    """Scale by the mean and deviation of the whole frame."""
    scaled = (candles.close - candles.close.mean()) / candles.close.std()
    return (scaled < -0.2).astype(float)


@pytest.mark.parametrize("leaky", [target, last_row, global_scale], ids=lambda leaky: leaky.__name__)
def test_look_ahead_is_found(world, leaky):
    assert not check_strategy(leaky, {BTC: world.panel[BTC]}).clean


def test_a_rule_without_look_ahead_passes(world):
    def causal(candles):
        return (averages(candles) > 0).astype(float)

    assert check_strategy(causal, {BTC: world.panel[BTC]}).clean


def test_the_strategys_decisions_have_no_look_ahead(world, make_options):
    options = make_options()
    source = BundleSource(options)
    source.start()

    def decisions(candles):
        columns = Forecaster(options, source).columns(candles.to_pandas(), candles.symbol, candles.timeframe)
        return np.column_stack([columns["quorate_action"], columns["quorate_confidence"]])

    assert check_strategy(decisions, {BTC: world.panel[BTC][900:]}).clean


def test_bars_of_the_training_span_are_refused(world, make_options, caplog):
    """`check_strategy` cannot find this: the model's output on these bars does not depend on later candles."""
    candles = world.panel[BTC][60:660]
    bundle = load_bundle(world.bundle)
    with pytest.raises(TrainingSpanError):
        bundle.predict_frame(candles)
    options = make_options()
    source = BundleSource(options)
    source.start()
    columns = Forecaster(options, source).columns(candles.to_pandas(), BTC, "1h")
    assert not columns["quorate_action"].any()
    assert set(columns["quorate_rule"]) == {"training_span"}
    assert "inside the training span" in caplog.text
