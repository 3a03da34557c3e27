"""The gate: a learner that finds the edge, one that draws at random, one that knows the results, and what it guards."""

import json
from dataclasses import replace

import numpy as np
import pytest

from quorate.core.errors import EvaluationError
from quorate.core.settings import Settings, SizingSettings
from quorate.lifecycle.sizing.comparison import best_constant, stretches, walk_sizes
from quorate.lifecycle.sizing.fit import judge_sizes
from quorate.lifecycle.sizing.gate import SizingGate, failed, gate_digest, require_passed, run_case, write_gate
from quorate.lifecycle.sizing.gate_markets import shuffled, trend_market
from quorate.lifecycle.sizing.learners import LEARNERS, learn
from quorate.trading.sizing import SHARES, SizingPolicy, frame_contexts
from quorate.trading.sizing.context import DECISION

SMALL = SizingSettings(gate_markets=1, gate_bars=1_500, gate_folds=2, fewest=50)


@pytest.fixture(scope="module")
def judged():
    """The ridge regression on one market with the planted edge of the gate."""
    settings = replace(Settings(), sizing=replace(SMALL, folds=2))
    return judge_sizes(LEARNERS["ridge"], trend_market(101, 2_500, 4, edge=0.02), settings)


class Drawn:
    """A share at random, whatever the context."""

    digest = "drawn"

    def __init__(self):
        self.random = np.random.default_rng(5)

    def share(self, context):
        return SHARES[self.random.integers(len(SHARES))]


class Knowing:
    """The whole stake for trades that will win, none for the others: a leak."""

    digest = "knowing"

    def __init__(self, market):
        rows = market.trades.contexts[:, : len(DECISION)]
        self.wins = {row.tobytes(): win for row, win in zip(rows, market.trades.results > 0, strict=True)}

    def share(self, context):
        return 1.0 if self.wins.get(context[: len(DECISION)].tobytes(), True) else 0.0


def test_a_planted_edge_is_found_and_not_by_chance(judged):
    assert failed("edge", judged.figures) == []
    assert 0.1 < judged.figures["mean_share"] < 0.9
    drawn = run_case("edge", SMALL, lambda *_: Drawn())
    assert drawn["failed"] == [
        "not clearly more than the ordinary stake",
        "not clearly more than its mean share on every entry",
    ]


def test_results_of_the_future_are_noticed_where_nothing_can_be_gained():
    assert run_case("free", SMALL, LEARNERS["ridge"])["failed"] == []
    leaked = run_case("free", SMALL, lambda market, *_: Knowing(market))
    assert [reason.split(",")[0] for reason in leaked["failed"]] == [
        "more than the ordinary stake", "more than its mean share on every entry",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("case", "ordinary", "even", "reasons"),
    [
        ("edge", (1, 2), (1, 2), 0),
        ("edge", (-1, 2), (1, 2), 1),
        ("edge", (1, 2), (0, 2), 1),
        ("walk", (5, 9), (1, 2), 0),
        ("walk", (-2, 1), (-3, -2), 0),
        ("walk", (-2, -1), (0, 1), 1),
        ("walk", None, (0, 1), 1),
        ("free", (-1, 1), (-1, 1), 0),
        ("free", (1, 2), (1, 2), 2),
        ("free", (-2, -1), (-1, 1), 1),
        ("shuffled", (-1, 1), (1, 2), 1),
    ],
)
def test_what_fails(case, ordinary, even, reasons):
    against = {"ordinary": {"growth_bps_ci": ordinary}, "even": {"growth_bps_ci": even}}
    assert len(failed(case, {"against": against})) == reasons


def test_only_what_passed_with_this_code_and_these_settings_may_be_fitted(tmp_path):
    settings = SizingSettings()
    with pytest.raises(EvaluationError, match=r"no result of the gate.*quorate size gate"):
        require_passed(tmp_path, settings)
    result = SizingGate("ridge", gate_digest(settings), {"walk": {"failed": []}}, "2025-01-01T00:00:00Z")
    path = write_gate(tmp_path, result)
    assert require_passed(tmp_path, replace(settings, apply=True, folds=9)) == result.digest
    with pytest.raises(EvaluationError, match="other code or settings"):
        require_passed(tmp_path, replace(settings, aversion=1.0))
    with pytest.raises(EvaluationError, match="no result"):
        require_passed(tmp_path, replace(settings, learner="ppo"))
    write_gate(tmp_path, replace(result, cases={"walk": {"failed": ["less than the ordinary stake"]}}))
    with pytest.raises(EvaluationError, match="walk: less than the ordinary stake"):
        require_passed(tmp_path, settings)
    path.write_text(json.dumps({"digest": 1}))
    with pytest.raises(EvaluationError, match="gate-ridge"):
        require_passed(tmp_path, settings)


def test_policies_read_only_what_was_known_at_their_stretch():
    market = trend_market(4, 900, 3, edge=0.02)
    settings = replace(SMALL, folds=2)
    first, second = stretches(market, 2)
    given = []

    def watching(market, time, settings):
        given.append((time, int(market.trades.closed_by(time).known.max())))
        return SizingPolicy.constant(0.5)

    runs = walk_sizes(watching, market, settings)
    assert [time for time, _ in given] == [first, second]
    assert all(known <= time for time, known in given)
    assert runs.results["even"].equity_usd.tolist() == runs.results["overlay"].equity_usd.tolist()
    assert min(trade.decided for trade in runs.results["overlay"].trades) >= first
    assert runs.constants == (best_constant(market, first, settings), best_constant(market, second, settings))
    with pytest.raises(EvaluationError, match="bars for"):
        stretches(market, 899)


def test_few_trades_leave_the_whole_stake():
    market = trend_market(4, 200, 1, edge=0.02)
    policy = learn(LEARNERS["ridge"], market, market.span[0], SMALL)
    assert policy.digest == SizingPolicy.constant(1.0).digest
    with pytest.raises(EvaluationError, match=r"closed trades.*sizing\.fewest"):
        judge_sizes(LEARNERS["ridge"], market, replace(Settings(), sizing=replace(SMALL, fewest=10_000)))


def test_a_learner_that_wins_is_kept_and_one_that_shrinks_winners_is_not(judged):
    assert judged.kept
    assert judged.verdict.startswith("Kept")
    market = trend_market(4, 700, 3, edge=0.02)
    settings = replace(Settings(), sizing=replace(SMALL, folds=1))
    shrunk = judge_sizes(lambda *_: SizingPolicy.constant(0.5), market, settings)
    assert not shrunk.kept
    assert shrunk.until == market.span[1]
    assert "bps a day against the ordinary stake" in shrunk.verdict


def test_shuffled_contexts_are_the_same_ones_elsewhere():
    market = trend_market(4, 200, 1, edge=0.02)
    dealt = shuffled(market, 1)
    (frame,), (other,) = market.frames.values(), dealt.frames.values()
    assert other.action.tolist() == frame.action.tolist()
    first, second = frame_contexts(frame), frame_contexts(other)
    assert np.array_equal(np.sort(first, axis=0), np.sort(second, axis=0), equal_nan=True)
    assert not np.array_equal(first, second, equal_nan=True)
