"""Controls of the whole machinery: it finds what was planted, at its size, and nothing where there is nothing.

Everything is seeded. Seeds 1, 2, 3 were taken before the first run and kept.
"""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from quorate.core.settings import (
    EvaluationSettings,
    LightGBMSettings,
    ModelSettings,
    PolicySettings,
    Settings,
    TrainSettings,
    VoteSettings,
    XGBoostSettings,
)
from quorate.core.types import Candles, FloatArray
from quorate.evaluation.backtest_setup import BacktestSetup
from quorate.evaluation.labelled_predictions import LabelledPredictions
from quorate.evaluation.metrics import classification
from quorate.evaluation.metrics.classification import rank_ic
from quorate.evaluation.scorecard import Scorecard
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.evaluation.statistics.rank_correlation import average_ranks
from quorate.evaluation.walk_forward.evaluate_walk import evaluate_walk
from quorate.evaluation.walk_forward.labelled_bars import LabelledBars, build_rows
from quorate.evaluation.walk_forward.walk import WalkOptions, walk
from quorate.evaluation.walk_forward.walk_result import WalkResult
from quorate.features import Bars, volatility_20
from quorate.market.synthetic import SWITCH, SyntheticMarket
from quorate.models.log_har import LogHAR
from quorate.targets import ForwardClass

MEMBERS = ("xgboost", "lightgbm")
SEEDS = (1, 2, 3)
FEW = Settings(
    models=ModelSettings(
        xgboost=XGBoostSettings(trees=20, depth=3, l2_share=0.0),
        lightgbm=LightGBMSettings(trees=20, depth=3, l2_share=0.0),
    ),
    train=TrainSettings(threads=1, head="classes"),
    evaluation=EvaluationSettings(draws=10, resamples=200, folds=3),
)
# Without a floor, every signal that both members agree on is traded: the account then has trades enough to judge.
EAGER = replace(FEW, vote=VoteSettings(floor=0.0), policy=PolicySettings(name="classic", refit="none"))


def market(seed: int, edge: float, symbols: int = 4, bars: int = 1200) -> SyntheticMarket:
    return SyntheticMarket(seed=seed, symbols=symbols, bars=bars, edge=edge)


def walked(made: SyntheticMarket, settings: Settings = FEW, rows: LabelledBars | None = None) -> WalkResult:
    rows = build_rows(made.panel(), "core14", ForwardClass()) if rows is None else rows
    return walk(rows, MEMBERS, settings)


def judged(made: SyntheticMarket, done: WalkResult, settings: Settings) -> Scorecard:
    funding = {name: found for name in made.names if (found := made.funding(name)) is not None}
    setup = BacktestSetup(made.panel(), funding, settings, settings.target.horizon, done.start)
    return evaluate_walk(done, done.frames(settings.vote), setup, settings)


def ensemble(done: WalkResult, made: SyntheticMarket) -> tuple[LabelledPredictions, FloatArray]:
    sample = LabelledPredictions.of(done.frames(FEW.vote), made.panel(), ForwardClass())
    return sample, sample.ensemble(FEW.vote)


@pytest.fixture(scope="module")
def random_walks() -> dict[int, tuple[SyntheticMarket, WalkResult]]:
    return {seed: (made, walked(made, EAGER)) for seed in SEEDS if (made := market(seed, 0.0))}


def test_a_random_walk_earns_nothing_after_costs(random_walks: dict[int, Any]) -> None:
    """Over all three markets the mean trade loses; before costs, it cannot be told from nothing."""
    net, gross = [], []
    for made, done in random_walks.values():
        result = BacktestSetup(made.panel(), {}, EAGER, 5, done.start).trade(done.frames(EAGER.vote))
        net += [trade.net_return for trade in result.trades]
        gross += [trade.gross_usd / trade.value_usd for trade in result.trades]
    assert len(net) > 500
    assert np.mean(net) <= 0
    # Trades of one hour move together, so this allows for three times the error of independent ones.
    assert abs(np.mean(gross)) < 3 * np.std(gross) / np.sqrt(len(gross) / 9)


def test_a_random_walk_has_no_direction(random_walks: dict[int, Any]) -> None:
    for made, done in random_walks.values():
        sample, scores = ensemble(done, made)
        blocks = TimeBlocks(sample.time, FEW.evaluation)
        low, high = blocks.interval(
            blocks.correlations(
                average_ranks(classification.directional_score(scores)), average_ranks(sample.forward_return)
            )
        ) or (1, -1)
        # 95 % of three intervals, so a hair of room beyond them.
        assert low - 0.02 < 0 < high + 0.02


def test_shuffled_labels_show_no_skill() -> None:
    made = market(1, 0.2)
    rows = build_rows(made.panel(), "core14", ForwardClass())
    known = np.flatnonzero(rows.known)
    y = rows.y.copy()
    y[known] = np.random.default_rng(1).permutation(y[known])
    skills = {}
    for name, labels in (("true", rows.y), ("shuffled", y)):
        done = walked(made, rows=replace(rows, y=labels))
        tested = np.concatenate([done.evaluated(step, "xgboost") for step in done.folds])
        scores = (done.scores["xgboost"][tested] + done.scores["lightgbm"][tested]) / 2
        skills[name] = classification.skill_vs_prior(labels[tested], scores, done.prior[tested])
        area = classification.auc(labels[tested], scores)
        assert (area > 0.6) == (name == "true")
    assert skills["true"] > 0.05
    assert skills["shuffled"] < 0.0
    assert abs(area - 0.5) < 0.02


def best_possible(candles: Candles, edge: float) -> FloatArray:
    """(n,) expected hidden trend given all returns so far: the Bayes filter of the market's own three states.

    It knows what no member is told: how often the trend switches and how large it is. Volatility it estimates.
    """
    change = np.concatenate([[0.0], np.diff(candles.close) / candles.close[:-1]])
    volatility = volatility_20(Bars(candles))
    stay = np.full((3, 3), SWITCH / 3) + np.eye(3) * (1 - SWITCH)
    states = np.array([-1.0, 0.0, 1.0])
    believed, expected = np.full(3, 1 / 3), np.full(len(candles), np.nan)
    for bar in range(21, len(candles)):
        seen = change[bar] / volatility[bar - 1]
        likely = np.exp(-((seen - np.sqrt(1.5 * edge) * states) ** 2) / (2 * (1 - edge)))
        believed = (believed @ stay) * likely
        believed /= believed.sum()
        expected[bar] = believed @ states
    return expected


@pytest.mark.parametrize(("edge", "seed"), [(0.05, 1), (0.1, 2), (0.2, 3)])
def test_a_planted_edge_is_found_at_its_planted_size(edge: float, seed: int) -> None:
    """Rank IC: below that of the true trend, which no one can see, and close to the best that past returns allow."""
    # The last sixth of each fold's training span trains nobody: it is kept for probabilities.
    made = market(seed, edge, symbols=6, bars=1950)
    done = walked(made)
    sample, scores = ensemble(done, made)
    true, best = [], []
    for symbol, rows in done.tested.items():
        candles, count = made.candles(symbol), rows.stop - rows.start
        known = done.rows.known[rows]
        # The trend of the next bar, which is settled before that opens.
        true.append(np.append(made.expected_return(symbol)[1:], np.nan)[-count:][known])
        best.append(best_possible(candles, edge)[-count:][known])
    found = rank_ic(scores, sample.forward_return)
    limit, reachable = (
        np.corrcoef(average_ranks(np.concatenate(part)), average_ranks(sample.forward_return))[0, 1]
        for part in (true, best)
    )
    assert found < limit
    assert 0.7 * reachable < found < 1.05 * reachable


@pytest.fixture(scope="module")
def clean_and_leaky(random_walks: dict[int, Any]) -> tuple[Scorecard, Scorecard]:
    made, done = random_walks[1]
    rows = done.rows
    ahead = np.concatenate([ForwardClass().label(candles).forward_return for candles in made.panel().values()])
    noise = np.random.default_rng(0).normal(0, np.nanstd(ahead), len(ahead))
    leak = np.where(rows.known, ahead + noise, 0.0)  # half of what it says is noise
    X = np.column_stack([rows.X, leak]).astype(np.float32)
    leaky = walked(made, EAGER, replace(rows, X=X, columns=(*rows.columns, "leak")))
    return judged(made, done, EAGER), judged(made, leaky, EAGER)


def test_a_planted_leak_stands_out_and_is_named(clean_and_leaky: tuple[Scorecard, Scorecard]) -> None:
    clean, leaky = (card.figures for card in clean_and_leaky)
    assert clean["warnings"] == []
    assert clean["lookahead"] == {"limit": 0.60, "columns": [], "models": [], "changed": []}
    assert [column["name"] for column in leaky["lookahead"]["columns"]] == ["leak"]
    assert {model["name"] for model in leaky["lookahead"]["models"]} == {"ensemble", *MEMBERS}
    assert len(leaky["warnings"]) == 2
    assert "leak 0." in leaky["warnings"][0]
    assert leaky["trades"]["expectancy_bps"] > 0 > clean["trades"]["expectancy_bps"]


def test_the_document_of_a_walk(clean_and_leaky: tuple[Scorecard, Scorecard]) -> None:
    figures = json.loads(json.dumps(clean_and_leaky[0].figures, allow_nan=False))
    baselines = figures["baselines"]
    assert set(baselines) == {
        "prior", "always_hold", "buy_and_hold", "random", "momentum", "rules", "best_member",
    }  # fmt: skip
    for name in ("momentum", "rules", "best_member"):
        assert {"n", "win_rate", "expectancy_bps_ci", "sharpe_ci", "total_return"} <= set(baselines[name]["trades"])
    assert baselines["random"]["draws"] == 10
    assert baselines["best_member"]["chosen"][0] == "xgboost"
    assert set(figures["differences"]) == {"best_member"}
    low, high = figures["differences"]["best_member"]["log_loss_ci"]
    assert low < figures["differences"]["best_member"]["log_loss"] < high
    folds = figures["folds"]
    assert [fold["fold"] for fold in folds] == [1, 2, 3]
    for fold, following in pairwise(folds):
        assert fold["test"]["to"] == following["test"]["from"]
        assert fold["train"]["rows"] < following["train"]["rows"]
        assert fold["train"]["to"] < fold["test"]["from"]
    for fold in folds:
        assert set(fold["members"]) == set(MEMBERS)
        for member in fold["members"].values():
            assert member["ok"] is True
            assert member["failure"] is None
            assert {"rows", "log_loss", "skill_vs_prior", "accuracy", "auc", "seconds"} <= set(member)
    # The bars of all test spans are one run; only the last five of each symbol have no label.
    tested = sum(fold["test"]["rows"] for fold in folds)
    assert figures["decisions"]["bars"] == tested
    assert figures["rows"] == tested - 5 * figures["symbols"]
    pooled = sum(fold["members"]["xgboost"]["log_loss"] * fold["members"]["xgboost"]["rows"] for fold in folds)
    assert figures["members"]["xgboost"]["log_loss"] == pytest.approx(pooled / figures["rows"])


def test_the_account_runs_on_over_all_folds(clean_and_leaky: tuple[Scorecard, Scorecard]) -> None:
    card = clean_and_leaky[0]
    assert card.account is not None
    assert card.account.start_usd == 1_000
    hours = np.diff(card.account.time) // 3_600_000
    assert (hours == 1).all()
    assert card.account.equity[-1] == pytest.approx(1_000 + card.figures["trades"]["net_usd"])


def test_a_logistic_regression_beside_the_members_has_no_vote() -> None:
    made = market(2, 0.1, symbols=3, bars=600)
    rows = build_rows(made.panel(), "core14", ForwardClass())
    done = walk(rows, MEMBERS, FEW, WalkOptions(folds=2, baselines=("logistic", "xgboost")))
    assert set(done.scores) == {*MEMBERS, "logistic"}
    frames = done.frames(FEW.vote)
    assert all(set(frame.scores) == set(MEMBERS) for frame in frames.values())
    card = judged(made, done, FEW)
    logistic = card.figures["baselines"]["logistic"]
    assert logistic["rank_ic"] > 0.1
    assert set(card.figures["differences"]) == {"logistic", "best_member"}
    assert set(card.figures["folds"][0]["beside"]) == {"logistic"}


def test_log_har_beside_the_members_finds_volatility_reads_its_own_columns_and_never_trades() -> None:
    made = market(2, 0.0, symbols=4, bars=1_600)
    reads = LogHAR.reads
    rows = build_rows(made.panel(), "core14", ForwardClass(), beside=reads)
    done = walk(rows, MEMBERS, FEW, WalkOptions(folds=2, baselines=("log_har",)))
    card = judged(made, done, FEW)
    figures = card.figures["baselines"]["log_har"]
    assert figures["skill"]["volatility"] > 0.005
    for fold in done.folds:  # one share of BUY in every fold
        sell, _, buy = done.scores["log_har"][fold.test].T
        np.testing.assert_allclose(buy / (sell + buy), buy[0] / (sell[0] + buy[0]), rtol=1e-9)
    assert figures["trades"]["n"] == 0
    assert "vs_log_har" not in figures["skill"]
    assert "log_har alone" not in card.figures["policies"]
    # Members and the ensemble are compared with it on the rows that both scored.
    apart = card.figures["ensemble"]["skill"]["vs_log_har"]
    assert apart == card.figures["differences"]["log_har"]
    assert set(card.figures["members"]["xgboost"]["skill"]) == {
        *("volatility", "volatility_ci", "direction", "direction_ci", "vs_span", "vs_log_har"),
    }
    # The set that has these columns gives the same scores, but for the rows that it cannot train on.
    wide = build_rows(made.panel(), "core30", ForwardClass())
    same = walk(wide, ("log_har",), FEW, WalkOptions(folds=2))
    last = slice(-50, None)
    np.testing.assert_allclose(same.scores["log_har"][last], done.scores["log_har"][last], atol=0.02)


def test_log_har_as_a_member_needs_its_columns_in_the_feature_set() -> None:
    rows = build_rows(market(2, 0.0, symbols=2, bars=600).panel(), "core14", ForwardClass(), beside=LogHAR.reads)
    done = walk(rows, ("xgboost", "log_har"), FEW, WalkOptions(folds=1, baselines=("log_har",)))
    assert 'Set train.features = "core30"' in str(done.fits[0]["log_har"].failure)
    assert np.isnan(done.scores["log_har"]).all()


def test_a_member_is_better_than_log_har_where_the_direction_was_planted() -> None:
    made = market(1, 0.4, symbols=3, bars=900)
    rows = build_rows(made.panel(), "core14", ForwardClass(), beside=LogHAR.reads)
    card = judged(made, walk(rows, MEMBERS, FEW, WalkOptions(folds=2, baselines=("log_har",))), FEW)
    assert card.figures["only_volatility"] == {"models": [], "about": ""}
    assert card.figures["ensemble"]["skill"]["direction"] > 0.01
