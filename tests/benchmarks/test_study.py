"""The study of targets: data, metrics, and single use of the final span."""

import json
import math
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.errors import EvaluationError
from quorate.evaluation.statistics.trial_log import TrialLog
from quorate.features import Bars, build, volatility_20
from quorate.market import SyntheticMarket
from quorate.targets import ForwardClass

FOLDER = Path(__file__).parents[2] / "benchmarks" / "study"
MODULES = (
    "market_neutral",
    "perpetuals",
    "relative",
    "configuration",
    "signal_metrics",
    "robustness",
    "trials",
    "page",
    "run",
)
BARS, WARM, READ = 1_000, 400, 940


@pytest.fixture(scope="module")
def study():
    """The scripts' modules, which import each other from their folder."""
    sys.path.insert(0, str(FOLDER))
    try:
        yield SimpleNamespace(**{name: import_module(name) for name in MODULES})
    finally:
        sys.path.remove(str(FOLDER))
        for name in MODULES:
            del sys.modules[name]


@pytest.fixture(scope="module")
def synthetic():
    return SyntheticMarket(seed=3, symbols=8, bars=BARS, edge=0.3)


@pytest.fixture(scope="module")
def span(synthetic):
    start = int(synthetic.candles(synthetic.names[0]).time[0])
    return start + WARM * HOUR_MS, start + READ * HOUR_MS


@pytest.fixture(scope="module")
def market(study, synthetic, span, tmp_path_factory):
    folder = tmp_path_factory.mktemp("market")
    synthetic.write(folder)
    return study.perpetuals.Perpetuals.read(folder, *span)


def test_candles_after_the_end_change_nothing(study, synthetic, span, market, tmp_path):
    SyntheticMarket(seed=3, symbols=8, bars=READ, edge=0.3).write(tmp_path)
    shorter = study.perpetuals.Perpetuals.read(tmp_path, *span)
    np.testing.assert_array_equal(shorter.base.X, market.base.X)
    np.testing.assert_array_equal(shorter.earned(24), market.earned(24))
    np.testing.assert_array_equal(shorter.paid, market.paid)
    assert max(candles.time[-1] for candles in market.panel.values()) < span[1]


def test_tables_agree_with_candles_and_settlements(study, market, span):
    step = study.perpetuals.STEP
    assert market.time[0] == span[0]
    assert set(np.diff(market.time)) == {step * HOUR_MS}
    last = 0
    for place, (symbol, candles) in enumerate(market.panel.items()):
        opens = dict(zip(candles.time.tolist(), candles.open.tolist(), strict=True))
        settled = market.funding[symbol]
        for row, time in enumerate(market.time.tolist()):
            begin, end = time + HOUR_MS, time + 13 * HOUR_MS
            if end in opens:
                assert market.earned(12)[row, place] == pytest.approx(opens[end] / opens[begin] - 1)
            else:
                assert np.isnan(market.earned(12)[row, place])
            end = time + (1 + step) * HOUR_MS
            if end <= settled.time[-1]:
                last = row
                within = (settled.time > begin) & (settled.time <= end)
                assert market.paid[row, place] == pytest.approx(settled.rate[within].sum())
    assert last > 80
    assert sorted(market.volume_rank[-1]) == list(range(8))


def test_rows_are_the_same_features_and_labels_on_fewer_bars(study, market, span):
    target = ForwardClass(24, 0.01)
    rows = market.rows(target, ("rsi_14", "price_change", "rank_change_24"), "some")
    symbol, candles = list(market.panel.items())[3]
    own = rows.spans[symbol]
    at = np.searchsorted(candles.time, rows.time[own])
    np.testing.assert_array_equal(candles.time[at], market.time)
    labels = target.label(candles)
    np.testing.assert_array_equal(rows.y[own], labels.y[at])
    np.testing.assert_array_equal(rows.known[own], labels.known[at])
    np.testing.assert_array_equal(rows.span_end[own], labels.span_end[at])
    np.testing.assert_array_equal(rows.X[own, 1], build(candles, "core14")[at, 0])
    assert not rows.known[own][-4:].any()  # the last 24 hours have no label, although the folder holds them
    assert len(rows) == 8 * len(market.time)


def test_the_relative_class_compares_with_the_mean_return(study, market):
    target = study.relative.RelativeClass(market.panel, 5, 0.3)
    symbol, candles = list(market.panel.items())[2]
    labels = target.label(candles)
    seen = set()
    for row in range(450, 520):
        returns = {name: other.close[row + 5] / other.close[row] - 1 for name, other in market.panel.items()}
        beside = returns[symbol] - math.fsum(returns.values()) / len(returns)
        band = 0.3 * volatility_20(Bars(candles))[row] * math.sqrt(5)
        assert labels.y[row] == (2 if beside > band else 0 if beside < -band else 1)
        assert labels.forward_return[row] == pytest.approx(beside)
        seen.add(int(labels.y[row]))
    assert seen == {0, 1, 2}
    assert not labels.known[-5:].any()
    assert labels.known[20:-5].all()


def test_configurations(study):
    configuration = study.configuration
    tried = configuration.screened()
    assert len({it.name for it in tried}) == len(tried) == 36
    sizes = {features: len(configuration.Configuration("fixed", 5, features).columns()) for features in
             ("core14", "full65", "extended", "full65+ranks", "extended-ranks", "extended+funding")}  # fmt: skip
    assert sizes == {"core14": 14, "full65": 65, "extended": 81, "full65+ranks": 69, "extended-ranks": 77,
                     "extended+funding": 83}  # fmt: skip
    assert [configuration.Configuration("fixed", h, "core14").holds for h in (5, 12, 24)] == [
        (6, 24, 72), (12, 24, 72), (24, 72)]  # fmt: skip
    documented = configuration.held_back()[0].all_settings().models.lightgbm
    assert (documented.trees, documented.leaves, documented.depth, documented.learning_rate) == (200, 31, 6, 0.1)
    assert (documented.leaf_share, documented.l2_share, documented.subsample, documented.colsample) == (0, 0, 1, 1)


def test_a_planted_edge_is_found_and_shuffled_labels_are_not(study, market, tmp_path):
    trials = study.trials.Trials(market, TrialLog(tmp_path / "trials.jsonl"), "study")
    own = study.configuration.Configuration("relative", 5, "core14", folds=2)
    walked, signal = trials.learn(own)
    found = trials.found[own.name]
    assert found["rank_ic"] > 0.15
    assert found["held"]["6"]["gross_bp"] > 0
    assert found["skill"] > 0.1
    assert found["skill_ci"] is None  # three weeks are too few for an interval
    shuffled = study.configuration.Configuration("relative", 5, "core14", folds=2, shuffled=1)
    trials.learn(shuffled)
    assert trials.found[shuffled.name]["skill"] < 0.005
    pair = trials.paired(own.name, own.name)
    assert (pair["gain"], pair["rows"]) == (0, found["rows"])
    lines = TrialLog(tmp_path / "trials.jsonl").read().trials
    assert [trial.configuration["hold"] for trial in lines] == [6, 24, 72] * 2
    assert len({trial.id for trial in lines}) == 6

    checked = study.robustness.check_robustness(market, signal, 6)
    each = checked["symbols"]["best"] | checked["symbols"]["worst"]
    assert sum(each.values()) == pytest.approx(checked["whole"]["gross_bp"])  # the best 5 and the worst 5 of 8 are all
    assert checked["whole"]["net_bp"] == pytest.approx(found["held"]["6"]["net_bp"])
    assert checked["symbols"]["without_the_best"]["net_bp"] < checked["whole"]["net_bp"]
    assert walked.folds[0].start == signal.start


def test_ranks_within_groups_are_independent_of_volatility(study, market):
    volatility = market.column("volatility_7d")
    signal = study.signal_metrics.Signal(-volatility, int(market.time[0]), 24)
    alike = study.robustness.grouped_by_volatility(market, signal).values
    group = np.argsort(np.argsort(volatility[-1])) * 3 // 8
    np.testing.assert_allclose([alike[-1, group == number].mean() for number in range(3)], 0.5)
    np.testing.assert_allclose(sorted(alike[-1, group == 2]), [0.25, 0.75])


def test_the_final_span_is_evaluated_once(study, tmp_path):
    def refused():
        with pytest.raises(EvaluationError) as error:
            study.run.final(tmp_path, tmp_path)  # no candles here: it fails before it reads any
        return str(error.value)

    assert "no study.json" in refused()
    choice = {"name": "this", "hold": 24, "configuration": {}}
    (tmp_path / "study.json").write_text(json.dumps({"choice": choice}))
    looked = tmp_path / "study-final.json"
    looked.write_text(json.dumps({"choice": {**choice, "name": "that"}}))
    assert "an evaluation of that; expected none, or one of this" in refused()
    looked.write_text(json.dumps({"choice": choice, "figures": {}}))
    assert "no evaluation of the final span yet" in refused()
