"""The evidence of a challenge as a fold over records: nulls, power, horizon, and which verdict comes when."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.errors import JournalError
from quorate.core.settings import ChallengeSettings
from quorate.lifecycle.challenge.evidence import ChallengeEvidence
from quorate.trading.journal import ChallengedRecord, ComparedRecord, MaturedBar

START = 1_700_000_000_000 // HOUR_MS * HOUR_MS
HORIZON = 5


def started(horizon: int = HORIZON, **terms) -> ChallengedRecord:
    return ChallengedRecord(
        time=START,
        at=START,
        champion="a" * 16,
        challenger="b" * 16,
        mode="replay",
        timeframe="1h",
        symbols=("BTC/USDT:USDT",),
        start_usd=1_000.0,
        horizon=horizon,
        terms=asdict(replace(ChallengeSettings(), **terms)),
    )


def records(saved, earned=None, bound: float = 0.2, horizon: int = HORIZON):
    """A record for each bar: what the challenger saves in log-loss, and what it earns more than the champion."""
    equity = 1_000.0
    for bar in range(len(saved)):
        if earned is not None:
            equity *= 1 + earned[bar]
        past = bar - horizon
        outcome = MaturedBar(START + past * HOUR_MS, 1, 1.0, 1.0 - float(saved[past])) if past >= 0 else None
        matured = () if outcome is None else (outcome,)
        yield ComparedRecord(START + bar * HOUR_MS, 1_000.0, equity, 1, bound, matured)


def judged(evidence, found):
    """The first judgement, and after how many bars."""
    for record in found:
        verdict = evidence.add(record).judge()
        if verdict is not None:
            return verdict, evidence.bars
    return None, evidence.bars


def test_a_better_challenger_wins_and_a_worse_one_loses():
    random = np.random.default_rng(1)
    for mean, expected in ((0.03, "challenger"), (-0.03, "champion")):
        saved = np.clip(mean + 0.05 * random.standard_normal(1_000), -0.2, 0.2)
        verdict, bars = judged(ChallengeEvidence(started()), records(saved))
        assert verdict.verdict == expected
        assert "log-loss is better: e-value" in verdict.reason
        assert bars < 1_000


def test_equals_are_seldom_told_apart_at_every_look():
    random = np.random.default_rng(2)
    ended = 0
    for _ in range(60):
        saved = np.clip(0.05 * random.standard_t(3, 150), -0.2, 0.2)
        verdict, _ = judged(ChallengeEvidence(started()), records(saved, 0.002 * random.standard_t(3, 150)))
        ended += verdict is not None
    assert ended <= 9, "three one-sided errors of 5 % each, at most"


def test_without_a_difference_it_ends_at_the_horizon():
    verdict, bars = judged(ChallengeEvidence(started(horizon_bars=40)), records(np.zeros(100)))
    assert (verdict.verdict, bars) == ("undecided", 40)
    assert "after 40 bars, the horizon" in verdict.reason


def test_a_challenger_that_forecasts_better_and_loses_money_does_not_win():
    random = np.random.default_rng(3)
    saved = np.clip(0.03 + 0.05 * random.standard_normal(1_000), -0.2, 0.2)
    earned = -0.02 + 0.002 * random.standard_normal(1_000)
    verdict, _ = judged(ChallengeEvidence(started()), records(saved, earned))
    assert verdict.verdict == "champion"
    assert "net return" in verdict.reason


def test_the_net_return_decides_where_the_terms_say_so():
    random = np.random.default_rng(4)
    earned = 0.004 + 0.004 * random.standard_normal(1_000)
    verdict, _ = judged(ChallengeEvidence(started(decides="net_return")), records(np.zeros(1_000), earned))
    assert verdict.verdict == "challenger"
    assert "net return" in verdict.reason
    verdict, _ = judged(ChallengeEvidence(started(horizon_bars=900)), records(np.zeros(1_000), earned))
    assert verdict.verdict == "undecided", "the log-loss decides, and it is the same"


def test_a_difference_of_returns_beyond_the_bound_counts_as_the_bound():
    wild, bounded = ChallengeEvidence(started()), ChallengeEvidence(started())
    for evidence, jump in ((wild, 0.4), (bounded, 0.05)):
        for record in records(np.zeros(3), [0.0, jump, 0.0]):
            evidence.add(record)
    assert wild.clipped == 1
    assert float(wild.return_test.log_above) == pytest.approx(float(bounded.return_test.log_above), rel=1e-9)
    assert wild.returns[1].difference == pytest.approx(0.4), "the mean is of what was earned"


def test_bars_that_overlap_are_in_lanes_of_their_own():
    """One bar in each lane saves the same: the mean of five wealths of one bet each, and not one of five bets."""
    evidence = ChallengeEvidence(started())
    for record in records([0.1] * HORIZON + [0.0] * HORIZON):
        evidence.add(record)
    overlapping = float(evidence.loss_test.log_above)
    alone = ChallengeEvidence(started(horizon=1))
    for record in records([0.1] * HORIZON + [0.0] * HORIZON, horizon=1):
        alone.add(record)
    assert float(alone.loss_test.log_above) > overlapping


def test_a_market_without_a_label_counts_as_equal():
    evidence = ChallengeEvidence(started())
    evidence.add(ComparedRecord(START, 1_000.0, 1_000.0, 2, 0.2))
    evidence.add(ComparedRecord(START + HOUR_MS, 1_000.0, 1_000.0, 0, 0.0, (MaturedBar(START, 1, 0.5, 0.4),)))
    (bar,) = evidence.losses
    assert bar.difference == pytest.approx(0.1), "half of a difference of 0.2 in one of two markets"
    assert (bar.champion, bar.challenger) == pytest.approx((1.0, 0.8))
    assert evidence.waiting == {}


def test_the_terms_are_those_of_its_start():
    assert ChallengeEvidence(started(alpha=0.01)).terms.alpha == 0.01
    unknown = replace(started(), terms={"alpha": 0.1, "luck": 1})
    with pytest.raises(JournalError, match="alpha, luck"):
        ChallengeEvidence(unknown)


def test_an_outcome_of_a_bar_that_does_not_wait_for_one_is_refused():
    evidence = ChallengeEvidence(started())
    with pytest.raises(JournalError, match="altered"):
        evidence.add(ComparedRecord(START, 1_000.0, 1_000.0, 0, 0.0, (MaturedBar(START - HOUR_MS, 1, 0.5, 0.4),)))
