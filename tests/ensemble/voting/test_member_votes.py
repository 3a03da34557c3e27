"""The vote of one member: by hand, and one bar against frames, bit for bit."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate import Action
from quorate.ensemble.voting.member_votes import move_action, move_class, top_action, top_class

S, H, B = Action.SELL, Action.HOLD, Action.BUY


@pytest.mark.parametrize(
    ("scores", "action"),
    [
        ((0.2, 0.3, 0.5), B),
        ((0.5, 0.3, 0.2), S),
        ((0.2, 0.6, 0.2), H),
        ((0.4, 0.2, 0.4), H),
        ((0.5, 0.0, 0.5), H),
        ((1 / 3, 1 / 3, 1 / 3), H),
        # HOLD comes before a side with the same score.
        ((0.4, 0.4, 0.2), H),
        ((0.2, 0.4, 0.4), H),
        # One bit is a side.
        ((0.4, 0.2, math.nextafter(0.4, 1)), B),
        ((math.nextafter(0.4, 1), 0.2, 0.4), S),
    ],
)
def test_a_member_without_a_side_votes_hold(scores, action):
    assert top_action(scores) is action
    found, score = top_class(np.array([scores]))
    assert (found.tolist(), score.tolist()) == ([action], [scores[action]])


@pytest.mark.parametrize(
    ("scores", "raw", "action", "score"),
    [
        # 0.48 of a P(move) of 0.60 is 80 %.
        ((0.12, 0.40, 0.48), None, B, 0.8),
        ((0.42, 0.30, 0.28), None, S, 0.6),
        # Until P(HOLD) exceeds 0.5.
        ((0.10, 0.50, 0.40), None, B, 0.8),
        ((0.10, 0.51, 0.39), None, H, 0.51),
        # The largest score is HOLD's, and yet a move is the likelier.
        ((0.15, 0.45, 0.40), None, B, 0.40 / 0.55),
        # No side: a tie of the probabilities, of the raw scores under a map, and without any P(move).
        ((0.35, 0.30, 0.35), None, H, 0.30),
        ((0.25, 0.40, 0.35), (0.3, 0.4, 0.3), H, 0.40),
        ((0.0, 1.0, 0.0), None, H, 1.0),
        ((0.0, 0.0, 1.0), None, B, 1.0),
    ],
)
def test_side_given_a_move(scores, raw, action, score):
    raw = scores if raw is None else raw
    assert move_action(scores, raw) == (action, pytest.approx(score, abs=1e-15))
    found, scored = move_class(np.array([scores]), np.array([raw]))
    assert (found.tolist(), scored.tolist()) == ([action], [move_action(scores, raw)[1]])


def test_a_row_that_is_not_finite_has_no_score():
    table = np.array([[0.1, np.nan, 0.6], [np.inf, 0.1, 0.2], [0.1, 0.3, 0.6]])
    assert np.isnan(top_class(table)[1]).tolist() == [True, True, False]
    assert np.isnan(move_class(table, np.nan_to_num(table))[1]).tolist() == [True, True, False]


rows = st.lists(st.sampled_from([0.0, 1e-320, 0.1, 0.3, 0.3 + 1e-16, 0.5]) | st.floats(0, 1), min_size=3, max_size=3)


@settings(max_examples=500)
@given(st.lists(st.tuples(rows, rows), min_size=1, max_size=5))
def test_frames_equal_single_bars_bit_for_bit(pairs):
    scores, raw = np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])
    top, top_score = top_class(scores)
    move, move_score = move_class(scores, raw)
    for bar, (one, own) in enumerate(pairs):
        assert top[bar] == top_action(one)
        assert top_score[bar] == one[top[bar]]
        assert (move[bar], move_score[bar]) == move_action(one, own)
        assert 0 <= move_score[bar] <= 1
