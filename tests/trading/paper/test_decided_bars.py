"""Columns of decisions: the frame has what the records had."""

import numpy as np
import pytest

from quorate.core.types import Action, Vote
from quorate.trading.journal import DecidedRecord, Journal, StartedRecord
from quorate.trading.paper import DecidedVotes
from quorate.trading.paper.decided_bars import DecidedBars


def decided(time, voters, rule="vote", volatility=0.02, probabilities=None, symbol="A/USDT"):
    votes = tuple(
        Vote(model, Action.BUY, 0.5, (0.2, 0.2, 0.6) if model == "b" else None, 0.5, (0.1, 0.3, 0.6 + number / 100))
        for number, model in enumerate(voters)
    )
    return DecidedRecord(
        time, symbol, Action.BUY, 0.7, 0.6, "strong", rule, "line", volatility, "full", votes, (), (), probabilities
    )


def test_a_member_that_did_not_vote_is_nan_there():
    bars = DecidedBars("A/USDT", votes=True)
    for record in (
        decided(1, ""),
        decided(2, "ab", probabilities=(0.1, 0.2, 0.7)),
        decided(3, "b", "below_floor", volatility=None),
        decided(4, "a"),
        decided(5, ""),
    ):
        bars.add(record)
    frame = bars.frame("1h")
    assert frame.time.tolist() == [1, 2, 3, 4, 5]
    assert frame.rule.tolist() == ["vote", "vote", "below_floor", "vote", "vote"]
    assert np.isnan(frame.volatility).tolist() == [False, False, True, False, False]
    assert np.isfinite(frame.scores["a"]).all(axis=1).tolist() == [False, True, False, True, False]
    assert np.isfinite(frame.scores["b"]).all(axis=1).tolist() == [False, True, True, False, False]
    assert frame.scores["b"][1].tolist() == [0.1, 0.3, 0.61]
    assert frame.scores["b"][2].tolist() == [0.1, 0.3, 0.6]
    assert frame.calibrated.keys() == {"b"}
    assert frame.probabilities[1].tolist() == [0.1, 0.2, 0.7]
    assert np.isnan(frame.probabilities[0]).all()


def test_a_frame_stays_as_it_is_when_bars_are_added():
    bars = DecidedBars("A/USDT")
    bars.add(decided(1, "ab"))
    frame = bars.frame("1h")
    bars.add(decided(2, "ab"))
    assert len(frame) == 1
    assert frame.scores == {}
    assert frame.probabilities is None
    assert len(bars.frame("1h")) == 2


def started(time, bundle):
    return StartedRecord(time, time, "replay", bundle, "", "quorate", "1h", ("A/USDT",))


@pytest.mark.parametrize("at_once", [True, False])
def test_decisions_belong_to_the_bundle_of_their_session(tmp_path, at_once):
    url = f"sqlite:///{tmp_path / 'journal.sqlite'}"
    batches = (
        [started(1, "old"), decided(1, "ab"), decided(2, "ab", "closed")],
        [decided(2, "ab", "closed", symbol="B/USDT")],
        [started(3, "new"), decided(3, "a", "below_return")],
    )
    votes = DecidedVotes()
    with Journal.open(url, "paper") as journal, Journal.open(url, "paper", role="reader") as reader:
        for batch in batches:
            journal.append(batch)
            if not at_once:
                votes.refresh(reader)
        votes.refresh(reader)
        assert votes.refresh(reader) == 0
    assert (votes.bundle, votes.newest, votes.mode) == ("new", 3, "replay")
    assert votes.counts() == {"old": 3, "new": 1}
    old = votes.frames("old", "classic")
    assert {symbol: frame.time.tolist() for symbol, frame in old.items()} == {"A/USDT": [1, 2], "B/USDT": [2]}
    assert [frame.policy for frame in old.values()] == ["mixed", "closed"]
    assert votes.frames("new")["A/USDT"].policy == "calibrated"
    assert votes.frames("other") == {}
