"""Which members vote: by what they add to the others, with a margin and a minimum time, from matured labels only."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.core.clock import DAY_MS, HOUR_MS
from quorate.core.sections.select import SelectSettings
from quorate.core.sections.vote import VoteSettings
from quorate.ensemble.selection import Membership, SetLosses, Term, choose_members
from quorate.ensemble.voting.mean_scores import mean_scores
from quorate.targets.matured_days import MaturedDays

EVEN = np.full(3, 1 / 3)
EQUAL = VoteSettings(weights=dict.fromkeys("abcde", 0.25))
FIRST = 20_000  # days since 1970


def row(hit: float) -> list[float]:
    """Scores of which the class that came, SELL, has `hit`."""
    return [hit, (1 - hit) / 2, (1 - hit) / 2]


def losses(hits: dict[str, list[float]], rows_a_day: int = 1, weights: VoteSettings = EQUAL) -> SetLosses:
    """Members whose score of the class that came is given row by row; a label matures at noon of each day."""
    count = len(next(iter(hits.values())))
    day = np.arange(count) // rows_a_day
    days = MaturedDays(FIRST, int(day.max()) + 1)
    known_at = (FIRST + day) * DAY_MS + 12 * HOUR_MS
    scores = {name: np.array([row(hit) for hit in own]) for name, own in hits.items()}
    return SetLosses(scores, np.zeros(count, np.int8), EVEN, known_at, days, weights)


def moment(day: int) -> int:
    """Midnight at which `day` days are known, ms."""
    return (FIRST + day) * DAY_MS


def test_what_a_member_adds_counts_and_not_its_rank():
    # a and its twin b are best alone: -ln 0.6 and -ln 0.4 cost 1.427 in two rows, c costs -ln 0.3 -ln 0.5 = 1.897.
    # a and b together stay at 1.427; a and c score 0.45 and 0.45, and cost 1.597. d is worse than b alone, at
    # -ln 0.35 -ln 0.65 = 1.481, but a and d score 0.475 and 0.525: 1.389 is the least.
    hits = {"a": [0.6, 0.4], "b": [0.6, 0.4], "c": [0.3, 0.5], "d": [0.35, 0.65]}
    found = losses(hits, rows_a_day=2)
    assert found.of([0])[0] == pytest.approx(1.42712, abs=1e-5)
    assert found.of([0, 1])[0] == pytest.approx(1.42712, abs=1e-5)
    assert found.of([0, 3])[0] == pytest.approx(1.38880, abs=1e-5)
    chosen = choose_members(found, moment(1), SelectSettings(size=2))
    assert chosen.terms[0].members == ("a", "d")


@pytest.mark.parametrize(("margin", "changes"), [(0.0, 1), (0.01, 1), (0.05, 0)])
def test_a_change_has_to_save_the_margin(margin, changes):
    # b takes the place of a: -ln 0.5 +ln 0.52 = 0.0392 nats, which is 0.0357 of the prior's ln 3.
    hits = {"a": [0.55] + [0.5] * 6, "b": [0.5] + [0.52] * 6}
    settings = SelectSettings(size=1, days=2, margin=margin, tenure_days=0)
    found = choose_members(losses(hits), moment(1), settings)
    assert [term.members for term in found.terms] == [("a",), ("b",)][: 1 + changes]


@pytest.mark.parametrize("tenure", [0, 3, 10])
def test_a_member_stays_for_its_tenure(tenure):
    # Every two days another one is much better.
    good, bad = 0.7, 0.3
    a = [good, good] + ([bad] * 2 + [good] * 2) * 8
    hits = {"a": a, "b": [1 - hit for hit in a]}
    settings = SelectSettings(size=1, days=1, margin=0.001, tenure_days=tenure)
    found = choose_members(losses(hits), moment(1), settings)
    starts = [term.start // DAY_MS for term in found.terms]
    assert len(starts) > 2
    assert min(np.diff(starts)) == max(2, tenure)


def test_members_that_stay_keep_their_time():
    # b leaves for d on day 3; a, which came with b, may still leave on day 4 while d may not.
    hits = {
        "a": [0.6] * 3 + [0.2] * 5,
        "b": [0.6] * 2 + [0.1] * 6,
        "c": [0.3] * 3 + [0.9] * 5,
        "d": [0.2] * 2 + [0.8] * 6,
    }
    settings = SelectSettings(size=2, days=1, margin=0.001, tenure_days=3)
    found = choose_members(losses(hits), moment(1), settings)
    assert [(term.start // DAY_MS - FIRST, term.members) for term in found.terms] == [
        (1, ("a", "b")),
        (4, ("a", "c")),
        (5, ("c", "d")),
    ]


def test_who_abstains_is_replaced_at_once():
    nan = float("nan")
    hits = {"a": [0.9] * 2 + [nan] * 4, "b": [0.5] * 6, "c": [0.4] * 6}
    settings = SelectSettings(size=1, days=1, margin=0.5, tenure_days=100)
    found = choose_members(losses(hits), moment(1), settings)
    assert [(term.start // DAY_MS - FIRST, term.members) for term in found.terms] == [(1, ("a",)), (3, ("b",))]
    assert "b for a" in found.terms[1].reason


def test_nothing_known_is_the_first_in_order():
    hits = {"a": [0.2] * 3, "b": [0.9] * 3, "c": [0.9] * 3}
    found = choose_members(losses(hits), moment(0), SelectSettings(size=2, days=30))
    assert found.terms == (Term(moment(0), ("a", "b"), "the first in order, since nothing is known"),)


def test_swaps_at_one_midnight_are_limited():
    hits = {"a": [0.6, 0.1, 0.1], "b": [0.6, 0.1, 0.1], "c": [0.2, 0.9, 0.9], "d": [0.2, 0.9, 0.9]}
    one = choose_members(losses(hits), moment(1), SelectSettings(size=2, days=1, tenure_days=0, swaps=1))
    two = choose_members(losses(hits), moment(1), SelectSettings(size=2, days=1, tenure_days=0, swaps=2))
    assert [set(term.members) for term in one.terms] == [{"a", "b"}, {"b", "c"}, {"c", "d"}]
    assert [set(term.members) for term in two.terms] == [{"a", "b"}, {"c", "d"}]


@pytest.fixture(scope="module")
def market():
    """Five members on 40 days of 30 labels each, which end up to two days after their bars."""
    generator = np.random.default_rng(7)
    n = 1_200
    time = np.sort(generator.integers(0, 40 * 24, n)) * HOUR_MS + FIRST * DAY_MS
    known_at = time + generator.integers(1, 48, n) * HOUR_MS
    y = generator.integers(0, 3, n).astype(np.int8)
    truth = np.eye(3)[y]
    drift = np.sin(np.arange(n) / 150)[:, None]
    scores = {
        name: softmax(generator.normal(size=(n, 3)) + truth * (0.3 + 0.6 * drift * sign))
        for name, sign in zip("abcde", (1, -1, 1, -1, 0), strict=True)
    }
    scores["e"][:300] = np.nan
    return time, known_at, y, scores


def softmax(values):
    high = np.exp(values)
    return high / high.sum(axis=1, keepdims=True)


def chosen(market, *, until, y=None):
    time, known_at, own, scores = market
    days = MaturedDays.between(int(time.min()) // DAY_MS * DAY_MS, until)
    found = SetLosses(scores, own if y is None else y, EVEN, known_at, days, VoteSettings())
    return choose_members(found, moment(8), SelectSettings(size=2, days=7, margin=0.0, tenure_days=2))


def test_labels_that_are_not_known_yet_change_nothing(market):
    _, known_at, y, _ = market
    end = moment(42)
    whole = chosen(market, until=end)
    assert len(whole.terms) > 4
    for term in whole.terms:
        poisoned = np.where(known_at > term.start, (y + 1) % 3, y).astype(np.int8)
        found = chosen(market, until=end, y=poisoned)
        assert [each for each in found.terms if each.start <= term.start] == [
            each for each in whole.terms if each.start <= term.start
        ]


@given(st.integers(9, 42))
def test_a_watcher_finds_day_by_day_what_is_found_at_once(market, day):
    whole, part = chosen(market, until=moment(42)), chosen(market, until=moment(day))
    assert part.terms == tuple(term for term in whole.terms if term.start <= moment(day))


def test_losses_are_those_of_the_mean_score(market):
    _, known_at, y, scores = market
    days = MaturedDays(FIRST, 50)
    found = SetLosses(scores, y, EVEN, known_at, days, VoteSettings())
    for places in ([0], [1, 3], [0, 2, 4], [4]):
        mean = mean_scores({name: scores[name] for name in np.array(list(scores))[places]}, VoteSettings())
        hit = np.where(np.isfinite(mean).all(axis=1), mean[np.arange(len(y)), y], 1 / 3)
        expected = [-np.log(hit[(known_at - 1) // DAY_MS == FIRST + day]).sum() for day in range(50)]
        assert found.of(places) == pytest.approx(expected)


def test_rows_follow_the_terms():
    membership = Membership(1, (Term(100, ("b",)), Term(200, ("c",))))
    order = ("a", "b", "c")
    closes = np.array([99, 100, 199, 200, 500])
    expected = [membership.at(int(close), order)[0] for close in closes]
    assert expected == ["a", "b", "b", "c", "c"]
    assert np.array(order)[membership.rows(closes, order).argmax(axis=1)].tolist() == expected
    assert membership.reason(150, "c") == "not selected: since 1970-01-01 00:00"
    assert membership.rows(closes, ("a",)).all()
