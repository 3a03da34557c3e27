"""The check finds what was planted, names it, and leaves everything of ours alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from quorate.core.errors import EvaluationError
from quorate.core.settings import EvaluationSettings, LightGBMSettings, ModelSettings, TargetSettings, XGBoostSettings
from quorate.core.types import Candles, DecisionFrame
from quorate.ensemble.voting.vote_frame import decide_frame
from quorate.evaluation.baselines.strategies import momentum_frame, rules_frame
from quorate.evaluation.lookahead.checks import check_features, check_model, check_strategy
from quorate.evaluation.lookahead.leakage_report import Leak, LeakageReport
from quorate.features import Bars, build, contexts, feature_names, feature_set, volatility_20
from quorate.market import SyntheticMarket
from quorate.models.registry import build as build_model
from quorate.targets import ForwardClass

FEW = ModelSettings(
    xgboost=XGBoostSettings(trees=15, depth=3, l2_share=0.0), lightgbm=LightGBMSettings(trees=15, depth=3, l2_share=0.0)
)
SETTINGS = EvaluationSettings(resamples=100)


@pytest.fixture(scope="module")
def panel() -> dict[str, Candles]:
    return SyntheticMarket(seed=5, symbols=2, bars=700).panel()


@pytest.mark.parametrize("name", ["core14", "full65", "extended"])
def test_every_feature_set_of_ours_is_clean(panel: dict[str, Candles], name: str) -> None:
    def compute(candles: Candles) -> np.ndarray:
        around = contexts({**panel, candles.symbol: candles}, {}) if feature_set(name).context else {}
        return build(candles, name, around.get(candles.symbol))

    report = check_features(compute, panel, feature_names(name), cuts=4)
    assert report.clean, str(report)
    assert str(report) == "no leak found by truncation, perturbation"
    report.require_clean()


def leaky(candles: Candles) -> np.ndarray:
    """One honest column, and every classic leak."""
    close = candles.close
    change = np.diff(close, prepend=close[0]) / close
    smooth = np.convolve(change, np.ones(5) / 5, "same")  # a centred rolling mean
    return np.column_stack(
        [
            change,
            np.append(close[1:], close[-1]) / close - 1,
            (close - close.mean()) / close.std(),
            smooth,
            ForwardClass(5, 0.005).label(candles).y,
        ]
    )


def test_planted_leaks_are_named_and_nothing_else(panel: dict[str, Candles]) -> None:
    names = ("change", "next return", "scaled by all", "centred mean", "target")
    report = check_features(leaky, panel, names, cuts=60)
    assert set(report.names) == set(names) - {"change"}
    for name in ("next return", "scaled by all", "centred mean"):
        assert {leak.test for leak in report.leaks if leak.name == name} == {"truncation", "perturbation"}
    assert "without the later candles" in str(report)
    with pytest.raises(EvaluationError, match="scaled by all"):
        report.require_clean()
    unnamed = check_features(leaky, panel, cuts=60)
    assert set(unnamed.names) == {"column 1", "column 2", "column 3", "column 4"}


def voting(candles: Candles) -> DecisionFrame:
    volatility = volatility_20(Bars(candles))
    scores = {}
    for place, name in enumerate(("xgboost", "lightgbm")):
        lean = np.nan_to_num(build(candles, "core14")[:, place].astype(np.float64))
        lean = np.clip(50 * lean, -5, 5)
        raw = np.exp(np.column_stack([-lean, np.zeros(len(lean)), lean]))
        scores[name] = raw / raw.sum(axis=1, keepdims=True)
    return DecisionFrame(candles.symbol, "1h", candles.time, *decide_frame(scores, volatility)[:5], volatility, scores)


def test_our_own_strategies_are_clean(panel: dict[str, Candles]) -> None:
    target = TargetSettings()
    for decide in (
        voting,
        lambda candles: momentum_frame(voting(candles), candles, target),
        lambda candles: rules_frame(voting(candles), candles),
    ):
        report = check_strategy(decide, panel, cuts=6)
        assert report.clean, str(report)


def test_a_strategy_that_sets_its_threshold_on_all_it_is_given_is_caught(panel: dict[str, Candles]) -> None:
    def decide(candles: Candles) -> np.ndarray:
        change = np.diff(candles.close, prepend=candles.close[0]) / candles.close
        return np.sign(change - np.median(change))

    report = check_strategy(decide, panel, cuts=200)
    assert report.names == ("decision",)

    def frame(candles: Candles) -> DecisionFrame:
        said = voting(candles)
        return replace(said, confidence=said.confidence / said.confidence.max())

    assert check_strategy(frame, panel, cuts=60).names == ("confidence",)


@pytest.fixture(scope="module")
def learnable() -> dict[str, Any]:
    """A market with an edge, so that a model has something to learn, and a cut between past and future."""
    candles = SyntheticMarket(seed=6, symbols=1, bars=1_500, edge=0.2).panel()
    (own,) = candles.values()
    X, labels = build(own, "core14"), ForwardClass().label(own)
    rows = np.flatnonzero(np.isfinite(X).all(axis=1) & labels.known)
    cut = int(own.time[1_000])
    return {
        "X": X,
        "y": labels.y,
        "time": own.time,
        "train_rows": rows[labels.span_end[rows] < cut],
        "test_rows": rows[own.time[rows] >= cut],
        "settings": replace(SETTINGS, plausible_auc=0.8),
    }


@pytest.mark.parametrize("name", ["xgboost", "lightgbm", "logistic"])
def test_our_models_forget_shuffled_labels(learnable: dict[str, Any], name: str) -> None:
    def train(X: np.ndarray, y: np.ndarray, learned: np.ndarray, judged: np.ndarray) -> np.ndarray:
        model = build_model(name, "class", FEW, seed=1, threads=1)
        return model.fit(X[learned], y[learned]).predict_proba(X[judged])

    report = check_model(train, **learnable, name=name, names=feature_names("core14"))
    assert report.clean, str(report)


def test_a_model_trained_on_the_tested_period_is_caught(learnable: dict[str, Any]) -> None:
    def train(X: np.ndarray, y: np.ndarray, learned: np.ndarray, judged: np.ndarray) -> np.ndarray:
        everything = np.concatenate([learned, judged])
        model = build_model("lightgbm", "class", FEW, seed=1, threads=1)
        return model.fit(X[everything], y[everything]).predict_proba(X[judged])

    report = check_model(train, **learnable, name="cheat")
    assert [(leak.name, leak.test) for leak in report.leaks] == [("cheat", "shuffled labels")]


def test_a_target_among_the_columns_is_named(learnable: dict[str, Any]) -> None:
    noise = np.random.default_rng(1).normal(0, 0.3, len(learnable["y"]))
    X = np.column_stack([learnable["X"], learnable["y"] + noise]).astype(np.float32)

    def train(X: np.ndarray, y: np.ndarray, learned: np.ndarray, judged: np.ndarray) -> np.ndarray:
        return (
            build_model("logistic", "class", FEW, seed=1, threads=1)
            .fit(X[learned], y[learned])
            .predict_proba(X[judged])
        )

    names = (*feature_names("core14"), "answer")
    report = check_model(train, **{**learnable, "X": X}, names=names)
    assert {leak.name for leak in report.leaks if leak.test == "implausible AUC"} == {"model", "answer"}


def test_what_cannot_be_checked_is_refused(panel: dict[str, Candles]) -> None:
    with pytest.raises(EvaluationError, match="more than 51 candles"):
        check_features(leaky, {})
    with pytest.raises(EvaluationError, match="one row for each"):
        check_features(lambda _: np.zeros(3), panel)
    with pytest.raises(EvaluationError, match="as in `names`"):
        check_features(leaky, panel, ("one",))
    one, none = np.arange(1), np.zeros(0, np.int8)
    with pytest.raises(EvaluationError, match="labels"):
        check_model(lambda *_: np.zeros((0, 3)), np.zeros((3, 1)), none, np.zeros(3, np.int64), one, one)


def test_a_report_is_a_text_a_page_fragment_and_a_data_frame() -> None:
    clean = LeakageReport((), ("truncation", "perturbation"))
    leaks = (Leak("<b>", "truncation", "1 becomes 2"), Leak("target", "implausible AUC", "an AUC of 1.000"))
    leaky = LeakageReport(leaks, ("truncation", "implausible AUC"))
    assert str(clean) == "no leak found by truncation, perturbation"
    assert clean._repr_html_() == "<p>no leak found by truncation, perturbation</p>"
    assert str(leaky).splitlines()[1:] == [
        "  <b>: 1 becomes 2 (truncation)",
        "  target: an AUC of 1.000 (implausible AUC)",
    ]
    page = leaky._repr_html_()
    assert page.count("<tr>") == 3
    assert "<td>&lt;b&gt;</td><td>truncation</td><td>1 becomes 2</td>" in page
    table = leaky.to_pandas()
    assert table.to_dict("list") == {
        "name": ["<b>", "target"],
        "test": ["truncation", "implausible AUC"],
        "found": ["1 becomes 2", "an AUC of 1.000"],
    }
    assert clean.to_pandas().columns.tolist() == ["name", "test", "found"]
    assert clean.to_pandas().empty


def test_training_rows_among_the_test_rows_are_refused(learnable: dict[str, Any]) -> None:
    rows = learnable["test_rows"]
    with pytest.raises(EvaluationError, match=f"{len(rows)} rows both in"):
        check_model(lambda *_: np.zeros((len(rows), 3)), **{**learnable, "train_rows": rows})
