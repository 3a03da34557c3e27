"""Consensus of the panel: worked cases, its form for frames, and what no replies can do."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.core.types import Action
from quorate.llm.consensus import NO_REPLY, panel_consensus, panel_consensus_frame
from quorate.llm.views import ROLES, PanelView, RoleAbstention, RoleReply

BUY, HOLD, SELL = Action.BUY, Action.HOLD, Action.SELL


def view(*given_replies):
    """A view of (direction, confidence) or None, in the order technical, risk, sentiment."""
    pairs = list(zip(ROLES, given_replies, strict=True))
    replies = tuple(RoleReply(role, "p", "m", *given) for role, given in pairs if given is not None)
    return PanelView(replies, tuple(RoleAbstention(role, "timeout") for role, given in pairs if given is None))


@pytest.mark.parametrize(
    ("replies", "direction", "confidence", "agreement"),
    [
        # all agree: 0.4 * 0.9 + 0.35 * 0.8 + 0.25 * 0.6 = 0.79
        (((BUY, 0.9), (BUY, 0.8), (BUY, 0.6)), BUY, 0.79, 1.0),
        # risk and sentiment, 0.60, against technical, 0.40: (0.35 * 0.8 + 0.25 * 0.6) / 0.6
        (((BUY, 0.99), (SELL, 0.8), (SELL, 0.6)), SELL, 0.43 / 0.6, 0.6),
        # three directions: the heaviest role decides, by its own confidence only
        (((BUY, 0.2), (HOLD, 1.0), (SELL, 1.0)), BUY, 0.2, 0.4),
        # one role missing: shares are of the 0.65 that replied
        (((BUY, 0.7), None, (HOLD, 0.9)), BUY, 0.7, 0.40 / 0.65),
        ((None, (SELL, 0.7), (HOLD, 0.9)), SELL, 0.7, 0.35 / 0.60),
        ((None, None, (HOLD, 0.55)), HOLD, 0.55, 1.0),
        ((None, None, None), None, 0.0, 0.0),
    ],
)
def test_worked_consensus(replies, direction, confidence, agreement):
    found = panel_consensus(view(*replies))
    assert found.direction is direction
    assert found.confidence == pytest.approx(confidence, abs=1e-12)
    assert found.agreement == pytest.approx(agreement, abs=1e-12)


def test_the_order_of_replies_changes_nothing():
    found = view((BUY, 0.9), (BUY, 0.31), (SELL, 0.6))
    assert panel_consensus(PanelView(found.replies[::-1])) == panel_consensus(found)


def test_the_weights_of_two_directions_never_tie():
    for directions in product((*Action, None), repeat=len(ROLES)):
        replies = [None if direction is None else (direction, 0.5) for direction in directions]
        if any(replies):
            winner = panel_consensus(view(*replies))
            # A tie would have the confidence 0.
            assert winner.confidence == 0.5


replies_of_a_role = st.none() | st.tuples(st.sampled_from(Action), st.floats(0, 1))


@given(st.lists(st.tuples(*[replies_of_a_role] * len(ROLES)), min_size=1, max_size=30))
def test_frames_give_the_same_numbers(rows):
    directions = np.array([[NO_REPLY if each is None else each[0] for each in row] for row in rows], np.int8)
    confidences = np.array([[math.nan if each is None else each[1] for each in row] for row in rows])
    frame = panel_consensus_frame(directions, confidences)
    for number, row in enumerate(rows):
        one = panel_consensus(view(*row))
        assert frame.direction[number] == (NO_REPLY if one.direction is None else one.direction)
        assert (frame.confidence[number], frame.agreement[number]) == (one.confidence, one.agreement)
        assert 0 <= one.confidence <= 1
        assert 0 <= one.agreement <= 1
