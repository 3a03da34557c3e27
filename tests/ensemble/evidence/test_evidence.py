"""Candidates by day and the verdict, on tables worked by hand and on simulated candidates."""

from dataclasses import replace

import numpy as np
import pytest

from quorate.ensemble.evidence.evidence import MOST_ROWS, Candidate, Requirements, candidate, judge

NEEDED = Requirements(days=30, signals=50, sides="both")


def made(values, signals=200, buys=100, policy="calibrated", name="pair"):
    return Candidate(policy, name, np.asarray(values, float), signals, buys)


def drawn(mean, seed=1, days=90, **options):
    return made(np.random.default_rng(seed).normal(mean, 0.002, days), **options)


def test_a_day_over_all_markets_is_one_observation():
    # Day 0: three markets of 1 % each; day 1: one loses 2 %; day 2 has no signal. Costs of 0.1 %.
    action = np.array([2, 2, 2, 0, 1], np.int8)
    earned = np.array([0.01, 0.01, 0.01, 0.02, 0.5])
    found = candidate("classic", "classic", action, earned, np.array([0, 0, 0, 1, 2]), 3, 0.001)
    np.testing.assert_allclose(found.values, [0.009, -0.021, np.nan])
    assert (found.days, found.signals, found.buys) == (2, 4, 3)


def test_more_markets_on_the_same_days_are_no_more_evidence():
    """A hundred markets that move together give the bound of one."""
    random = np.random.default_rng(2)
    earned = random.normal(0.0004, 0.01, 60)
    action = np.where(np.arange(60) % 2, 2, 0).astype(np.int8)
    earned = np.where(action == 2, 1, -1) * earned
    one = candidate("classic", "one", action, earned, np.arange(60), 60, 0.0)
    many = candidate(
        "classic", "many", np.tile(action, 100), np.tile(earned, 100), np.tile(np.arange(60), 100), 60, 0.0
    )
    np.testing.assert_allclose(many.values, one.values)
    verdicts = [judge([each], NEEDED, 7) for each in (replace(one, signals=60), many)]
    assert verdicts[0].table[0].lower == pytest.approx(verdicts[1].table[0].lower)
    assert verdicts[1].policy == "closed"


@pytest.mark.parametrize(
    ("found", "lack"),
    [
        (made([0.01] * 29 + [np.nan] * 60), "signals on 29 days, of at least 30"),
        (made([0.01] * 60, signals=49), "49 signals, of at least 50"),
        (made([0.01] * 60, buys=191), "9 of 200 signals on the rarer side, of at least 10%"),
        (made([0.01] * 60, buys=20), ""),
    ],
)
def test_what_a_candidate_needs_besides_its_bound(found, lack):
    assert found.lacks(NEEDED) == lack
    evidence = judge([found], NEEDED, 7)
    assert evidence.policy == ("closed" if lack else "calibrated")
    if lack:
        assert (
            evidence.text == f"closed: no candidate of 1 could be judged: the one with most signals, pair, has {lack}"
        )
        assert evidence.best is None
        assert evidence.table[0].to_json()["lower_bps"] is None


def test_one_side_is_enough_where_the_settings_say_so():
    one_sided = drawn(0.002, buys=200)
    assert judge([one_sided], NEEDED, 7).policy == "closed"
    assert judge([one_sided], replace(NEEDED, sides="any"), 7).policy == "calibrated"


def test_the_sentence_has_the_numbers_of_the_best():
    losing = [drawn(-0.0003 - 0.0001 * place, seed=place, name=f"pair {place}") for place in range(98)]
    evidence = judge(losing, NEEDED, 7)
    best = losing[evidence.best]
    row = next(row for row in evidence.table if row.verdict == "best")
    assert evidence.text == (
        f"closed: best of 98 candidates ({best.name}) earned {1e4 * best.values.mean():.1f} bps a signal "
        f"[{1e4 * row.lower:.1f}, {1e4 * row.upper:.1f}] over 90 days; needed a lower bound above 0"
    )
    assert (evidence.policy, evidence.candidates, evidence.eligible, evidence.days) == ("closed", 98, 98, 90)
    assert len(evidence.table) == MOST_ROWS
    tree = row.to_json()
    assert tree["net_bps"] == pytest.approx(1e4 * best.values.mean())
    assert (tree["buy_share"], tree["required_bps"]) == (0.5, 0.0)


def test_the_table_names_the_votes_first_and_always_the_best():
    many = [drawn(0.0, seed=place, name=f"pair {place}") for place in range(20)]
    votes = [drawn(-0.001, policy="classic", name="classic"), drawn(0.002, policy="consensus", name="consensus")]
    evidence = judge([*votes, *many], NEEDED, 7)
    assert [row.name for row in evidence.table[:2]] == ["classic", "consensus"]
    assert evidence.policy == "consensus"
    assert evidence.text.startswith("consensus: best of 22 candidates (consensus) earned 18.7 bps a signal [13.")
    assert [row.verdict for row in evidence.table if row.name == "consensus"] == ["acts"]


def test_candidates_without_merit_seldom_open():
    """Signals of noise on a common market with a fat tail, at thresholds of one shuffled score."""
    opened = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        day = np.repeat(np.arange(80), 24)
        earned = 0.004 * random.standard_t(4, 80)[day] + 0.004 * random.standard_t(4, len(day))
        score = random.normal(size=len(day))
        found = [
            candidate(
                "calibrated", f"{at}", np.where(np.abs(score) > at, np.where(score > 0, 2, 0), 1), earned, day, 80, 0.0
            )
            for at in np.linspace(0, 2, 25)
        ]
        opened += judge(found, NEEDED, seed).policy != "closed"
    # 5 % of 200 is 10; a share of 5 % gives more than 16 once in fifty.
    assert opened <= 16


def test_a_planted_merit_opens():
    random = np.random.default_rng(5)
    day = np.repeat(np.arange(80), 24)
    score = random.normal(size=len(day))
    earned = 0.004 * random.standard_t(4, 80)[day] + 0.003 * score
    found = [
        candidate(
            "calibrated", f"{at}", np.where(np.abs(score) > at, np.where(score > 0, 2, 0), 1), earned, day, 80, 0.0014
        )
        for at in np.linspace(0, 2, 25)
    ]
    assert judge(found, NEEDED, 7).policy == "calibrated"


def test_a_further_reason_closes():
    evidence = judge([drawn(0.002)], NEEDED, 7)
    assert evidence.policy == "calibrated"
    shut = evidence.closed("it lost later")
    assert (shut.policy, shut.text, shut.table) == ("closed", "closed: it lost later", evidence.table)
