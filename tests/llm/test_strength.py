"""Strengths, agreement, combination, multiplier and share: the contract's table, its edges, and the form for frames."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.core.types import Action
from quorate.llm.consensus import NO_REPLY, ConsensusFrame, PanelConsensus
from quorate.llm.strength import Strength, judge, judge_frame

BUY, HOLD, SELL = Action.BUY, Action.HOLD, Action.SELL
JUST = 1e-6


def strength(members, panel, internal=1.0, direction=BUY):
    """Of a BUY, with the same internal agreement on both sides."""
    return judge(BUY, members, PanelConsensus(direction, panel, internal), internal).strength.name


@pytest.mark.parametrize(
    ("members", "panel", "internal", "direction", "expected"),
    [
        # Directions that differ, whatever the confidences; HOLD differs from BUY too.
        (0.99, 0.99, 1.0, SELL, "CONFLICT"),
        (0.99, 0.99, 1.0, HOLD, "CONFLICT"),
        (0.10, 0.10, 1.0, SELL, "CONFLICT"),
        (0.80, 0.80, 1.0, BUY, "VERY_STRONG"),
        # Both confidences must be above 0.75: at it, on either side, STRONG.
        (0.75, 0.90, 1.0, BUY, "STRONG"),
        (0.90, 0.75, 1.0, BUY, "STRONG"),
        (0.75 + JUST, 0.75 + JUST, 1.0, BUY, "VERY_STRONG"),
        (0.75 - JUST, 0.75 + JUST, 1.0, BUY, "STRONG"),
        # Agreement of exactly 0.85 = 0.5 + 0.3 + 0.2 * 0.25 is not above it.
        (0.80, 0.80, 0.25, BUY, "STRONG"),
        (0.80, 0.80, 0.25 + JUST, BUY, "VERY_STRONG"),
        (0.80, 0.80, 0.25 - JUST, BUY, "STRONG"),
        (0.65, 0.66, 1.0, BUY, "NO_SIGNAL"),  # at 0.65: neither above 0.70, none below 0.60
        (0.65, 0.72, 1.0, BUY, "MODERATE"),
        (0.65 + JUST, 0.65 + JUST, 1.0, BUY, "STRONG"),
        # Agreement of exactly 0.70 is not above it: 0.5 + 0.3 * (1 - 0.34) + 0.2 * 0.01 = 0.70.
        (0.66, 1.00, 0.01, BUY, "MODERATE"),
        (0.66, 1.00, 0.01 + JUST, BUY, "STRONG"),
        (0.66, 1.00, 0.01 - JUST, BUY, "MODERATE"),
        # One above 0.70 and the other above 0.50, either way round.
        (0.70, 0.60, 1.0, BUY, "NO_SIGNAL"),
        (0.70 + JUST, 0.60, 1.0, BUY, "MODERATE"),
        (0.60, 0.70 + JUST, 1.0, BUY, "MODERATE"),
        (0.90, 0.50, 1.0, BUY, "WEAK"),
        (0.90, 0.50 + JUST, 1.0, BUY, "MODERATE"),
        (0.50, 0.90, 1.0, BUY, "WEAK"),
        # Either below 0.60, after the rules above.
        (0.60, 0.65, 1.0, BUY, "NO_SIGNAL"),
        (0.60 - JUST, 0.65, 1.0, BUY, "WEAK"),
        (0.65, 0.60 - JUST, 1.0, BUY, "WEAK"),
        (0.10, 0.10, 1.0, BUY, "WEAK"),
        (0.62, 0.62, 1.0, BUY, "NO_SIGNAL"),
    ],
)
def test_the_first_strength_that_matches(members, panel, internal, direction, expected):
    assert strength(members, panel, internal, direction) == expected


def test_a_mean_that_equals_a_threshold_but_for_float_error_is_at_it():
    # Three equal confidences of 0.75: their weighted mean may be 0.7500000000000001.
    mean = (0.40 * 0.75 + 0.35 * 0.75 + 0.25 * 0.75) / (0.40 + 0.35 + 0.25)
    for found in (mean, math.nextafter(0.75, 1), 0.75 + 1e-10):
        assert strength(found, 0.9) == "STRONG"


def test_worked_figures():
    # same direction 0.5 + 0.3 * (1 - 0.1) + 0.2 * (0.75 + 0.65) / 2 = 0.91; combined 0.54 + 0.32 + 0.4 * 0.41 = 1.024
    found = judge(BUY, 0.9, PanelConsensus(BUY, 0.8, 0.65), 0.75)
    assert found.strength is Strength.VERY_STRONG
    assert found[1:] == pytest.approx((0.91, 1.0, 1.5, 0.75))
    # 0.5 + 0.3 * 0.9 + 0.2 * 0.5 = 0.87; combined 0.43 + 0.208 + ... = 0.6 * 0.62 + 0.4 * 0.72 + 0.4 * 0.37 = 0.808
    found = judge(SELL, 0.62, PanelConsensus(SELL, 0.72, 0.6), 0.4)
    assert found.strength is Strength.MODERATE
    assert found[1:] == pytest.approx((0.87, 0.808, 0.6616, 0.3308))
    # A conflict has no 0.5: 0.3 * 0.8 + 0.2 * 1 = 0.44, and no bonus: 0.6 * 0.9 + 0.4 * 0.7 = 0.82.
    found = judge(BUY, 0.9, PanelConsensus(SELL, 0.7, 1.0), 1.0)
    assert found.strength is Strength.CONFLICT
    assert found[1:] == pytest.approx((0.44, 0.82, 0.0, 0.0))


def test_without_the_members_agreement_it_is_the_panels_alone():
    assert judge(BUY, 0.8, PanelConsensus(BUY, 0.8, 0.5)).agreement == pytest.approx(0.9)
    assert judge(BUY, 0.8, PanelConsensus(BUY, 0.8, 0.5), 1.0).agreement == pytest.approx(0.95)


def test_a_panel_without_a_reply_is_no_signal():
    assert judge(BUY, 0.99, PanelConsensus(None, 0.0, 0.0), 1.0) == (Strength.NO_SIGNAL, 0.0, 0.0, 0.0, 0.0)


# Confidences at and around every threshold, and any other.
confidence = st.sampled_from((0.5, 0.6, 0.65, 0.7, 0.75, 0.85)).flatmap(
    lambda edge: st.sampled_from((edge, edge + JUST, edge - JUST, math.nextafter(edge, 1), math.nextafter(edge, 0)))
) | st.floats(0, 1)
entries = st.tuples(
    st.sampled_from(Action),
    confidence,
    st.sampled_from((NO_REPLY, *Action)),
    confidence,
    st.floats(0, 1),
    st.floats(0, 1) | st.just(math.nan),
)


@given(st.lists(entries, min_size=1, max_size=30))
def test_frames_give_the_same_numbers_and_a_share_never_above_three_quarters(rows):
    action, members, direction, panel, internal, agreement = map(np.array, zip(*rows, strict=True))
    consensus = ConsensusFrame(direction.astype(np.int8), panel, internal)
    frame = judge_frame(action.astype(np.int8), members, consensus, agreement)
    for number, row in enumerate(rows):
        if row[0] == HOLD:
            assert (frame.strength[number], frame.share[number]) == (Strength.NO_SIGNAL, 0.0)
            continue
        one = judge(row[0], row[1], PanelConsensus(None if row[2] < 0 else Action(row[2]), *row[3:5]), row[5])
        assert tuple(column[number] for column in frame) == tuple(one)
        assert 0 <= one.share <= 0.75
        assert (one.share > 0) == (one.strength.name in ("VERY_STRONG", "STRONG", "MODERATE"))
        assert 0 <= one.combined <= 1
