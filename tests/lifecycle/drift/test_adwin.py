"""Rises of the log-loss by ADWIN."""

import numpy as np

from quorate.lifecycle.drift.adwin import rises

DELTA = 0.002


def losses(generator, *parts):
    return np.concatenate([generator.gamma(25, mean / 25, count) for mean, count in parts])


def test_a_rise_is_found_and_dated():
    found = rises(losses(np.random.default_rng(1), (1.0, 500), (1.3, 300)), DELTA)
    assert found
    first = found[0]
    assert 500 < first.at < 600
    assert abs(first.since - 500) < 40
    assert first.before < 1.1 < 1.2 < first.after


def test_a_fall_is_none():
    assert rises(losses(np.random.default_rng(2), (1.3, 500), (1.0, 300)), DELTA) == ()


def test_a_steady_loss_has_no_rise():
    assert rises(losses(np.random.default_rng(3), (1.0, 5_000)), DELTA) == ()


def test_a_rise_after_a_fall_is_found():
    found = rises(losses(np.random.default_rng(4), (1.3, 400), (1.0, 400), (1.3, 400)), DELTA)
    assert found
    assert min(rise.at for rise in found) > 800


def test_single_huge_losses_are_no_rise():
    steady = losses(np.random.default_rng(5), (1.0, 2_000))
    steady[::400] = 36.0
    assert rises(steady, DELTA) == ()


def test_no_losses_have_no_rise():
    assert rises(np.empty(0), DELTA) == ()
