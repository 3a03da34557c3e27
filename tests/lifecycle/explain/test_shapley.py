"""Exact Shapley values: against the mean over all orders, and their axioms."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from quorate.core.errors import ArgumentError
from quorate.lifecycle.explain.shapley import coalitions, shapley_values

NUMBERS = st.floats(-1e3, 1e3, allow_nan=False)


def games(most=5):
    return st.integers(1, most).flatmap(lambda players: arrays(np.float64, 2**players, elements=NUMBERS))


def over_all_orders(values):
    """The definition: each player's mean contribution over every order of joining."""
    players = len(values).bit_length() - 1
    total, orders = np.zeros(players), list(permutations(range(players)))
    for order in orders:
        joined = 0
        for player in order:
            total[player] += values[joined | 1 << player] - values[joined]
            joined |= 1 << player
    return total / len(orders)


@given(games())
def test_values_are_the_mean_over_all_orders(values):
    np.testing.assert_allclose(shapley_values(values), over_all_orders(values), atol=1e-9)


@given(games())
def test_values_add_up_to_the_whole(values):
    assert shapley_values(values).sum() == pytest.approx(values[-1] - values[0], abs=1e-9)


@given(arrays(np.float64, 5, elements=NUMBERS))
def test_players_that_only_count_are_equal(by_size):
    values = by_size[coalitions(4).sum(axis=1)]
    assert np.ptp(shapley_values(values)) <= 1e-9 * max(1, np.abs(by_size).max())


@given(games(4), st.integers(0, 3))
def test_a_player_that_changes_nothing_has_zero(values, place):
    place = min(place, len(values).bit_length() - 1)
    # A further player at that place, with which every coalition has the value that it has without.
    with_dummy = np.array([values[(c & (1 << place) - 1) | (c >> place + 1 << place)] for c in range(2 * len(values))])
    found = shapley_values(with_dummy)
    assert found[place] == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(np.delete(found, place), shapley_values(values), atol=1e-9)


def test_tables_are_taken_apart_value_by_value():
    tables = np.random.default_rng(1).normal(size=(8, 4, 3))
    found = shapley_values(tables)
    assert found.shape == (3, 4, 3)
    np.testing.assert_allclose(found[:, 2, 1], shapley_values(tables[:, 2, 1]))


def test_coalitions_are_numbered_by_their_members():
    assert coalitions(3)[5].tolist() == [True, False, True]
    assert not coalitions(6)[0].any()
    assert coalitions(6)[63].all()


def test_a_number_of_values_that_no_game_has_is_an_error():
    for values in (np.zeros(0), np.zeros(1), np.zeros(6)):
        with pytest.raises(ArgumentError, match=f"{len(values)} values"):
            shapley_values(values)
    with pytest.raises(ArgumentError, match="13 players; expected 1 to 12"):
        coalitions(13)
