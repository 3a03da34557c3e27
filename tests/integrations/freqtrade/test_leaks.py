"""Four ways to know the future inside Freqtrade, caught by our own check; the strategy's own decisions are clean.

Freqtrade's lookahead-analysis sees the first three and not the fourth, a model that was trained on the bars that it is
tested on; a bundle refuses those.
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
    """Enters where the close four bars ahead is higher."""
    ahead = np.full(len(candles), np.nan)
    ahead[:-4] = candles.close[4:]
    return (ahead > candles.close * 1.004).astype(float)


def last_row(candles):
    """Decides on the newest bar and writes that into every row."""
    return np.full(len(candles), float(averages(candles)[-1] > 0))


def global_scale(candles):
    """Scales by the mean and deviation of the whole frame."""
    scaled = (candles.close - candles.close.mean()) / candles.close.std()
    return (scaled < -0.2).astype(float)


@pytest.mark.parametrize("leaky", [target, last_row, global_scale], ids=lambda leaky: leaky.__name__)
def test_a_leak_is_caught(world, leaky):
    assert not check_strategy(leaky, {BTC: world.panel[BTC]}).clean


def test_an_honest_rule_is_not(world):
    def honest(candles):
        return (averages(candles) > 0).astype(float)

    assert check_strategy(honest, {BTC: world.panel[BTC]}).clean


def test_the_strategys_own_decisions_are_clean(world, make_options):
    options = make_options()
    source = BundleSource(options)
    source.start()

    def decided(candles):
        columns = Forecaster(options, source).columns(candles.to_pandas(), candles.symbol, candles.timeframe)
        return np.column_stack([columns["quorate_action"], columns["quorate_confidence"]])

    assert check_strategy(decided, {BTC: world.panel[BTC][900:]}).clean


def test_a_model_trained_on_what_it_is_tested_on_is_refused(world, make_options, caplog):
    """The check over candles cannot see it: the model knows these bars by heart, whatever comes after them."""
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
