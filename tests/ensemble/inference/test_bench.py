"""Spans of a bench, votes that do not count, and the rule by which a member comes and goes."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.core.errors import ArgumentError
from quorate.core.types import Abstention, Action, Vote
from quorate.ensemble.inference.bench import Bench, BenchSpan, apart, bench_states, mode_without

BENCH = Bench(
    (BenchSpan("nhits", 100, 200, "drifted"), BenchSpan("nhits", 300, None, "expired"), BenchSpan("xgb", 0, 5, "old"))
)


@pytest.mark.parametrize(
    ("time", "benched"),
    [(99, {}), (100, {"nhits": "drifted"}), (199, {"nhits": "drifted"}), (200, {}), (300, {"nhits": "expired"})],
)
def test_a_span_begins_with_its_start_and_ends_before_its_end(time, benched):
    assert BENCH.at(time) == benched
    assert BENCH.rows("nhits", np.array([time])).tolist() == [bool(benched)]


def test_an_end_before_the_start_is_refused():
    with pytest.raises(ArgumentError, match="an end that is not before the start"):
        BenchSpan("nhits", 2, 1, "drifted")


def test_spans_survive_json():
    for span in (BenchSpan("nhits", 3_600_000, None, "drifted"), BenchSpan("nhits", 0, 7_200_000, "by hand", "ana")):
        assert BenchSpan.from_json(json.loads(json.dumps(span.to_json()))) == span


def test_scores_are_masked_on_the_bars_of_a_span_only():
    scores = {"nhits": np.full((4, 3), 0.3), "xgb": np.full((4, 3), 0.2)}
    masked = BENCH.mask(scores, np.array([99, 100, 199, 200]))
    assert np.isnan(masked["nhits"]).all(axis=1).tolist() == [False, True, True, False]
    np.testing.assert_array_equal(masked["xgb"], scores["xgb"])
    assert np.isfinite(scores["nhits"]).all()


def test_a_benched_vote_is_an_abstention_and_kept_beside():
    vote, other = Vote("nhits", Action.BUY, 0.8), Vote("xgb", Action.SELL, 0.6)
    counted, shadows = apart([vote, other, Abstention("lgbm", "failed: no")], {"nhits": "drifted", "lgbm": "expired"})
    assert counted == [
        Abstention("nhits", "benched: drifted"),
        other,
        Abstention("lgbm", "benched: expired; failed: no"),
    ]
    assert shadows == (vote,)


def test_a_bench_makes_a_full_bundle_partial_and_never_brings_the_rules_in():
    assert [mode_without(mode, 4) for mode in ("full", "partial", "none")] == ["partial", "partial", "none"]
    assert mode_without("full", 0) == "full"


def states(text, window, unknown="?"):
    """States of one member: x beyond, . within, ? not judged."""
    beyond = np.array([[each == "x"] for each in text])
    judged = np.array([[each != unknown] for each in text])
    return "".join("B" if one else "." for one in bench_states(beyond, judged, window).ravel())


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        ("..x......", "..BBB...."),  # back when a whole window lies after the look that benched it
        ("..xxxx...", "..BBBB..."),  # a lasting fault: back at the first look that passes
        ("..x..x...", "..BBBB..."),  # not back at a look that fails, whatever lies after the first
        ("..x.x....", "..BBB...."),  # noise about the limit does not move it to and fro
        ("..x??????", "..BBBBBBB"),  # what cannot be judged does not bring it back
        ("..?......", "........."),
    ],
)
def test_a_member_returns_on_evidence_that_did_not_bench_it(looks, expected):
    assert states(looks, 3) == expected


@given(st.lists(st.sampled_from("x.?"), min_size=1, max_size=60), st.integers(1, 8))
def test_every_stay_lasts_a_window_and_ends_with_a_pass(looks, window):
    found = states("".join(looks), window)
    assert all(found[place] == "B" for place, look in enumerate(looks) if look == "x")
    for place in range(1, len(found)):
        if found[place - 1] == "B" and found[place] == ".":
            assert looks[place] == "."
            assert "B" * window == found[max(0, place - window) : place]
    # A look changes nothing before it.
    assert states("".join(looks[:-1]) + "x", window)[:-1] == found[:-1]
