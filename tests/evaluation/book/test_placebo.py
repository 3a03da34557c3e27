"""Placebos: moved by nothing they are the book, and every weight goes to exactly one other market."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.evaluation.book.conftest import Book

from quorate.evaluation.book.placebo import passed_on, placebos, shifted_weights, shuffled_weights


def test_a_shift_by_nothing_or_by_the_whole_ring_is_the_book(small: Book) -> None:
    case = small.case()
    for shift in (0, int(case.days.sum())):
        found = case.returns(shifted_weights(case, shift))
        np.testing.assert_allclose(found.net, case.whole.net, atol=1e-15)
    moved = shifted_weights(case, 7)
    first = int(np.argmax(case.days))
    end = first + int(case.days.sum())
    own = case.weights.daily_total(case.panel)
    np.testing.assert_array_equal(moved.daily["daily"][first + 7 : end], own[first : end - 7])
    np.testing.assert_array_equal(moved.daily["daily"][first : first + 7], own[end - 7 : end])
    np.testing.assert_array_equal(moved.daily["daily"][:first], own[:first])
    bar = int(case.panel.moment[first])
    bars = case.weights.bar_total(case.panel)
    np.testing.assert_array_equal(moved.by_bar["by_bar"][bar + 42 : bar + 60], bars[bar : bar + 18])


def slowly_passed_on(weights: np.ndarray, among: np.ndarray, order: list[int]) -> np.ndarray:
    out = np.zeros_like(weights)
    for row in range(len(weights)):
        ring = [market for market in order if among[row, market] or weights[row, market] != 0]
        for place, market in enumerate(ring):
            out[row, ring[(place + 1) % len(ring)]] = weights[row, market]
    return out


@given(
    arrays(np.float64, (4, 6), elements=st.sampled_from([0.0, 0.1, -0.2, 0.3])),
    arrays(np.bool_, (4, 6)),
    st.permutations(range(6)),
)
def test_weights_are_passed_on_in_a_ring(weights: np.ndarray, among: np.ndarray, order: list[int]) -> None:
    found = passed_on(weights, among, np.array(order))
    np.testing.assert_array_equal(found, slowly_passed_on(weights, among, order))
    np.testing.assert_array_equal(np.sort(found, axis=1), np.sort(weights, axis=1))


def test_shuffled_weights_stay_in_the_universe_and_keep_their_side(small: Book) -> None:
    case = small.case()
    found = shuffled_weights(case, np.random.default_rng(2).permutation(10))
    own = case.weights.daily_total(case.panel)
    np.testing.assert_allclose(found.daily["daily"].sum(axis=1), own.sum(axis=1), atol=1e-12)
    among = case.panel.universe(8)
    assert not (found.daily["daily"] != 0)[~among & (own == 0)].any()
    same = (found.daily["daily"] == own) & (own != 0)
    assert not same.any()


def test_shares_count_the_placebos_that_are_as_good(small: Book) -> None:
    case = small.case()
    found = placebos(case)
    own = np.sqrt(365) * case.net.mean() / case.net.std(ddof=1)
    for kind, runs in (("shifted", 2), ("shuffled", 6)):
        values = found[kind]["sharpes"]
        assert found[kind]["runs"] == len(values) == runs
        assert found[kind]["share_above"] == pytest.approx(sum(value >= own for value in values) / runs)
        assert found[kind]["largest"] == max(values)
    assert found == placebos(case)
